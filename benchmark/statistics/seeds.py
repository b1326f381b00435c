"""Comparisons of models whose training is a second source of chance, beside the users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import Matrix, finite, resampled_sums


class MeanVariance(NamedTuple):
    """The variance of a mean that comes from one source of chance, s² / n, and its degrees of freedom."""

    variance: float
    df: int


@dataclass(frozen=True)
class Verdict:
    """What can be said of two models, their trainings included.

    Attributes:
        difference: mean of A minus mean of B.
        low: lower end of its interval.
        high: upper end.
        p: two-sided, never 0.
        se: standard error.
        df: Satterthwaite's degrees of freedom.
    """

    difference: float
    low: float
    high: float
    p: float
    se: float
    df: float


@dataclass(frozen=True)
class FirstPlaces:
    """How often each model came first when users and seeds were drawn again. Not a probability of being best.

    Attributes:
        share: (M,) of the draws, a tie shared.
        expected: (M,) the same if all means were equal, spread and correlations as observed.
    """

    share: Values
    expected: Values


def seed_variance(values: Matrix, *, deterministic: bool = False) -> MeanVariance:
    """Return the variance of a model's mean that comes from its seeds.

    Args:
        values: (S, U).
        deterministic: the seed changes nothing: variance 0, no degrees of freedom.

    Raises:
        StatisticsError: a stochastic model with one seed, or a deterministic one whose rows differ.

    >>> seed_variance(np.array([[0.25, 0.25], [0.75, 0.75]]))
    MeanVariance(variance=0.0625, df=1)
    """
    rows = np.atleast_2d(finite("seed variance", values, 1))
    if deterministic:
        if (rows != rows[0]).any():
            raise StatisticsError(
                f"a model declared deterministic gave different values in its {len(rows)} trainings;"
                " declare it stochastic."
            )
        return MeanVariance(0.0, 0)
    if len(rows) < 2:
        raise StatisticsError(
            "one training of a stochastic model says nothing about its seeds: train it with at least 2"
            " (5 is usual), or declare it deterministic if it is."
        )
    return MeanVariance(float(rows.mean(axis=1).var(ddof=1)) / len(rows), len(rows) - 1)


def drawn_seed_effects(variances: ArrayLike, df: ArrayLike, draws: int, seed: int) -> tuple[Matrix, Matrix]:
    """Return drawn effects of seeds on M means, and a drawn estimate of their variances, both (draws, M).

    A parametric bootstrap: an effect is normal with the variance observed, its estimate chi-squared about it.

    Args:
        variances: (M,) of each model's mean, as :func:`seed_variance`; 0 for deterministic models.
        df: (M,) its degrees of freedom.
        draws: how many.
        seed: of the draws; they are independent of the draws of users with the same seed.
    """
    rng = np.random.default_rng([seed, 1])
    observed, freedom = np.asarray(variances, dtype=np.float64), np.maximum(df, 1)
    effects = rng.standard_normal((draws, len(observed))) * np.sqrt(observed)
    return effects, observed * rng.chisquare(freedom, (draws, len(observed))) / freedom


def seed_aware(
    a: Matrix,
    b: Matrix,
    *,
    level: float = 0.95,
    deterministic_a: bool = False,
    deterministic_b: bool = False,
) -> Verdict:
    """Return the verdict on mean(a) - mean(b), users and seeds both counted as chance.

    Variance s²_users / U + s²_A / S_A + s²_B / S_B, where s²_users is of the per-user differences of
    means over seeds and s²_A of A's means over users; t with Satterthwaite's (1946) degrees of freedom.

    Args:
        a: (S_A, U), one row a training.
        b: (S_B, U), the same users in the same order.
        level: of the interval.
        deterministic_a: A's seed changes nothing, so it adds no variance.
        deterministic_b: likewise B.

    Raises:
        StatisticsError: as :func:`seed_variance`; fewer than two users; different numbers of users.

    >>> users = np.linspace(0, 1, 50)
    >>> seed_aware(np.stack([users, users + 0.02]), users[None, :], deterministic_b=True).p > 0.05
    True
    """
    first, second = (np.atleast_2d(finite("seed-aware verdict", rows)) for rows in (a, b))
    if first.shape[1] != second.shape[1]:
        raise StatisticsError(
            f"seed-aware verdict: {first.shape[1]} users against {second.shape[1]};"
            " both must have the same users."
        )
    per_user = first.mean(axis=0) - second.mean(axis=0)
    difference = float(per_user.mean())
    parts = [
        MeanVariance(float(per_user.var(ddof=1)) / len(per_user), len(per_user) - 1),
        seed_variance(first, deterministic=deterministic_a),
        seed_variance(second, deterministic=deterministic_b),
    ]
    variance = sum(part.variance for part in parts)
    tiny = float(np.finfo(float).tiny)
    if variance == 0.0:  # no user and no seed differs from another: the difference is certain
        p = 1.0 if difference == 0.0 else tiny
        return Verdict(difference, difference, difference, p, 0.0, float(parts[0].df))
    se = float(np.sqrt(variance))
    df = float(1.0 / sum((part.variance / variance) ** 2 / part.df for part in parts if part.variance > 0))
    reach = float(stats.t.ppf(0.5 + level / 2, df)) * se
    p = max(float(2 * stats.t.sf(abs(difference) / se, df)), tiny)
    return Verdict(difference, difference - reach, difference + reach, p, se, df)


def share_of_first_places(values: Sequence[Matrix], *, draws: int = 10_000, seed: int = 0) -> FirstPlaces:
    """Return how often each of M models has the highest mean when users and its seeds are drawn anew.

    Args:
        values: for each model (S, U), one row a training; S may differ between models. Higher is better.
        draws: how many.
        seed: of the draws.

    >>> users = np.linspace(0, 1, 50)
    >>> share_of_first_places([users[None, :] + 0.1, users[None, :]]).share.tolist()
    [1.0, 0.0]
    """
    models = [np.atleast_2d(finite("share of first places", rows)) for rows in values]
    if len({rows.shape[1] for rows in models}) != 1:
        raise StatisticsError("share of first places: every model must have the same users.")
    # The mean of every training over the users drawn, (draws, all trainings).
    trained = resampled_sums(np.concatenate(models).T, draws, seed) / models[0].shape[1]
    # The mean of every model over the trainings drawn among its own, (draws, M).
    rng = np.random.default_rng([seed, 1])
    means = np.empty((draws, len(models)))
    start = 0
    for m, rows in enumerate(models):
        n_seeds = len(rows)
        weights = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=draws) / n_seeds
        means[:, m] = (trained[:, start : start + n_seeds] * weights).sum(axis=1)
        start += n_seeds
    observed = np.array([rows.mean() for rows in models])
    return FirstPlaces(_shares_of_first(means), _shares_of_first(means - observed))


def _shares_of_first(means: Matrix) -> Values:
    """Return how often each column is the largest of its row, (M,); a tie is shared."""
    best = means.max(axis=1, keepdims=True)
    first = means >= best - 1e-12 * np.abs(best)
    share: Values = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    return share
