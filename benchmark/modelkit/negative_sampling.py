"""Negatives for training: items drawn uniformly that are not a user's positives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Ids, Interactions, Longs

REDRAWS = 3
"""How often a positive that was drawn as a negative is drawn again."""

DISLIKED_SHARE = 0.5
"""How often the first negative of a like is a known dislike, for users who have any."""


@dataclass(frozen=True)
class KnownDislikes:
    """The known dislikes of each user, one user after another.

    Attributes:
        ends: (U + 1,) where each user's start.
        items: (D,) int32.
    """

    ends: Longs
    items: Ids

    @classmethod
    def from_log(cls, train: Interactions) -> KnownDislikes | None:
        """Take those that a model was handed; None if there are none."""
        if train.dislikes is None:
            return None
        matrix = train.dislikes.matrix()
        return cls(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False))


@dataclass(frozen=True)
class PositivePairs:
    """The pairs of a log, each as one number, sorted to be searched.

    Attributes:
        codes: ``user * n_items + item`` of each pair, (N,) int64 ascending.
        n_items: I.
    """

    codes: Longs
    n_items: int

    @classmethod
    def from_ids(cls, users: Ids, items: Ids | Longs, n_items: int) -> PositivePairs:
        """Take the pairs (users[n], items[n]); they may occur more than once."""
        return cls(np.sort(users.astype(np.int64) * n_items + items), n_items)

    def contain(self, users: Ids, items: Ids | Longs) -> NDArray[np.bool_]:
        """Return whether each pair (users[n], items[n]) is among them, (N,)."""
        wanted = users.astype(np.int64) * self.n_items + items
        found = np.minimum(self.codes.searchsorted(wanted), len(self.codes) - 1)
        contained: NDArray[np.bool_] = self.codes[found] == wanted
        return contained


@dataclass(frozen=True)
class UniformNegatives:
    """Draws items uniformly among those with a row, hardly any of them a positive of the user.

    Items without a row are never drawn: nothing says that they are disliked.

    Attributes:
        users: user of each row of the log, (N,) int32.
        pool: items with a row, (P,) int32 ascending.
        pairs: the pairs of the log, with the index in ``pool`` in place of the item.
    """

    users: Ids
    pool: Ids
    pairs: PositivePairs

    @classmethod
    def from_log(cls, train: Interactions) -> UniformNegatives:
        """Take the positives of a log."""
        pool, indices = np.unique(train.items, return_inverse=True)
        return cls(train.users, pool, PositivePairs.from_ids(train.users, indices, len(pool)))

    def draw(self, k: int, rng: np.random.Generator) -> Ids:
        """Return k items for each row of the log, (N, k) int32.

        Positives of the user are drawn again, ``REDRAWS`` times; few are left.

        >>> train = Interactions(
        ...     users=np.array([0, 0, 1], dtype=np.int32), items=np.array([5, 7, 9], dtype=np.int32),
        ...     values=np.ones(3, dtype=np.float32), times=np.zeros(3, dtype=np.int64),
        ...     positive=np.ones(3, dtype=np.bool_), n_users=2, n_items=10)
        >>> drawn = UniformNegatives.from_log(train).draw(1000, np.random.default_rng(0))
        >>> drawn.shape, np.unique(drawn).tolist(), bool((drawn[2] == 9).mean() < 0.03)
        ((3, 1000), [5, 7, 9], True)
        """
        users = np.repeat(self.users, k)
        drawn = rng.integers(len(self.pool), size=len(users))
        again = np.arange(len(users))
        for _ in range(REDRAWS):
            again = again[self.pairs.contain(users[again], drawn[again])]
            drawn[again] = rng.integers(len(self.pool), size=len(again))
        return self.pool[drawn].reshape(-1, k)
