"""Rating metrics. They are micro averages: every held-out rating weighs the same, whoever gave it."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.register import metric
from benchmark.protocol import Interactions, Longs, Values

Counts: TypeAlias = NDArray[np.integer[Any]]


class ErrorSums(NamedTuple):
    """Each user's sum of squared errors, sum of absolute errors and number of ratings, three arrays (B,)."""

    squared: Values
    absolute: Values
    ratings: Longs


def error_sums(predicted: NDArray[Any], actual: NDArray[Any], rows: Counts, n_users: int) -> ErrorSums:
    """Return what is kept of each user's errors.

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
    squared, absolute = (
        np.bincount(rows, weights=size, minlength=n_users).astype(np.float64)
        for size in (error**2, np.abs(error))
    )
    return ErrorSums(squared, absolute, np.bincount(rows, minlength=n_users))


@metric(
    "rmse",
    kind="rating",
    formula="square root of the mean squared error over all ratings (micro)",
    source="Herlocker et al. 2004, 3.1",
    higher_is_better=False,
    per_user=False,
    high=inf,
)
def rmse(squared_error: Values, ratings: Counts) -> float:
    """Return the square root of the mean squared error over all ratings, see :func:`mse`.

    nan without a rating. Herlocker et al. 2004, section 3.1.

    >>> rmse(np.array([7.0, 1.0]), np.array([1, 1]))
    2.0
    """
    return float(np.sqrt(_micro_mean(squared_error, ratings)))


@metric(
    "mae",
    kind="rating",
    formula="mean absolute error over all ratings (micro)",
    source="Herlocker et al. 2004, 3.1",
    higher_is_better=False,
    per_user=False,
    high=inf,
)
def mae(absolute_error: Values, ratings: Counts) -> float:
    """Return the mean absolute error over all ratings, from absolute sums (E,) and counts (E,).

    nan without a rating. Herlocker et al. 2004, section 3.1.

    >>> mae(np.array([3.0, 0.0]), np.array([2, 1]))
    1.0
    """
    return _micro_mean(absolute_error, ratings)


@metric(
    "mse",
    kind="rating",
    formula="mean squared error over all ratings (micro)",
    source="Herlocker et al. 2004, 3.1",
    higher_is_better=False,
    per_user=False,
    high=inf,
)
def mse(squared_error: Values, ratings: Counts) -> float:
    """Return the mean squared error over all ratings, from squared sums (E,) and counts (E,).

    nan without a rating. Herlocker et al. 2004, section 3.1.

    >>> mse(np.array([5.0, 1.0]), np.array([2, 1]))
    2.0
    """
    return _micro_mean(squared_error, ratings)


@metric(
    "r2",
    kind="rating",
    formula="1 - squared error / squared distance of the held-out ratings from their mean (micro)",
    source="Draper & Smith 1998",
    per_user=False,
    low=-inf,
)
def r2(predicted: Values, target: Interactions) -> float:
    """Return 1 - squared error / squared distance of the held-out ratings from their mean.

    nan for fewer than two different ratings. Draper & Smith 1998.

    >>> stars = np.array([1.0, 3.0, 5.0])
    >>> target = Interactions(*[stars] * 4, positive=stars >= 3, n_users=1, n_items=5)
    >>> r2(np.array([1.0, 3.0, 4.0]), target)
    0.875
    """
    actual = target.values.astype(np.float64)
    spread = float(((actual - actual.mean()) ** 2).sum()) if len(actual) else 0.0
    return 1.0 - float(((predicted - actual) ** 2).sum()) / spread if spread else float("nan")


@metric(
    "accuracy",
    kind="rating",
    formula="share of ratings predicted on their own side of the lowest rating that counts as a like (micro)",
    source="Herlocker et al. 2004, 3.2",
    per_user=False,
)
def accuracy(predicted: Values, target: Interactions, threshold: float) -> float:
    """Return the share of ratings predicted on their own side of ``threshold``, the lowest rating of a like.

    nan without a threshold. Herlocker et al. 2004, section 3.2.

    >>> stars = np.array([1.0, 3.0, 5.0, 4.0])
    >>> target = Interactions(*[stars] * 4, positive=stars >= 3, n_users=1, n_items=5)
    >>> accuracy(np.array([1.0, 3.0, 4.0, 2.0]), target, threshold=3.0)
    0.75
    """
    if not len(target) or np.isnan(threshold):
        return float("nan")
    return float(np.mean((predicted >= threshold) == target.positive))


@metric(
    "rocauc",
    kind="rating",
    formula="share of (like, other) pairs of held-out ratings predicted in the right order, "
    "ties half (micro)",
    source="Hanley & McNeil 1982",
    per_user=False,
)
def rocauc(predicted: Values, target: Interactions) -> float:
    """Return the share of (like, other) pairs of held-out ratings in the right order; a tie counts one half.

    nan where all or none are likes. Hanley & McNeil 1982, from the sum of the likes' mean ranks.

    >>> stars = np.array([1.0, 3.0, 5.0])
    >>> target = Interactions(*[stars] * 4, positive=stars >= 3, n_users=1, n_items=5)
    >>> rocauc(np.array([2.0, 2.0, 4.0]), target)
    0.75
    """
    from scipy.stats import rankdata

    likes = int(target.positive.sum())
    pairs = likes * (len(target) - likes)
    if not pairs:
        return float("nan")
    ranks = float(rankdata(predicted)[target.positive].sum())
    return (ranks - likes * (likes + 1) / 2) / pairs


@metric(
    "logloss",
    kind="rating",
    formula="mean of -ln of the probability given to what was true, like or not; the probability of a "
    "like is the predicted rating's place on the scale, 0 to 1, kept within 0.001 and 0.999 (micro)",
    source="Good 1952 (J. R. Stat. Soc. B 14)",
    higher_is_better=False,
    per_user=False,
    high=inf,
)
def logloss(predicted: Values, target: Interactions) -> float:
    """Return the mean of -ln of the probability given to what was true, like or not.

    A rating model states no probability. The prediction's position on the rating scale serves as one: 0 at
    the lowest rating, 1 at the highest, kept within 0.001 and 0.999 so that one confident mistake costs 6.9
    at most. nan without a scale, or where all or none are likes. Good 1952.

    >>> stars = np.array([1.0, 3.0, 5.0])
    >>> target = Interactions(*[stars] * 4, positive=stars >= 3, n_users=1, n_items=5, scale=(1, 5))
    >>> round(logloss(np.array([1.0, 3.0, 5.0]), target), 3)
    0.232
    """
    if target.scale is None or target.positive.all() or not target.positive.any():
        return float("nan")
    low, high = target.scale
    likely = np.clip((predicted - low) / (high - low), 0.001, 0.999)
    return float(-np.log(np.where(target.positive, likely, 1.0 - likely)).mean())


def _micro_mean(sums: Values, ratings: Counts) -> float:
    total = int(ratings.sum())
    return float(sums.sum()) / total if total else float("nan")
