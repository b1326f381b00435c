"""Bootstrap intervals by resampling users. A single interval is unadjusted: a table of them must say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import Matrix, finite, resampled_sums

Method: TypeAlias = Literal["bca", "percentile"]


class Interval(NamedTuple):
    """Both ends of an interval."""

    low: float
    high: float


def bootstrap_interval(
    values: Values, *, level: float = 0.95, draws: int = 10_000, seed: int = 0, method: Method = "bca"
) -> Interval:
    """Return the interval of the mean of values (U,).

    Efron 1987 for "bca", Efron 1979 for "percentile". Values that are all equal give an interval of
    width 0.

    Raises:
        StatisticsError: fewer than two values, or a nan.

    >>> [round(end, 2) for end in bootstrap_interval(np.arange(100) / 100)]
    [0.44, 0.55]
    """
    low, high = bootstrap_intervals(values, level=level, draws=draws, seed=seed, method=method).T
    return Interval(float(low[0]), float(high[0]))


def bootstrap_intervals(
    values: Matrix, *, level: float = 0.95, draws: int = 10_000, seed: int = 0, method: Method = "bca"
) -> Matrix:
    """Return the intervals (M, 2) of the means of values (M, U), the same users drawn for all models.

    Each equals :func:`bootstrap_interval` of its row.

    >>> bootstrap_intervals(np.ones((2, 5))).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    rows = np.atleast_2d(finite("bootstrap interval", values))
    means = resampled_sums(rows.T, draws, seed) / rows.shape[1]
    return _ends(means, rows.mean(axis=1), influence_skew(rows), level, method)


def bootstrap_pair_intervals(
    values: Matrix, *, level: float = 0.95, draws: int = 10_000, seed: int = 0, method: Method = "bca"
) -> Matrix:
    """Return the intervals (M, M, 2) of mean(values[i]) - mean(values[j]) for all pairs of values (M, U).

    Unadjusted. Each equals :func:`bootstrap_interval` of the per-user differences.

    >>> bootstrap_pair_intervals(np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 3.0]]))[0, 1].round(9).tolist()
    [1.0, 1.0]
    """
    rows = finite("bootstrap interval", values)
    means = resampled_sums(rows.T, draws, seed) / rows.shape[1]
    ends = np.zeros((len(rows), len(rows), 2))
    for i in range(len(rows) - 1):
        others = slice(i + 1, None)
        differences = rows[i] - rows[others]
        skew = influence_skew(differences)
        pair = _ends(means[:, [i]] - means[:, others], differences.mean(axis=1), skew, level, method)
        ends[i, others], ends[others, i] = pair, -pair[:, ::-1]
    return ends


def bootstrap_ratio_interval(  # noqa: PLR0913 - the options of every interval, by keyword
    numerators: Values,
    denominators: Values,
    transform: Callable[[Values], Values] | None = None,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
    method: Method = "bca",
) -> Interval:
    """Return the interval of transform(sum of numerators / sum of denominators), users drawn.

    For micro averages: RMSE is sqrt(squared errors / ratings).

    Args:
        numerators: (U,) such as each user's sum of squared errors.
        denominators: (U,) such as each user's number of ratings; no user may hold them all.
        transform: of the ratio, elementwise, such as ``np.sqrt``; None for the ratio itself.
        level: of confidence.
        draws: how many.
        seed: of the draws.
        method: "bca" or "percentile".

    >>> bootstrap_ratio_interval(np.array([4.0, 8.0, 12.0]), np.array([1, 2, 3]), np.sqrt).low
    2.0
    """
    columns = finite("bootstrap interval of a ratio", np.stack([numerators, denominators])).T
    whole = columns.sum(axis=0)
    without = whole - columns
    if (without[:, 1] <= 0).any():
        raise StatisticsError(
            "bootstrap interval of a ratio: one user holds the whole denominator;"
            " at least two users must have one."
        )
    shape = transform or (lambda ratio: ratio)
    top, bottom = resampled_sums(columns, draws, seed).T
    drawn = shape(top[bottom > 0] / bottom[bottom > 0])
    pseudo = shape(without[:, 0] / without[:, 1])
    skew = influence_skew((pseudo.mean() - pseudo)[None, :])
    low, high = _ends(drawn[:, None], shape(whole[:1] / whole[1:]), skew, level, method)[0]
    return Interval(float(low), float(high))


def resampled_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    n_users: int,
    *,
    level: float = 0.95,
    draws: int = 1_000,
    seed: int = 0,
) -> Interval:
    """Return the value of a whole list set plus and minus a normal quantile of its spread over drawn users.

    For coverage and Gini: fewer distinct users show fewer distinct items, so drawn sets lie beside the
    observed value, not around it, and only their spread is used (Efron & Tibshirani 1993, 13.2).

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
    centre, reach = statistic(np.arange(n_users)), float(ndtri(0.5 + level / 2) * np.std(drawn, ddof=1))
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
    below = (np.count_nonzero(drawn < observed, axis=0) + np.count_nonzero(drawn <= observed, axis=0)) / 2
    bias = ndtri(np.clip(below / draws, 0.5 / draws, 1 - 0.5 / draws))
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


def _ends(drawn: Matrix, observed: Values, skew: Values, level: float, method: Method) -> Matrix:
    if method == "bca":
        return bca_ends(drawn, observed, skew, level)
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0).T
