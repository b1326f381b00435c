"""What is read off long columns of ids, a block of rows at a time: numpy would make a wider copy of all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Ids, Longs

BLOCK = 1 << 18
"""Rows looked at together: a few MB of what numpy makes of them."""


def count_rows(ids: Ids, n: int) -> Longs:
    """Return how many rows each of ``n`` users or items has, (n,).

    >>> count_rows(np.array([2, 0, 2], dtype=np.int32), 4).tolist()
    [1, 0, 2, 0]
    """
    counts, step = np.zeros(n, dtype=np.int64), max(BLOCK, n)
    for first in range(0, len(ids), step):
        counts += np.bincount(ids[first : first + step], minlength=n)
    return counts


def rows_of(chosen: NDArray[np.bool_], ids: Ids) -> Longs:
    """Return the numbers of the rows of the chosen users or items, ascending.

    Args:
        chosen: whether each of n is, (n,).
        ids: of each row, (N,).

    >>> rows_of(np.array([True, False, True]), np.array([1, 2, 0, 1], dtype=np.int32)).tolist()
    [1, 2]
    """
    found = [
        first + np.flatnonzero(chosen[ids[first : first + BLOCK]]) for first in range(0, len(ids), BLOCK)
    ]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
