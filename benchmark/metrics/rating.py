"""Rating metrics. They are micro: every rating weighs the same.

Of errors, users are kept as sums and counts; the other metrics look at every predicted rating, (N,) in
the order of the held-out log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Interactions, Values

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


def least_like(logs: Sequence[Interactions]) -> float:
    """Return the lowest rating that counts as a like: the threshold of accuracy.

    nan where there is none: nothing is liked, everything is, or likes do not lie above all others.
    """
    values, likes = (np.concatenate([getattr(log, name) for log in logs]) for name in ("values", "positive"))
    if not likes.any() or likes.all() or values[likes].min() <= values[~likes].max():
        return float("nan")
    return float(values[likes].min())


def r2(predicted: Values, target: Interactions, _: float = 0.0) -> float:
    """Return 1 - squared error / squared distance of the held-out ratings from their mean.

    nan for fewer than two different ratings. Draper & Smith 1998.
    """
    actual = target.values.astype(np.float64)
    spread = float(((actual - actual.mean()) ** 2).sum()) if len(actual) else 0.0
    return 1.0 - float(((predicted - actual) ** 2).sum()) / spread if spread else float("nan")


def accuracy(predicted: Values, target: Interactions, least: float) -> float:
    """Return the share of ratings predicted on their own side of ``least``, see :func:`least_like`.

    nan without a threshold. Herlocker et al. 2004, section 3.2.
    """
    if not len(target) or np.isnan(least):
        return float("nan")
    return float(np.mean((predicted >= least) == target.positive))


def rocauc(predicted: Values, target: Interactions, _: float = 0.0) -> float:
    """Return the share of (like, other) pairs of held-out ratings in the right order, a tie one half.

    nan where all or none are likes. Hanley & McNeil 1982, by the sum of the likes' mean ranks.
    """
    from scipy.stats import rankdata

    likes = int(target.positive.sum())
    pairs = likes * (len(target) - likes)
    if not pairs:
        return float("nan")
    ranks = float(rankdata(predicted)[target.positive].sum())
    return (ranks - likes * (likes + 1) / 2) / pairs


def logloss(predicted: Values, target: Interactions, _: float = 0.0) -> float:
    """Return the mean of -ln of the probability given to what was true, like or not.

    A rating model names no probability. Taken for one is the place of its prediction on the rating scale,
    0 at the lowest and 1 at the highest, kept within .001 and .999 so that one sure mistake costs 6.9 at
    most. nan without a scale, or where all or none are likes. Good 1952.
    """
    if target.scale is None or target.positive.all() or not target.positive.any():
        return float("nan")
    low, high = target.scale
    likely = np.clip((predicted - low) / (high - low), 0.001, 0.999)
    return float(-np.log(np.where(target.positive, likely, 1.0 - likely)).mean())


OF_PREDICTIONS: Mapping[str, Callable[[Values, Interactions, float], float]] = {
    "r2": r2,
    "accuracy": accuracy,
    "rocauc": rocauc,
    "logloss": logloss,
}
"""Metrics of all predicted ratings by name; the third argument is :func:`least_like`."""


def _sum_by(rows: Counts, values: Values, n_users: int) -> Values:
    return np.bincount(rows, weights=values, minlength=n_users).astype(np.float64)
