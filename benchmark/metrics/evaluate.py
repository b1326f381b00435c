"""One evaluation: score batches stream in, per-user values, lists and sums come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.metrics import catalogue, ranking, rating
from benchmark.metrics.names import Metric
from benchmark.metrics.rank import entries, hide, top_k
from benchmark.protocol import Array, Ids, Interactions, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Evaluation:
    """What one model did for E evaluated users: everything that is stored of it.

    Attributes:
        users: (E,) ascending.
        per_user: (E,) values of each metric that has them, by name; nan where a user has nothing to find.
        lists: (E, K) items shown, K the longest list asked for; -1 past the last candidate.
        squared_error: (E,) sum over the user's held-out ratings; None where the model rates nothing.
        absolute_error: (E,) likewise.
        ratings: (E,) number of held-out ratings; None likewise.
        values: the value of every metric asked for, by name; nan where there is no data for it.
        counts: "users" evaluated, "without_relevant" of them, "hidden_relevant" items left out because
            training had them, "short_lists" with fewer candidates than places.
    """

    users: Ids
    per_user: dict[str, Values]
    lists: Ids
    squared_error: Values | None
    absolute_error: Values | None
    ratings: NDArray[np.int64] | None
    values: dict[str, float]
    counts: dict[str, int]


class Evaluator:
    """Hides, ranks and measures score batches as they come, in any order and of any size.

    Relevant are the target's liked rows. One that is also seen can be found by nobody: it is left
    out and counted.
    """

    def __init__(
        self,
        target: Interactions,
        seen: Sequence[Interactions],
        metrics: Sequence[Metric],
        train: Interactions,
        seed: int = 0,
        *,
        who: str = "",
    ) -> None:
        """Prepare for the users of the target.

        Args:
            target: held-out rows; its users are evaluated, its likes looked for, its ratings compared.
            seen: logs whose rows are no candidates.
            metrics: what to measure.
            train: counts how many users had an item, for novelty.
            seed: of the order among equal scores.
            who: the model, named at the start of a message.
        """
        self._target, self._metrics, self._seed, self._who = target, tuple(metrics), seed, who
        self._train_counts = np.asarray(train.matrix().sum(axis=0)).ravel()
        self._seen = _union(seen, target)
        liked = target.likes().matrix()
        self._relevant = liked - liked.multiply(self._seen)
        self._relevant.eliminate_zeros()
        self._relevant.sort_indices()
        self._hidden_relevant = int(liked.nnz - self._relevant.nnz)
        rows_of = np.bincount(target.users, minlength=target.n_users)
        self._row_starts = np.concatenate([[0], rows_of.cumsum()])
        self._row_order = np.argsort(target.users, kind="stable")
        self.users: Ids = np.flatnonzero(rows_of).astype(np.int32)
        self._found = np.diff(self._relevant.indptr)[self.users]
        self._length = max((metric.k or 0 for metric in metrics), default=0)
        self._wants_auc = any(metric.base == "auc" for metric in metrics)
        self._scored_metrics = [metric for metric in metrics if metric.kind != "rating"]
        self.reset()

    def reset(self) -> None:
        """Forget what has arrived, to measure the next step or model on the same target."""
        n_users = len(self.users)
        self._scored, self._rated = np.zeros((2, n_users), dtype=np.bool_)
        self._lists = np.full((n_users, self._length), -1, dtype=np.int32)
        self._auc = np.full(n_users, np.nan)
        self._errors = np.zeros((2, n_users))

    def add(self, users: Ids, scores: NDArray[Any]) -> None:
        """Rank a batch: scores (B, I) of users (B,). The array may be overwritten.

        Raises:
            MetricError: wrong shape, a score that is not finite, a user not held out or sent twice.
        """
        where = self._places(users, self._scored, "score()")
        self._check(scores, users, "score()")
        if scores.dtype != np.float32 or not scores.flags.writeable:
            scores = scores.astype(np.float32)
        hide(scores, users, self._seen)
        if self._length:
            self._lists[where] = top_k(scores, self._length, users, self._seed)
        if self._wants_auc:
            pairs = entries(self._relevant.indptr, self._relevant.indices, users)
            self._auc[where] = ranking.auc(scores, *pairs)
        self._scored[where] = True

    def add_ratings(self, users: Ids, grid: NDArray[Any]) -> None:
        """Compare a batch of predicted ratings, grid (B, I) of users (B,), with the held-out ones.

        Raises:
            MetricError: as :meth:`add`.
        """
        where = self._places(users, self._rated, "rate()")
        self._check(grid, users, "rate()")
        rows, held_out = entries(self._row_starts, self._row_order, users)
        predicted = grid[rows, self._target.items[held_out]]
        squared, absolute, _ = rating.error_sums(predicted, self._target.values[held_out], rows, len(users))
        self._errors[:, where] = squared, absolute
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
        ratings = np.diff(self._row_starts)[self.users].astype(np.int64)
        per_user = {metric.name: self._per_user(metric) for metric in self._metrics if metric.per_user}
        squared, absolute = self._errors
        stored = Evaluation(
            users=self.users,
            per_user=per_user,
            lists=self._lists,
            squared_error=squared if rated else None,
            absolute_error=absolute if rated else None,
            ratings=ratings if rated else None,
            values={},
            counts=self._counts(),
        )
        stored.values.update({metric.name: _value(metric, stored, self._target) for metric in self._metrics})
        return stored

    def _per_user(self, metric: Metric) -> Values:
        if metric.base == "auc":
            return self._auc
        lists = self._lists[:, : metric.k]
        if metric.base == "novelty":
            return catalogue.novelty(lists, self._train_counts, self._target.n_users)
        assert metric.k is not None
        return ranking.BY_NAME[metric.base](self._hits(lists), self._found, metric.k)

    def _hits(self, lists: Ids) -> NDArray[np.bool_]:
        """Return which places hold a relevant item, by one search among all (user, item) pairs."""
        n_items = np.int64(self._target.n_items)
        rows, items = entries(self._relevant.indptr, self._relevant.indices, self.users)
        relevant = rows * n_items + items  # ascending, since rows and each row's items are
        shown = np.arange(len(lists))[:, None] * n_items + lists
        place = np.minimum(relevant.searchsorted(shown), max(len(relevant) - 1, 0))
        return (relevant[place] == shown) & (lists >= 0) if len(relevant) else np.zeros(lists.shape, np.bool_)

    def _counts(self) -> dict[str, int]:
        return {
            "users": len(self.users),
            "without_relevant": int(np.count_nonzero(self._found == 0)),
            "hidden_relevant": self._hidden_relevant,
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

    def _check(self, grid: NDArray[Any], users: Ids, call: str) -> None:
        expected = (len(users), self._target.n_items)
        if grid.shape != expected:
            reason = "one column per item" if grid.shape[:1] == expected[:1] else "one row per user"
            raise self._error(f"{call} returned shape {grid.shape}, expected {expected}: {reason}")
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(grid.astype(np.float32, copy=False))
        if bad.any():
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


def summarise(  # noqa: PLR0913 - each metric needs two or three of these, all by keyword
    metric: Metric,
    *,
    per_user: Values | None = None,
    lists: Ids | None = None,
    error_sums: Values | None = None,
    ratings: NDArray[np.int64] | None = None,
    n_items: int | None = None,
    n_users: int | None = None,
) -> float:
    """Return the value of a whole test set from what was stored of its users; nan where nobody has a value.

    Args:
        metric: which value.
        per_user: (E,) values of this metric, for metrics that have them; nan is excluded from the mean.
        lists: (E, K) for coverage and Gini.
        error_sums: (E,) squared errors for "rmse" and "mse", absolute ones for "mae".
        ratings: (E,) number of ratings in each sum.
        n_items: I, for coverage and Gini.
        n_users: E, to refuse arrays in which users are missing.

    Raises:
        MetricError: an array this metric needs was not given, or not for every user.

    >>> from benchmark.metrics.names import parse
    >>> summarise(parse("ndcg@10"), per_user=np.array([0.5, np.nan, 1.0]), n_users=3)
    0.75
    """
    if metric.per_user:
        return _mean(_whole(metric, "per_user", per_user, n_users))
    if metric.kind == "rating":
        sums = _whole(metric, "error_sums", error_sums, n_users)
        return rating.BY_NAME[metric.base](sums, _whole(metric, "ratings", ratings, n_users))
    shown = _whole(metric, "lists", lists, n_users)
    if n_items is None or metric.k is None or shown.shape[1] < metric.k:
        raise MetricError(
            f"{metric.name} needs n_items and lists of {metric.k} places, not {shown.shape[1]}."
        )
    compute = catalogue.coverage if metric.base == "coverage" else catalogue.gini
    return compute(shown[:, : metric.k], n_items)


def _whole(metric: Metric, what: str, values: Array | None, n_users: int | None) -> Array:
    if values is None:
        raise MetricError(f"{metric.name} is made from {what}, which was not given.")
    if n_users is not None and len(values) != n_users:
        raise MetricError(
            f"{metric.name}: {what} has {len(values)} of {n_users} users; every evaluated user must be there."
        )
    return values


def _mean(values: Values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _value(metric: Metric, stored: Evaluation, target: Interactions) -> float:
    if metric.kind == "rating" and stored.ratings is None:
        return float("nan")
    return summarise(
        metric,
        per_user=stored.per_user.get(metric.name),
        lists=stored.lists,
        error_sums=stored.absolute_error if metric.base == "mae" else stored.squared_error,
        ratings=stored.ratings,
        n_items=target.n_items,
        n_users=len(stored.users),
    )


def _union(logs: Sequence[Interactions], like: Interactions) -> csr_matrix:
    from scipy.sparse import csr_matrix  # not at import: names of metrics stay light

    matrices = [log.matrix() for log in logs]
    union = csr_matrix(sum(matrices[1:], start=matrices[0])) if matrices else 0 * like.matrix()
    union.eliminate_zeros()
    union.data = np.ones_like(union.data)  # a new array: one log alone shares its matrix with us
    return union
