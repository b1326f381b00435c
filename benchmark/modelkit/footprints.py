"""How much memory the parts take that models share: terms of what an adapter says that it needs."""

from __future__ import annotations

import numpy as np

from benchmark.protocol import Interactions

SPREAD = 2.0
"""Distinct pairs of items that share a user, next to N^2 / U: histories differ in length, and pairs recur."""


def counts_alone(n_users: int, n_items: int, rows: int) -> Interactions:
    """Return a log of which only the counts mean something; it takes no memory.

    >>> log = counts_alone(10**6, 10**5, 10**9)
    >>> log.n_users, log.n_items, len(log)
    (1000000, 100000, 1000000000)
    """
    ids = np.broadcast_to(np.zeros(1, dtype=np.int32), rows)
    return Interactions(
        users=ids,
        items=ids,
        values=np.broadcast_to(np.ones(1, dtype=np.float32), rows),
        times=np.empty(0, dtype=np.int64),
        positive=np.broadcast_to(np.ones(1, dtype=np.bool_), rows),
        n_users=n_users,
        n_items=n_items,
    )


def sparse_bytes(entries: float) -> float:
    """Return the bytes of a sparse matrix with so many entries: a column and a value of 4 bytes each."""
    return 8.0 * entries


def pairs_together(train: Interactions, *, of_users: bool = False) -> float:
    """Return about how many pairs of items share a user, or of users an item; from counts alone.

    >>> pairs_together(counts_alone(n_users=100, n_items=10, rows=30))
    18.0
    """
    own, other = (train.n_users, train.n_items) if of_users else (train.n_items, train.n_users)
    return min(float(own) ** 2, SPREAD * float(len(train)) ** 2 / max(other, 1))


def neighbourhood_bytes(train: Interactions, n: int, neighbours: int, *, transposed: bool) -> float:
    """Return the bytes of finding so many neighbours of each of n users or items.

    The heaps of all, the likes in the forms that the search reads, and the neighbours by rows once more if
    they are ``transposed``.
    """
    kept = float(n) * min(neighbours, n)
    copies, forms = (2, 11.0) if transposed else (1, 6.0)
    return copies * sparse_bytes(kept) + sparse_bytes(forms * len(train))
