"""One evaluation: score batches stream in, per-user values, lists and sums come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.metrics import negatives as sampling
from benchmark.metrics import rating, topk, topk_gpu
from benchmark.metrics.evaluation import Evaluation, mean_over_users, summarise
from benchmark.metrics.inputs import ListInputs, RatingInputs, ScoreInputs
from benchmark.metrics.ranker import Ranker
from benchmark.metrics.register import Metric, list_length, needs_scores
from benchmark.metrics.relevance import relevant_items, union
from benchmark.metrics.training_log import TrainingLog
from benchmark.protocol import Floats32, Ids, Interactions, Longs, Scores, Values
from benchmark.records import TestCounts
from benchmark.score_check import checked_scores

__all__ = ["Evaluation", "Evaluator", "summarise"]


class Evaluator:
    """Hides, ranks and measures score batches as they come, in any order and of any size.

    Relevant are the positive rows of the target. One that is also seen, or no candidate, can be found by
    nobody: it is left out and counted. Beside the scores it needs the lists, and no copy of a batch.

    Attributes:
        users: (E,) who is evaluated, ascending: everybody with a row in the target.
        relevance: what each user should be shown.
        ranker: makes the lists that are measured.
        known: (U, I) with an entry at each pair that is known when the target is evaluated, items ascending.
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
        negatives: Ids | None = None,
        known: Sequence[Interactions] | None = None,
    ) -> None:
        """Prepare for the users of the target.

        Args:
            target: held-out rows: its users are evaluated, its positives looked for, its ratings compared.
            seen: logs whose rows are no candidates.
            metrics: what to measure.
            train: counts how many users had an item; holds the features of items.
            seed: of the order among equal scores.
            who: the model, named at the start of a message.
            candidates: (I,) items that may be shown at all; None for all.
            negatives: (E, n) sampled negatives of each evaluated user, for metrics such as "hit@10/99neg";
                None draws them from the items that are in none of target, seen and train.
            known: logs whose items are not new to their users, for "recall@10/new" and the like; None: seen.

        Raises:
            MetricError: the negatives have another shape.
        """
        self._target = target
        self._metrics, self._seed = tuple(metrics), seed
        self._who = who
        self._n_ratings = np.bincount(target.users, minlength=target.n_users)
        self.users: Ids = np.flatnonzero(self._n_ratings).astype(np.int32)
        # Who competes, and what can be found among them.
        self._seen = union(seen, target, self.users)
        self.known = self._seen if known is None else union(known, target, self.users)
        self._excluded = None if candidates is None else ~np.asarray(candidates, dtype=np.bool_)
        self.relevance = relevant_items(target, self._seen, self._excluded)
        self._n_relevant: Longs = np.diff(self.relevance.starts)[self.users]
        self._training = TrainingLog(train, target, self.users)
        # What the metrics want of each batch: one list among all candidates, one among sampled negatives of
        # each number, and whatever is computed while whole rows of scores are there.
        self._of_scores = [metric for metric in metrics if metric.made_from(ScoreInputs)]
        self._lengths: dict[int | None, int] = {None: list_length(metrics)}
        for metric in metrics:
            if metric.k is not None and metric.sampled is not None:
                self._lengths[metric.sampled] = max(self._lengths.get(metric.sampled, 0), metric.k)
        self.ranker = Ranker(self._seen, self._excluded, self._lengths[None], seed)
        self._negatives = {n: self._negatives_of(n, negatives) for n in self._lengths if n is not None}
        # Where each user's held-out ratings are.
        self._row_starts = np.concatenate([[0], self._n_ratings.cumsum()])
        self._row_order = np.argsort(target.users, kind="stable")
        self.reset()

    def _negatives_of(self, n: int, given: Ids | None) -> Ids:
        if given is None:
            seen = union([self._target, self._training.rows], self._target, self.users) + self._seen
            return sampling.draw(self.users, seen.tocsr(), n, self._seed)
        if given.shape != (len(self.users), n):
            raise self._error(
                f"the negatives have shape {given.shape}, expected {(len(self.users), n)}:"
                " one row for each evaluated user"
            )
        return given

    def reset(self) -> None:
        """Forget what has arrived, to measure the next step or model on the same target."""
        n_users = len(self.users)
        self._scored = np.zeros(n_users, dtype=np.bool_)
        self._rated = np.zeros(n_users, dtype=np.bool_)
        self._lists = {n: np.full((n_users, k), -1, dtype=np.int32) for n, k in self._lengths.items()}
        self._values = {metric.name: np.full(n_users, np.nan) for metric in self._of_scores}
        self._squared_error = np.zeros(n_users)
        self._absolute_error = np.zeros(n_users)
        self._predicted = np.full(len(self._target), np.nan)

    def add(self, users: Ids, scores: Scores | topk_gpu.Tensor) -> None:
        """Rank a batch: scores (B, I) of users (B,), checked by whoever received them. They are only read.

        A tensor is ranked where it lies if lists are all that is asked of it, and checked here: it has not
        been looked at before.

        Raises:
            MetricError: a user is not evaluated or was sent twice; a tensor with scores that are not finite.
            AdapterError: a tensor of the wrong shape or type.
        """
        index = self._index_of(users, self._scored, "score()")
        if not isinstance(scores, np.ndarray):
            sound = topk_gpu.is_sound(scores, (len(users), self._target.n_items))
            if sound and not self.needs_scores:
                self._lists[None][index] = self.ranker.lists(users, scores)
                self._scored[index] = True
                return
            scores = checked_scores(scores, users, self._target.n_items, self._who or "the model")
        self._lists[None][index] = self.ranker.lists(users, scores)
        relevant = self.relevance.of(users)
        for n, negatives in self._negatives.items():
            self._lists[n][index] = topk.top_k_among(
                scores,
                self._lengths[n],
                users,
                self._seed,
                negatives=negatives[index],
                relevant=relevant,
            )
        inputs = ScoreInputs(
            scores=scores,
            users=users,
            relevant=self._n_relevant[index],
            relevant_items=relevant,
            seen=self.ranker.seen_by(users),
            excluded=self._excluded,
            seed=self._seed,
        )
        for metric in self._of_scores:
            self._values[metric.name][index] = metric.compute(inputs)
        self._scored[index] = True

    @property
    def needs_scores(self) -> bool:
        """Whether a metric is made from whole rows of scores: lists are not enough for :meth:`add_lists`."""
        return needs_scores(self._metrics)

    def add_lists(self, users: Ids, lists: Ids) -> None:
        """Take the lists (B, K) of users (B,), made by :attr:`ranker` or one like it.

        Raises:
            MetricError: a user is not evaluated or was sent twice, or a metric needs scores.
        """
        if self.needs_scores:
            raise self._error("lists were sent, and a metric needs the scores of all items")
        index = self._index_of(users, self._scored, "score()")
        self._lists[None][index] = lists
        self._scored[index] = True

    def held_out(self, users: Ids) -> tuple[Ids, Ids]:
        """Return user and item of each held-out row of users (B,), two arrays of one length."""
        _, rows = topk.entries(self._row_starts, self._row_order, users)
        return self._target.users[rows], self._target.items[rows]

    def add_ratings(self, users: Ids, predicted: Floats32) -> None:
        """Compare the predicted ratings of what :meth:`held_out` returns for users (B,) with those given.

        Raises:
            MetricError: a user is not evaluated or was sent twice.
        """
        index = self._index_of(users, self._rated, "rate()")
        rows, held_out = topk.entries(self._row_starts, self._row_order, users)
        errors = rating.error_sums(predicted, self._target.values[held_out], rows, len(users))
        self._squared_error[index], self._absolute_error[index] = errors.squared, errors.absolute
        self._predicted[held_out] = predicted
        self._rated[index] = True

    def result(self) -> Evaluation:
        """Return the evaluation of everything that was sent.

        Raises:
            MetricError: the scores of an evaluated user never came, or only some users' ratings did.
        """
        if any(metric.kind != "rating" for metric in self._metrics):
            self._require_all(self._scored, "scores")
        rated = bool(self._rated.any())
        if rated:
            self._require_all(self._rated, "ratings")
        ratings = RatingInputs(
            squared_error=self._squared_error,
            absolute_error=self._absolute_error,
            ratings=self._n_ratings[self.users],
            predicted=self._predicted,
            training=self._training,
        )
        relevant = self.relevance.of(self.users)
        index = {n: topk.relevant_index(lists, relevant) for n, lists in self._lists.items()}
        per_user: dict[str, Values] = {}
        values: dict[str, float] = {}
        for metric in self._metrics:
            measured: Any  # (E,) values or one value
            if metric.name in self._values:
                measured = self._values[metric.name]
            elif metric.kind == "rating":
                measured = metric.compute(ratings) if rated else np.nan
            else:
                assert metric.k is not None
                inputs = ListInputs(
                    hits=index[metric.sampled][:, : metric.k] >= 0,
                    relevant=self._n_relevant,
                    k=metric.k,
                    lists=self._lists[metric.sampled][:, : metric.k],
                    relevant_index=index[metric.sampled][:, : metric.k],
                    users=self.users,
                    relevance=self.relevance,
                    training=self._training,
                    known=self.known,
                )
                measured = metric.compute(inputs)
            if metric.per_user:
                per_user[metric.name] = measured
            values[metric.name] = mean_over_users(measured) if metric.per_user else float(measured)
        return Evaluation(
            users=self.users,
            per_user=per_user,
            lists=self._lists[None],
            squared_error=self._squared_error if rated else None,
            absolute_error=self._absolute_error if rated else None,
            ratings=ratings.ratings if rated else None,
            values=values,
            counts=self._counts(),
        )

    def _counts(self) -> TestCounts:
        without_user_row = self._training.rows_of_user[self.users] == 0
        without_item_row = self._training.rows_of_item[self.relevance.items] == 0
        return TestCounts(
            users=len(self.users),
            without_relevant=int(np.count_nonzero(self._n_relevant == 0)),
            hidden_relevant=self.relevance.hidden,
            excluded_relevant=self.relevance.excluded,
            cold_relevant=int(np.count_nonzero(without_item_row)),
            short_lists=int((self._lists[None] == -1).any(axis=1).sum()),
            cold_users=int(np.count_nonzero(without_user_row)),
        )

    def _index_of(self, users: Ids, done: NDArray[np.bool_], call: str) -> Longs:
        """Return where in ``self.users`` each user of a batch is."""
        index = np.minimum(self.users.searchsorted(users), max(len(self.users) - 1, 0))
        strange = users[self.users[index] != users] if len(self.users) else users
        if len(strange):
            raise self._error(
                f"{call} was sent user {strange[0]}, who has no held-out row; send evaluator.users"
            )
        if done[index].any() or len(np.unique(index)) < len(index):
            raise self._error(f"{call} was sent a user twice; each user must come once, or reset() first")
        return index

    def _require_all(self, done: NDArray[np.bool_], what: str) -> None:
        if not done.all():
            missing = self.users[~done]
            raise self._error(
                f"the {what} of {len(missing)} of {len(done)} evaluated users never arrived,"
                f" the first is user {missing[0]}; every user must be sent"
            )

    def _error(self, message: str) -> MetricError:
        return MetricError(f"{self._who}: {message}." if self._who else f"{message}.")
