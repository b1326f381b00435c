"""Sorting rows by several whole-number keys, in time that grows with the rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Array

Places: TypeAlias = NDArray[np.int64]

BLOCK = 1 << 20  # rows sorted at a time: what fits in a processor's cache
WORD = 64


def by_user(users: Array, n_users: int, *keys: Array) -> tuple[Places, Places]:
    """Return the starts (U + 1,) and the places (N,) of each user's rows, sorted by the keys.

    The rows of user u are ``places[starts[u]:starts[u + 1]]``. As with ``np.lexsort`` the last key counts
    most and rows that are equal in all keys keep their order. Sorting goes block by block of whole users,
    so 25 M rows cost 25 times as much as 1 M; ``np.lexsort`` over all rows cost 100 times as much.

    >>> users, times = np.array([1, 0, 1, 0]), np.array([5, 9, 5, 2])
    >>> [part.tolist() for part in by_user(users, 2, times)]
    [[0, 2, 4], [3, 1, 0, 2]]
    """
    starts = np.concatenate([[0], np.bincount(users, minlength=n_users).cumsum()])
    sorted_already = bool((users[1:] >= users[:-1]).all())
    places = np.arange(len(users)) if sorted_already else stable_order([users])
    if keys:
        for first, last in _blocks(starts):
            block = places[first:last]
            places[first:last] = block[stable_order([key[block] for key in (*keys, users)])]
    return starts, places


def stable_order(keys: Sequence[Array]) -> Places:
    """Return what ``np.lexsort`` returns, for whole numbers: the places (N,) in ascending order.

    As many keys as fit are packed with the row's place into one 64-bit word, and the words are sorted:
    ten times as fast as sorting places by one key after the other.

    >>> stable_order([np.array([3, 1, 2]), np.array([0, 1, 0])]).tolist()
    [2, 0, 1]
    """
    n = len(keys[0])
    order, own = np.arange(n), max(n - 1, 1).bit_length()
    columns = [_from_zero(key) for key in keys] if n else []
    while columns:
        words, used = np.arange(n, dtype=np.uint64), own
        while columns and used + _bits(columns[0]) <= WORD:
            column = columns.pop(0)
            words |= column[order] << np.uint64(used)
            used += _bits(column)
        if used > own:
            words.sort()
            order = order[(words & np.uint64((1 << own) - 1)).view(np.int64)]
        elif columns:  # too wide to share a word
            order = order[np.argsort(columns.pop(0)[order], kind="stable")]
    return order


def _from_zero(key: Array) -> NDArray[np.uint64]:
    """Return whole numbers shifted so that the least is 0."""
    low = key.min()
    shifted: NDArray[np.uint64] = np.subtract(key, low, dtype=np.int64).view(np.uint64)
    return shifted


def _bits(column: NDArray[np.uint64]) -> int:
    return max(int(column.max()).bit_length(), 1)


def _blocks(starts: Places) -> list[tuple[int, int]]:
    """Return stretches of whole users with about ``BLOCK`` rows; a user with more has one alone."""
    edges = np.searchsorted(starts, np.arange(0, starts[-1], BLOCK), side="right") - 1
    bounds = np.unique(np.append(starts[edges], starts[-1]))
    return list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
