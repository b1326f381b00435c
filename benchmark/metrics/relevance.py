"""Each user's relevant items and their gains, and how many were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.long_columns import rows_of
from benchmark.metrics.topk import Entries, entries, entries_of
from benchmark.protocol import Ids, Interactions, Longs, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Relevance:
    """The relevant items of U users, ascending within a user.

    Attributes:
        starts: (U + 1,) where each user's items start.
        items: item of each relevant pair, (P,).
        gains: held-out value of each, (P,) at least 0; the largest where a pair was held out twice.
        hidden: how many were left out because the user has seen them.
        excluded: how many were left out because they are no candidates.
    """

    starts: Longs
    items: Ids
    gains: Values
    hidden: int
    excluded: int

    def of(self, users: Ids) -> Entries:
        """Return the relevant items of these users."""
        return entries_of(self.starts, self.items, users)

    def gains_of(self, users: Ids) -> Values:
        """Return the gains of these users' items, in the order of :meth:`of`."""
        return self.gains[entries(self.starts, np.arange(len(self.items)), users)[1]]


def relevant_items(target: Interactions, seen: csr_matrix, excluded: NDArray[np.bool_] | None) -> Relevance:
    """Return the positive rows of the target that can be found.

    Args:
        target: held-out rows.
        seen: (U, I), an entry at each pair that is no candidate.
        excluded: (I,) items that are nobody's candidates; None where there are none.
    """
    positives = target.positives()
    # Of a pair that was held out twice the last in this order counts, the one with the largest value.
    order = np.lexsort((positives.values, positives.items, positives.users))
    users, items, values = positives.users[order], positives.items[order], positives.values[order]
    is_last = np.ones(len(users), dtype=np.bool_)
    is_last[:-1] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    users, items, values = users[is_last], items[is_last], values[is_last]
    # One that the user has seen counts as hidden, whether or not its item is excluded besides.
    hidden = np.asarray(seen[users, items]).ravel() > 0 if len(users) else np.zeros(0, dtype=np.bool_)
    out = np.zeros(len(users), dtype=np.bool_) if excluded is None else excluded[items] & ~hidden
    kept = ~(hidden | out)
    counts = np.bincount(users[kept], minlength=target.n_users)
    return Relevance(
        starts=np.concatenate([[0], counts.cumsum()]).astype(np.int64),
        items=items[kept],
        gains=np.maximum(values[kept].astype(np.float64), 0.0),
        hidden=int(hidden.sum()),
        excluded=int(out.sum()),
    )


def union(logs: Sequence[Interactions], like: Interactions, users: Ids | None = None) -> csr_matrix:
    """Return (U, I) with a one at each pair of some users that any log has, items ascending within a user.

    What it takes is proportional to the rows of these users; of the others none is copied.

    Args:
        logs: whose pairs are wanted.
        like: a log with as many users and items.
        users: those who are wanted; None for all.
    """
    from scipy.sparse import csr_matrix

    chosen = np.full(like.n_users, users is None)
    chosen[slice(0) if users is None else users] = True
    found = [(log, rows_of(chosen, log.users)) for log in logs]
    nobody = np.empty(0, dtype=np.int32)
    pairs = csr_matrix(
        (
            np.ones(sum(len(rows) for _, rows in found), dtype=np.float32),
            (
                np.concatenate([nobody, *(log.users[rows] for log, rows in found)]),
                np.concatenate([nobody, *(log.items[rows] for log, rows in found)]),
            ),
        ),
        shape=(like.n_users, like.n_items),
    )
    pairs.sum_duplicates()
    pairs.data[:] = 1.0
    return pairs
