"""What a metric may be made from: the names of its function's arguments are those of the attributes below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Floats32, Ids, Interactions, Longs, Scores, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from benchmark.metrics.relevance import Relevance
    from benchmark.metrics.topk import Entries
    from benchmark.metrics.training_log import TrainingLog


def offered(inputs: type) -> frozenset[str]:
    """Return the names that a class of inputs offers: its fields and its properties.

    >>> sorted(offered(HitInputs))
    ['hits', 'k', 'relevant']
    """
    computed = {
        name
        for base in inputs.__mro__
        for name, value in vars(base).items()
        if isinstance(value, property | cached_property)
    }
    return frozenset({field.name for field in fields(inputs)} | computed)


@dataclass(frozen=True)
class HitInputs:
    """Which positions of a list are hits: all that most ranking metrics look at.

    Attributes:
        hits: (E, k) bool, in the order of the list; False past the last candidate.
        relevant: (E,) number of items that each user should be shown.
        k: the cut-off.
    """

    hits: NDArray[np.bool_]
    relevant: Longs
    k: int


@dataclass(frozen=True)
class ListInputs(HitInputs):
    """The lists of all users, cut at k; a metric that asks for anything here takes a cut-off.

    Attributes:
        lists: (E, k) items, best first, -1 past the last candidate.
        relevant_index: (E, k) where the item at each position is in ``relevant_gains``; -1 for a miss.
        users: (E,) whose lists they are.
        relevance: what can be found.
        training: the log that counts how many users had an item, and holds the features of items.
        known: (U, I), an entry at each pair that was known when the lists were made, items ascending.
    """

    lists: Ids
    relevant_index: Longs
    users: Ids
    relevance: Relevance
    training: TrainingLog
    known: csr_matrix

    @cached_property
    def repeated(self) -> NDArray[np.bool_]:
        """Which positions hold an item that the user has had, (E, k)."""
        from benchmark.metrics import topk

        own = topk.entries_of(self.known.indptr, self.known.indices, self.users)
        return topk.relevant_index(self.lists, own) >= 0

    def sum_over_hits(self, value: Callable[[ListInputs], Values], *, repeated: bool) -> Values:
        """Return what hits on repeated items, or on new ones, add to a value of each user, (E,).

        A position adds what the value of the list cut behind it exceeds that of the list cut before it, so
        what all positions add is the value: of a mean over hits each its own share, of what the first hit
        decides the whole at the first hit. nan where the value is.

        Args:
            value: of lists, (E,).
            repeated: whether hits on repeated items count, or those on new ones.
        """
        whole, total = value(self), np.zeros(len(self.users))
        before = np.where(np.isnan(whole), whole, 0.0)
        for position in range(self.k):
            cut = np.arange(self.hits.shape[1]) <= position
            head = replace(self, hits=self.hits & cut, relevant_index=np.where(cut, self.relevant_index, -1))
            behind = value(head)
            total += np.where(self.repeated[:, position] == repeated, behind - before, 0.0)
            before = behind
        return np.where(np.isnan(whole), np.nan, total)

    @cached_property
    def relevant_gains(self) -> Values:
        """Held-out rating or count of every relevant item, (P,), user by user."""
        return self.relevance.gains_of(self.users)

    @cached_property
    def gains(self) -> Values:
        """Gain of the item at each position, (E, k), 0 for a miss."""
        return np.append(self.relevant_gains, 0.0)[self.relevant_index]  # -1, a miss, is the last

    @property
    def train(self) -> Interactions:
        """The rows that models are trained on."""
        return self.training.rows

    @property
    def train_counts(self) -> Floats32:
        """Users of each item in ``train``, (I,)."""
        return self.training.users_of_item

    @property
    def history(self) -> csr_matrix:
        """An entry at each training pair of these users, (E, I)."""
        return self.training.history

    @property
    def features(self) -> csr_matrix | None:
        """Features of items, (I, F); None where the data have none."""
        return None if self.train.item_features is None else self.train.item_features.matrix

    @property
    def n_users(self) -> int:
        """U, users without a list included."""
        return self.train.n_users

    @property
    def n_items(self) -> int:
        """I."""
        return self.train.n_items


@dataclass(frozen=True)
class ScoreInputs:
    """A batch of whole rows of scores, as they arrive: for metrics that a list of k items does not hold.

    Attributes:
        scores: (B, I) finite.
        users: (B,) user of each row.
        relevant: (B,) number of items that each user should be shown.
        relevant_items: these items, row by row.
        seen: items of each row that are no candidates.
        excluded: (I,) items that are nobody's candidates; None where there are none.
        seed: of the order among equal scores.
    """

    scores: Scores
    users: Ids
    relevant: Longs
    relevant_items: Entries
    seen: Entries
    excluded: NDArray[np.bool_] | None
    seed: int

    @cached_property
    def r_hits(self) -> NDArray[np.bool_]:
        """Which of the first R positions are hits, (B, largest R); R is a user's number of relevant items."""
        from benchmark.metrics import topk

        lists = topk.top_k(
            self.scores,
            self.relevant,
            self.users,
            self.seed,
            seen=self.seen,
            excluded=self.excluded,
        )
        return topk.relevant_index(lists, self.relevant_items) >= 0


@dataclass(frozen=True)
class RatingInputs:
    """Predicted ratings beside the held-out ones.

    Attributes:
        squared_error: (E,) sum over each user's held-out ratings.
        absolute_error: (E,) likewise.
        ratings: (E,) how many they are.
        predicted: (N,) predicted rating of each held-out row.
        training: the rows that models are trained on, beside the held-out ones.
    """

    squared_error: Values
    absolute_error: Values
    ratings: Longs
    predicted: Values
    training: TrainingLog

    @property
    def target(self) -> Interactions:
        """The held-out rows."""
        return self.training.target

    @property
    def train(self) -> Interactions:
        """The rows that models are trained on."""
        return self.training.rows

    @property
    def threshold(self) -> float:
        """The lowest rating that counts as a like; nan where there is none."""
        return self.training.threshold


@dataclass(frozen=True)
class StoredInputs:
    """What a run keeps of an evaluation: metrics made from these alone can be made again later.

    Attributes:
        lists: (E, k) items, -1 past the last candidate.
        k: the cut-off.
        n_items: I.
        squared_error: (E,) sum over each user's held-out ratings.
        absolute_error: (E,) likewise.
        ratings: (E,) how many they are.
    """

    lists: Ids | None = None
    k: int | None = None
    n_items: int | None = None
    squared_error: Values | None = None
    absolute_error: Values | None = None
    ratings: Longs | None = None
