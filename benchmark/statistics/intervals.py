"""Bootstrap intervals by resampling users. A single interval is unadjusted: a table of them must say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from benchmark.errors import StatisticsError
from benchmark.protocol import Longs, Values
from benchmark.statistics.resample import Matrix, finite, resampled_sums


class Interval(NamedTuple):
    """Both ends of an interval."""

    low: float
    high: float


def bootstrap_intervals(values: Matrix, *, level: float = 0.95, draws: int = 10_000, seed: int = 0) -> Matrix:
    """Return the BCa intervals (M, 2) of the means of values (M, U), the same users drawn for all models.

    Efron 1987. Values that are all equal give an interval of width 0.

    Raises:
        StatisticsError: fewer than two users, or a nan.

    >>> bootstrap_intervals(np.stack([np.ones(100), np.arange(100) / 100])).round(2).tolist()
    [[1.0, 1.0], [0.44, 0.55]]
    """
    rows = np.atleast_2d(finite("bootstrap interval", values))
    means = resampled_sums(rows.T, draws, seed) / rows.shape[1]
    return bca_ends(means, rows.mean(axis=1), influence_skew(rows), level)


def bootstrap_ratio_interval(
    numerators: Values,
    denominators: Values,
    transform: Callable[[Values], Values] | None = None,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return the BCa interval of transform(sum of numerators / sum of denominators), users drawn.

    For micro averages: RMSE is sqrt(squared errors / ratings).

    Args:
        numerators: (U,) such as each user's sum of squared errors.
        denominators: (U,) such as each user's number of ratings; no user may hold them all.
        transform: of the ratio, elementwise, such as ``np.sqrt``; None for the ratio itself.
        level: of confidence.
        draws: how many.
        seed: of the draws.

    >>> bootstrap_ratio_interval(np.array([4.0, 8.0, 12.0]), np.array([1, 2, 3]), np.sqrt).low
    2.0
    """
    columns = finite("bootstrap interval of a ratio", np.stack([numerators, denominators])).T
    whole = columns.sum(axis=0)
    without = whole - columns  # each user left out in turn
    if (without[:, 1] <= 0).any():
        raise StatisticsError(
            "bootstrap interval of a ratio: one user holds the whole denominator;"
            " at least two users must have one."
        )
    shape = transform or (lambda ratio: ratio)
    # Draws of users without any denominator have no ratio.
    top, bottom = resampled_sums(columns, draws, seed).T
    drawn = shape(top[bottom > 0] / bottom[bottom > 0])
    # A ratio is no mean, so its influence is the jackknife's: what changes as each user is left out.
    jackknife = shape(without[:, 0] / without[:, 1])
    skew = influence_skew((jackknife.mean() - jackknife)[None, :])
    low, high = bca_ends(drawn[:, None], shape(whole[:1] / whole[1:]), skew, level)[0]
    return Interval(float(low), float(high))


def resampled_interval(
    statistic: Callable[[Longs], float],
    n_users: int,
    *,
    level: float = 0.95,
    draws: int = 1_000,
    seed: int = 0,
) -> Interval:
    """Return the value over all users plus and minus a normal quantile of its spread over drawn users.

    For coverage and Gini: a draw has fewer distinct users, who show fewer distinct items, so drawn values
    lie beside the observed one and not around it: only their spread is used (Efron & Tibshirani 1993, 13.2).

    Args:
        statistic: value for an index array (U,) of users, repeats included.
        n_users: U.
        level: of confidence.
        draws: how many.
        seed: of the draws.

    >>> from benchmark.metrics.coverage import coverage
    >>> lists = np.arange(20).reshape(10, 2)
    >>> resampled_interval(lambda users: coverage(lists[users], 25), 10).low < 0.8
    True
    """
    rng = np.random.default_rng(seed)
    drawn = [statistic(rng.integers(0, n_users, n_users)) for _ in range(draws)]
    centre = statistic(np.arange(n_users))
    reach = float(ndtri(0.5 + level / 2) * np.std(drawn, ddof=1))
    return Interval(centre - reach, centre + reach)


def bca_ends(drawn: Matrix, observed: Values, skew: Values, level: float) -> Matrix:
    """Return the bias-corrected and accelerated ends (C, 2) of statistics drawn again.

    Efron 1987; Efron & Tibshirani 1993, equations 14.9 to 14.15.

    Args:
        drawn: (draws, C).
        observed: (C,).
        skew: (C,) acceleration, see :func:`influence_skew`.
        level: of confidence, two-sided.
    """
    draws = len(drawn)
    # The bias: how far the share of draws below the observed value, ties one half, is from one half.
    below = (np.count_nonzero(drawn < observed, axis=0) + np.count_nonzero(drawn <= observed, axis=0)) / 2
    bias = ndtri(np.clip(below / draws, 0.5 / draws, 1 - 0.5 / draws))
    # Each end is the quantile of the draws at a corrected share.
    ends = []
    for z in ndtri([(1 - level) / 2, (1 + level) / 2]):
        shares = ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
        ends.append([np.quantile(column, share) for column, share in zip(drawn.T, shares, strict=True)])
    return np.array(ends).T


def influence_skew(values: Matrix) -> Values:
    """Return the acceleration (C,) of the means of values (C, U): a sixth of the skewness of the influence.

    Efron & Tibshirani 1993, equation 14.15; for a mean the jackknife's differences are the centred
    values. 0 where all values are equal.

    >>> influence_skew(np.array([[0.0, 0.0, 3.0], [1.0, 1.0, 1.0]])).round(4).tolist()
    [0.068, 0.0]
    """
    centred = values - values.mean(axis=1, keepdims=True)
    squares = (centred**2).sum(axis=1)
    flat = np.sqrt(squares) <= 1e-12 * np.abs(values).max(axis=1, initial=0.0) * values.shape[1]
    return np.where(flat, 0.0, (centred**3).sum(axis=1) / (6 * np.where(flat, 1.0, squares) ** 1.5))
