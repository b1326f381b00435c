"""What metrics ask of the rows that models are trained on: made when it is first asked for, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmark.long_columns import BLOCK, count_rows, rows_of
from benchmark.metrics.relevance import union
from benchmark.protocol import Floats32, Ids, Interactions, Longs

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class TrainingLog:
    """The training rows beside the held-out ones; nothing here copies all of them.

    Attributes:
        rows: that models are trained on.
        target: the held-out rows.
        users: (E,) who is evaluated.
    """

    rows: Interactions
    target: Interactions
    users: Ids

    @cached_property
    def rows_of_user(self) -> Longs:
        """Training rows of each user, (U,)."""
        return count_rows(self.rows.users, self.rows.n_users)

    @cached_property
    def rows_of_item(self) -> Longs:
        """Training rows of each item, (I,)."""
        return count_rows(self.rows.items, self.rows.n_items)

    @cached_property
    def users_of_item(self) -> Floats32:
        """How many users have a training row of each item, (I,): a pair counts once.

        Some users at a time, so that the pairs of few are held.
        """
        counts = np.zeros(self.rows.n_items, dtype=np.int64)
        block = self.rows_of_user.cumsum() // (8 * BLOCK)
        for number in range(int(block[-1]) + 1 if len(block) else 0):
            rows = rows_of(block == number, self.rows.users)
            pairs = self.rows.users[rows].astype(np.int64) * self.rows.n_items + self.rows.items[rows]
            counts += np.bincount(np.unique(pairs) % self.rows.n_items, minlength=self.rows.n_items)
        return counts.astype(np.float32)

    @cached_property
    def history(self) -> csr_matrix:
        """An entry at each training pair of the evaluated users, (E, I)."""
        return union([self.rows], self.target, self.users)[self.users]

    @cached_property
    def threshold(self) -> float:
        """The lowest rating that counts as a like, see :func:`positive_threshold`."""
        return positive_threshold(self.rows, self.target)


def positive_threshold(*logs: Interactions) -> float:
    """Return the lowest rating that counts as a like.

    nan where there is none: nothing is liked, everything is, or likes do not lie above all other ratings.
    """
    lowest_liked, highest_other = np.inf, -np.inf
    for log in logs:
        for first in range(0, len(log), BLOCK):
            values, liked = log.values[first : first + BLOCK], log.positive[first : first + BLOCK]
            lowest_liked = min(lowest_liked, values.min(where=liked, initial=np.inf))
            highest_other = max(highest_other, values.max(where=~liked, initial=-np.inf))
    if lowest_liked == np.inf or highest_other == -np.inf or lowest_liked <= highest_other:
        return float("nan")
    return float(lowest_liked)
