"""One evaluation: score batches stream in, per-user values, lists and sums come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.metrics import coverage, diversity, negatives, ranking, rating, topk, topk_gpu
from benchmark.metrics.evaluation import Evaluation, summarise
from benchmark.metrics.names import Metric
from benchmark.metrics.relevance import union, wanted
from benchmark.protocol import Ids, Interactions, Scores, Values

__all__ = ["Evaluation", "Evaluator", "summarise"]


class Evaluator:
    """Hides, ranks and measures score batches as they come, in any order and of any size.

    Relevant are the target's liked rows. One that is also seen, or no candidate, can be found by nobody:
    it is left out and counted. Beside the scores it needs the lists and no copy of a batch.
    """

    def __init__(  # noqa: PLR0913 - by keyword: what most evaluations leave out
        self,
        target: Interactions,
        seen: Sequence[Interactions],
        metrics: Sequence[Metric],
        train: Interactions,
        seed: int = 0,
        *,
        who: str = "",
        candidates: NDArray[np.bool_] | None = None,
        drawn: Ids | None = None,
        threads: int | None = None,
    ) -> None:
        """Prepare for the users of the target.

        Args:
            target: held-out rows; its users are evaluated, its likes looked for, its ratings compared.
            seen: logs whose rows are no candidates.
            metrics: what to measure.
            train: counts how many users had an item; holds the features of items.
            seed: of the order among equal scores.
            who: the model, named at the start of a message.
            candidates: (I,) items that may be shown at all; None for all.
            drawn: (E, n) items of each evaluated user for metrics such as "hit@10/99neg"; None draws
                them from the items that are in none of target, seen and train.
            threads: how many share the ranking; None takes what the slot allows. No value depends on it.
        """
        self._target, self._train, self._seed, self._who = target, train, seed, who
        self._metrics, self._threads = tuple(metrics), threads
        self._train_counts = np.asarray(train.matrix().sum(axis=0)).ravel()
        self._seen = union(seen, target)
        self._barred = None if candidates is None else ~np.asarray(candidates, dtype=np.bool_)
        self.relevant = wanted(target, self._seen, self._barred)
        rows_of = np.bincount(target.users, minlength=target.n_users)
        self._row_starts = np.concatenate([[0], rows_of.cumsum()])
        self._row_order = np.argsort(target.users, kind="stable")
        self.users: Ids = np.flatnonzero(rows_of).astype(np.int32)
        self._found = np.diff(self.relevant.starts)[self.users]
        full = [metric for metric in metrics if metric.sampled is None]
        self._length = max((metric.k or 0 for metric in full), default=0)
        self._wants = {metric.base for metric in full}
        self._scored_metrics = [metric for metric in metrics if metric.kind != "rating"]
        self._drawn = {n: self._draw(n, drawn) for n in sorted({m.sampled for m in metrics if m.sampled})}
        self.reset()

    def _draw(self, n: int, given: Ids | None) -> Ids:
        if given is None:
            known = union([self._target, self._train], self._target) + self._seen
            return negatives.draw(self.users, known.tocsr(), n, self._seed)
        if given.shape != (len(self.users), n):
            raise self._error(
                f"the drawn items have shape {given.shape}, expected {(len(self.users), n)}:"
                " one row for each evaluated user"
            )
        return given

    def reset(self) -> None:
        """Forget what has arrived, to measure the next step or model on the same target."""
        n_users = len(self.users)
        self._scored, self._rated = np.zeros((2, n_users), dtype=np.bool_)
        self._lists = np.full((n_users, self._length), -1, dtype=np.int32)
        longest = {n: max(m.k or 0 for m in self._metrics if m.sampled == n) for n in self._drawn}
        self._sampled = {n: np.full((n_users, k), -1, dtype=np.int32) for n, k in longest.items()}
        self._whole = {"auc": np.full(n_users, np.nan), "rprecision": np.full(n_users, np.nan)}
        self._errors = np.zeros((2, n_users))
        self._predicted = np.full(len(self._target), np.nan)

    def add(self, users: Ids, scores: Any) -> None:
        """Rank a batch: scores (B, I) of users (B,), an array or a tensor. It is only read.

        A tensor on a device is ranked there, where lists are all that is wanted of it.

        Raises:
            MetricError: wrong shape, a score that is not finite, a user not held out or sent twice.
        """
        where = self._places(users, self._scored, "score()")
        self._check_shape(scores, users, "score()")
        seen = topk.entries_of(self._seen.indptr, self._seen.indices, users)
        if topk_gpu.is_remote(scores) and not (self._drawn or self._wants & set(self._whole)):
            lists, broken = topk_gpu.ranked(scores, self._length, users, self._seed, seen, self._barred)
        else:
            scores = _on_host(scores)
            lists, broken = self._rank(scores, users, seen, self._length)
        if broken.any():
            self._refuse(_on_host(scores), users, "score()")
        self._lists[where] = lists
        if isinstance(scores, np.ndarray):
            self._add_whole(where, scores, users, seen)
        self._scored[where] = True

    def _rank(
        self, scores: Scores, users: Ids, seen: topk.Entries, k: int | topk.Lengths
    ) -> tuple[Ids, NDArray[np.bool_]]:
        shared: dict[str, Any] = {"seen": seen, "barred": self._barred, "threads": self._threads}
        return topk.ranked(scores, k, users, self._seed, **shared)

    def _add_whole(self, where: NDArray[np.int64], scores: Scores, users: Ids, seen: topk.Entries) -> None:
        """Measure what needs more than the first places of the list."""
        relevant = self.relevant.of(users)
        if "auc" in self._wants:
            shared: dict[str, Any] = {"barred": self._barred, "threads": self._threads}
            self._whole["auc"][where] = topk.auc(scores, relevant, seen=seen, **shared)
        if "rprecision" in self._wants:
            lists, _ = self._rank(scores, users, seen, self._found[where])
            hits = topk.places_in(lists, relevant, self._threads) >= 0
            self._whole["rprecision"][where] = ranking.r_precision(hits, self._found[where])
        for n, drawn in self._drawn.items():
            self._sampled[n][where] = topk.top_k_among(
                scores,
                self._sampled[n].shape[1],
                users,
                self._seed,
                drawn=drawn[where],
                relevant=relevant,
                threads=self._threads,
            )

    def add_ratings(self, users: Ids, grid: NDArray[Any]) -> None:
        """Compare a batch of predicted ratings, grid (B, I) of users (B,), with the held-out ones.

        Raises:
            MetricError: as :meth:`add`.
        """
        where = self._places(users, self._rated, "rate()")
        self._check_shape(grid, users, "rate()")
        if not np.isfinite(_on_host(grid)).all():
            self._refuse(grid, users, "rate()")
        rows, held_out = topk.entries(self._row_starts, self._row_order, users)
        predicted = grid[rows, self._target.items[held_out]]
        squared, absolute, _ = rating.error_sums(predicted, self._target.values[held_out], rows, len(users))
        self._errors[:, where] = squared, absolute
        self._predicted[held_out] = predicted
        self._rated[where] = True

    def result(self) -> Evaluation:
        """Return the evaluation of everything that was sent.

        Raises:
            MetricError: the scores of an evaluated user never came, or only some users' ratings did.
        """
        if self._scored_metrics:
            self._require_all(self._scored, "scores")
        rated = bool(self._rated.any())
        if rated:
            self._require_all(self._rated, "ratings")
        squared, absolute = self._errors
        stored = Evaluation(
            users=self.users,
            per_user=self._per_user(),
            lists=self._lists,
            squared_error=squared if rated else None,
            absolute_error=absolute if rated else None,
            ratings=np.diff(self._row_starts)[self.users].astype(np.int64) if rated else None,
            values={},
            counts=self._counts(),
        )
        stored.values.update({metric.name: self._value(metric, stored) for metric in self._metrics})
        return stored

    def _per_user(self) -> dict[str, Values]:
        relevant = self.relevant.of(self.users)
        lists: dict[int | None, Ids] = {None: self._lists}
        lists.update(self._sampled.items())
        places = {n: topk.places_in(lists[n], relevant, self._threads) for n in lists}
        return {
            metric.name: self._of_metric(metric, lists[metric.sampled], places[metric.sampled])
            for metric in self._metrics
            if metric.per_user
        }

    def _of_metric(self, metric: Metric, lists: Ids, places: topk.Lengths) -> Values:
        if metric.base in self._whole:
            return self._whole[metric.base]
        assert metric.k is not None
        lists, places = lists[:, : metric.k], places[:, : metric.k]
        if metric.kind == "catalogue":
            return self._of_catalogue(metric.base, lists, places >= 0)
        if metric.base == "gndcg":
            gains = self.relevant.gains_of(self.users)
            padded = np.append(gains, 0.0)  # -1, a miss, is the last
            return ranking.graded_ndcg(padded[places], gains, self._found, metric.k)
        return ranking.BY_NAME[metric.base](places >= 0, self._found, metric.k)

    def _of_catalogue(self, base: str, lists: Ids, hits: ranking.Hits) -> Values:
        counts, features = self._train_counts, self._train.item_features
        if base == "novelty":
            return coverage.novelty(lists, counts, self._target.n_users)
        if base == "popularity":
            return coverage.popularity(lists, counts)
        if base == "popularitylift":
            return coverage.popularity_lift(lists, counts)
        if features is None:
            return np.full(len(lists), np.nan)
        if base == "diversity":
            return diversity.diversity(lists, features.matrix)
        values = diversity.serendipity(lists, hits, features.matrix, self._train.matrix()[self.users])
        return np.where(self._found > 0, values, np.nan)

    def _value(self, metric: Metric, stored: Evaluation) -> float:
        if metric.kind == "rating" and stored.ratings is None:
            return float("nan")
        if metric.base in rating.OF_PREDICTIONS:
            least = rating.least_like((self._train, self._target))
            return rating.OF_PREDICTIONS[metric.base](self._predicted, self._target, least)
        return summarise(
            metric,
            per_user=stored.per_user.get(metric.name),
            lists=stored.lists,
            error_sums=stored.absolute_error if metric.base == "mae" else stored.squared_error,
            ratings=stored.ratings,
            n_items=self._target.n_items,
            n_users=len(stored.users),
        )

    def _counts(self) -> dict[str, int]:
        trained = np.bincount(self._train.users, minlength=self._target.n_users)
        return {
            "users": len(self.users),
            "without_relevant": int(np.count_nonzero(self._found == 0)),
            "cold_users": int(np.count_nonzero(trained[self.users] == 0)),
            "hidden_relevant": self.relevant.hidden,
            "barred_relevant": self.relevant.barred,
            "cold_relevant": int(np.count_nonzero(self._train_counts[self.relevant.items] == 0)),
            "short_lists": int((self._lists == -1).any(axis=1).sum()),
        }

    def _places(self, users: Ids, done: NDArray[np.bool_], call: str) -> NDArray[np.int64]:
        where = np.minimum(self.users.searchsorted(users), max(len(self.users) - 1, 0))
        strange = users[self.users[where] != users] if len(self.users) else users
        if len(strange):
            raise self._error(
                f"{call} was sent user {strange[0]}, who has no held-out row; send evaluator.users"
            )
        if done[where].any() or len(np.unique(where)) < len(where):
            raise self._error(f"{call} was sent a user twice; each user must come once, or reset() first")
        return where

    def _check_shape(self, grid: Any, users: Ids, call: str) -> None:
        shape, expected = tuple(grid.shape), (len(users), self._target.n_items)
        if shape != expected:
            reason = "one column per item" if shape[:1] == expected[:1] else "one row per user"
            raise self._error(f"{call} returned shape {shape}, expected {expected}: {reason}")

    def _refuse(self, grid: NDArray[Any], users: Ids, call: str) -> None:
        bad = ~np.isfinite(_on_host(grid))
        raise self._error(
            f"{call} returned {np.count_nonzero(bad)} values that are nan or infinite as float32,"
            f" the first for user {users[bad.any(axis=1).argmax()]}; all must be finite"
        )

    def _require_all(self, done: NDArray[np.bool_], what: str) -> None:
        if not done.all():
            missing = self.users[~done]
            raise self._error(
                f"the {what} of {len(missing)} of {len(done)} evaluated users never arrived,"
                f" the first is user {missing[0]}; every user must be sent"
            )

    def _error(self, message: str) -> MetricError:
        return MetricError(f"{self._who}: {message}." if self._who else f"{message}.")


def _on_host(grid: Any) -> Scores:
    """Return a batch as float32; the same memory where it is that already."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(topk_gpu.fetched(grid), dtype=np.float32)
