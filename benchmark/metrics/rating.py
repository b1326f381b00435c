"""Rating errors. They are micro: every rating weighs the same, so users are kept as sums and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Values

Counts: TypeAlias = NDArray[np.integer[Any]]


def error_sums(
    predicted: NDArray[Any], actual: NDArray[Any], rows: Counts, n_users: int
) -> tuple[Values, Values, Counts]:
    """Return each user's squared error, absolute error and number of ratings, three arrays (B,).

    Args:
        predicted: (N,) predicted rating of each held-out rating.
        actual: (N,) the rating given.
        rows: (N,) user of each, in 0..B-1.
        n_users: B.

    >>> sums = error_sums(np.array([3.0, 5.0]), np.array([4.0, 3.0]), np.array([0, 0]), n_users=1)
    >>> [part.tolist() for part in sums]
    [[5.0], [3.0], [2]]
    """
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    return (
        _sum_by(rows, error**2, n_users),
        _sum_by(rows, np.abs(error), n_users),
        np.bincount(rows, minlength=n_users),
    )


def mse(error_sum: Values, ratings: Counts) -> float:
    """Return the mean squared error over all ratings, from squared sums (U,) and counts (U,).

    nan without a rating. Herlocker et al. 2004, section 3.1.

    >>> mse(np.array([5.0, 1.0]), np.array([2, 1]))
    2.0
    """
    total = int(ratings.sum())
    return float(error_sum.sum()) / total if total else float("nan")


def rmse(error_sum: Values, ratings: Counts) -> float:
    """Return the square root of :func:`mse`.

    >>> rmse(np.array([7.0, 1.0]), np.array([1, 1]))
    2.0
    """
    return float(np.sqrt(mse(error_sum, ratings)))


def mae(error_sum: Values, ratings: Counts) -> float:
    """Return the mean absolute error over all ratings, from absolute sums (U,) and counts (U,).

    nan without a rating. Herlocker et al. 2004, section 3.1.

    >>> mae(np.array([3.0, 0.0]), np.array([2, 1]))
    1.0
    """
    return mse(error_sum, ratings)


BY_NAME: Mapping[str, Callable[[Values, Counts], float]] = {"rmse": rmse, "mae": mae, "mse": mse}
"""Rating metrics by name; "mae" wants absolute sums, the others squared ones."""


def _sum_by(rows: Counts, values: Values, n_users: int) -> Values:
    return np.bincount(rows, weights=values, minlength=n_users).astype(np.float64)
