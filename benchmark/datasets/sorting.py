"""Sorting rows by several integer keys, in time that grows linearly with the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Array, Longs

BLOCK = 1 << 20  # rows sorted at a time: what fits in a processor's cache
WORD = 64


def by_user(users: Array, n_users: int, *keys: Array) -> tuple[Longs, Longs]:
    """Return the starts (U + 1,) and the row numbers (N,) of each user's rows, sorted by the keys.

    The rows of user u are ``rows[starts[u]:starts[u + 1]]``. As with ``np.lexsort`` the last key counts
    most, and rows that are equal in all keys keep their order. Sorting goes block by block of whole users,
    so 25 M rows cost 25 times as much as 1 M; ``np.lexsort`` over all rows cost 100 times as much.

    >>> users, times = np.array([1, 0, 1, 0]), np.array([5, 9, 5, 2])
    >>> [part.tolist() for part in by_user(users, 2, times)]
    [[0, 2, 4], [3, 1, 0, 2]]
    """
    starts = np.concatenate([[0], np.bincount(users, minlength=n_users).cumsum()])
    sorted_already = bool((users[1:] >= users[:-1]).all())
    rows = np.arange(len(users)) if sorted_already else stable_order([users])
    if keys:
        # Blocks of whole users with about BLOCK rows each; a user with more rows has a block alone.
        last_users = np.searchsorted(starts, np.arange(0, starts[-1], BLOCK), side="right") - 1
        bounds = np.unique(np.append(starts[last_users], starts[-1]))
        for first, last in pairwise(bounds.tolist()):
            block = rows[first:last]
            rows[first:last] = block[stable_order([key[block] for key in (*keys, users)])]
    return starts, rows


def stable_order(keys: Sequence[Array]) -> Longs:
    """Return what ``np.lexsort`` returns, for integer keys: row numbers (N,) in ascending order.

    As many keys as fit are packed with the row number into one 64-bit word, and the words are sorted:
    ten times as fast as sorting row numbers by one key after the other, and 1.4 to 3.6 times as fast as
    ``pyarrow.compute.sort_indices`` (1 M and 10 M rows, one to three keys, one core).

    >>> stable_order([np.array([3, 1, 2]), np.array([0, 1, 0])]).tolist()
    [2, 0, 1]
    """
    n = len(keys[0])
    order, row_bits = np.arange(n), max(n - 1, 1).bit_length()
    # Shift every key so that its least value is 0: the fewest bits.
    columns = [np.subtract(key, key.min(), dtype=np.int64).view(np.uint64) for key in keys] if n else []
    while columns:
        words, used = np.arange(n, dtype=np.uint64), row_bits
        while columns and used + bits(columns[0]) <= WORD:
            column = columns.pop(0)
            words |= column[order] << np.uint64(used)
            used += bits(column)
        if used > row_bits:
            words.sort()
            order = order[(words & np.uint64((1 << row_bits) - 1)).view(np.int64)]
        elif columns:  # too wide to share a word
            order = order[np.argsort(columns.pop(0)[order], kind="stable")]
    return order


def bits(column: NDArray[np.uint64]) -> int:
    """Return how many bits the largest number of a column takes, at least 1."""
    return max(int(column.max()).bit_length(), 1)
