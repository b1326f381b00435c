"""Sign flips and bootstrap draws of users, as matrix products in blocks of bounded memory.

Both give sums of columns, and the sum of a difference is the difference of the sums: all pairs of M models
cost no more than the M models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import StatisticsError
from benchmark.protocol import Longs, Values

Matrix: TypeAlias = NDArray[np.float64]

_BLOCK = 1 << 20  # numbers in a block: 8 MiB, however many users and draws there are


def sign_sums(columns: Matrix, draws: int, seed: int) -> tuple[Matrix, bool]:
    """Return sums (draws, C) of columns (U, C) under drawn signs of users, and whether these are all signs.

    A user's sign is the same in all columns. Where the 2^U ways to set the signs are no more than
    ``draws``, each occurs once and the second value is True.
    """
    n_users = len(columns)
    exact = n_users < 63 and 2**n_users <= draws
    blocks = all_signs(n_users) if exact else drawn_signs(n_users, draws, seed)
    total = columns.sum(axis=0)
    return np.concatenate([2.0 * (block @ columns) - total for block in blocks]), exact


def resampled_sums(columns: Matrix, draws: int, seed: int) -> Matrix:
    """Return sums (draws, C) of columns (U, C) over U users drawn with replacement (Efron 1979)."""
    return np.concatenate([block @ columns for block in resampled_counts(len(columns), draws, seed)])


def resampled_counts(n_users: int, draws: int, seed: int) -> Iterator[Matrix]:
    """Yield blocks (b, U) of how often each user was drawn; all blocks together have ``draws`` rows."""
    rng = np.random.default_rng(seed)
    for size in _blocks(n_users, draws):
        chosen = rng.integers(0, n_users, (size, n_users), dtype=np.int64)
        chosen += (
            np.arange(size)[:, None] * n_users
        )  # each draw has numbers of its own, to be counted at once
        counts = np.bincount(chosen.ravel(), minlength=size * n_users)
        yield counts.reshape(size, n_users).astype(np.float64)


def finite(what: str, values: Matrix | Values, n_least: int = 2) -> Matrix:
    """Return the values as float64, checked: all finite, and at least ``n_least`` along the last axis.

    Raises:
        StatisticsError: naming ``what`` was asked for.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape[-1] < n_least:
        raise StatisticsError(f"{what}: {array.shape[-1]} values are too few; at least {n_least} are needed.")
    if not np.isfinite(array).all():
        n_bad = np.count_nonzero(~np.isfinite(array))
        raise StatisticsError(
            f"{what}: {n_bad} of {array.size} values are nan or infinite; exclude them first."
        )
    return array


def p_value(count: Longs, draws: int, *, exact: bool) -> Values:
    """Return the p of ``count`` draws at least as extreme as what was observed.

    count / draws if these are all there are, else (count + 1) / (draws + 1), never 0 (Phipson & Smyth 2010).

    >>> p_value(np.array([0, 9]), 999, exact=False).tolist()
    [0.001, 0.01]
    """
    counted = np.asarray(count, dtype=np.float64)
    return counted / draws if exact else (counted + 1.0) / (draws + 1.0)


def drawn_signs(n_users: int, draws: int, seed: int) -> Iterator[Matrix]:
    """Yield blocks (b, U) of drawn signs, 1 or 0 for minus; all blocks together have ``draws`` rows."""
    rng = np.random.default_rng(seed)
    words = -(-n_users // 64)
    for size in _blocks(n_users, draws):
        bits = rng.integers(0, 2**64, (size, words), dtype=np.uint64).view(np.uint8)
        yield np.unpackbits(bits, axis=1, count=n_users).astype(np.float64)


def all_signs(n_users: int) -> Iterator[Matrix]:
    """Yield blocks (b, U) of all 2^U ways to set the signs, 1 or 0 for minus."""
    start = 0
    for size in _blocks(n_users, 2**n_users):
        numbers = np.arange(start, start + size, dtype=np.uint64)
        start += size
        yield (numbers[:, None] >> np.arange(n_users, dtype=np.uint64) & np.uint64(1)).astype(np.float64)


def _blocks(n_users: int, draws: int) -> Iterator[int]:
    """Yield the sizes of blocks that together have ``draws`` rows."""
    size = max(1, _BLOCK // max(n_users, 1))
    for start in range(0, draws, size):
        yield min(size, draws - start)
