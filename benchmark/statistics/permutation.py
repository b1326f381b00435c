"""Tests of paired values within a data set or over a few data sets: two-sided, on differences."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import Matrix, finite, p_value, sign_sums

_SLACK = 1e-10  # sums that differ by rounding alone are equal: a count must not depend on their order


class Result(NamedTuple):
    """A statistic and its two-sided p."""

    statistic: float
    p: float


def paired_permutation(differences: Values, *, draws: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p of "these per-user differences (U,) are as likely with the other sign".

    Sign flips of the mean; p = (count + 1) / (draws + 1), or count / 2^U over all flips where these
    are no more than ``draws``. It judges these trained models: see ``seeds`` for the verdict. Fisher
    1935; Phipson & Smyth 2010.

    Raises:
        StatisticsError: no difference, or a nan.

    >>> paired_permutation(np.array([0.1, 0.2, 0.3, 0.2, 0.1]))
    0.0625
    """
    return float(paired_permutations(np.atleast_2d(differences), draws=draws, seed=seed)[0])


def paired_permutations(differences: Matrix, *, draws: int = 10_000, seed: int = 0) -> Values:
    """Return the p (C,) of each row of differences (C, U), uncorrected, one set of flips for all.

    >>> paired_permutations(np.array([[1.0, 1.0], [1.0, -1.0]])).tolist()
    [0.5, 1.0]
    """
    columns = finite("paired permutation", differences, 1).T
    sums, exact = sign_sums(columns, draws, seed)
    least = np.abs(columns.sum(axis=0)) - _SLACK * np.abs(columns).sum(axis=0)
    return p_value(np.count_nonzero(np.abs(sums) >= least, axis=0), len(sums), exact=exact)


def wilcoxon(differences: Values) -> Result:
    """Return z and p of Wilcoxon's signed-rank test by the normal approximation, as Demšar gives it.

    Zeros are ranked and split evenly between the signs, an odd one left out; no tie correction.
    Demšar 2006, section 3.1.3. It tests symmetry about 0, not the mean.

    >>> round(wilcoxon(np.arange(1.0, 11.0)).statistic, 4)
    -2.8031
    """
    kept = _even_zeros(finite("Wilcoxon's test", differences, 1))
    n = len(kept)
    if n == 0:
        return Result(0.0, 1.0)
    ranks = stats.rankdata(np.abs(kept))
    halves = ranks[kept == 0].sum() / 2
    least = min(ranks[kept > 0].sum() + halves, ranks[kept < 0].sum() + halves)
    z = (least - n * (n + 1) / 4) / np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return Result(float(z), float(2 * stats.norm.sf(abs(z))))


def wilcoxon_exact(differences: Values, *, draws: int = 1 << 16, seed: int = 0) -> float:
    """Return the p of Wilcoxon's signed-rank test over all flips of the signed ranks, ties included.

    Zeros are ranked, then carry no sign (Pratt 1959). Drawn flips, as in :func:`paired_permutation`,
    where there are more than ``draws``.

    >>> wilcoxon_exact(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    0.03125
    """
    values = finite("Wilcoxon's test", differences, 1)
    return paired_permutation(np.sign(values) * stats.rankdata(np.abs(values)), draws=draws, seed=seed)


def sign_test(differences: Values, *, zeros: Literal["split", "drop"] = "split") -> float:
    """Return the exact two-sided p of the sign test: wins against losses, binomial with one half.

    Zeros are split evenly, an odd one left out (Demšar 2006, section 3.1.4), or dropped.

    >>> sign_test(np.array([1.0, 1.0, 1.0, 0.0, 0.0]))
    0.375
    """
    values = finite("sign test", differences, 1)
    kept = _even_zeros(values) if zeros == "split" else values[values != 0]
    if len(kept) == 0:
        return 1.0
    wins = np.count_nonzero(kept > 0) + np.count_nonzero(kept == 0) // 2
    return float(stats.binomtest(int(wins), len(kept)).pvalue)


def joint_permutation(
    values: Matrix,
    *,
    draws: int = 10_000,
    seed: int = 0,
    seed_variances: Values | None = None,
    seed_df: NDArray[Any] | None = None,
) -> Matrix:
    """Return adjusted p (M, M) of all pairs of models, nan on the diagonal: joint sign flips, max-T.

    A user's sign is flipped for all pairs at once; each pair's mean difference is divided by its root
    mean square, which no flip changes, and compared with the largest over all pairs. Westfall & Young
    1993, section 2.3 (single step). With two models it is :func:`paired_permutation`.

    Args:
        values: (M, U) per user, means over seeds where there are several.
        draws: how many; all 2^U flips where these are fewer and no seeds are drawn.
        seed: of the draws.
        seed_variances: (M,) variance over seeds of each model's mean, divided by its seeds; 0 for
            deterministic models. Then a chance of that size is drawn with each flip, its own variance
            drawn with it: a parametric bootstrap of DESIGN's verdict, in place of its t quantile.
        seed_df: (M,) seeds - 1 of each model, needed with ``seed_variances``.
    """
    rows = finite("joint permutation", values, 1)
    if rows.ndim != 2 or len(rows) < 2:
        raise StatisticsError(
            f"joint permutation: values have shape {rows.shape}; at least 2 models are needed."
        )
    sums, exact = sign_sums((rows - rows.mean(axis=0)).T, draws, seed)
    noise, spread, drawn = _seed_noise(len(rows), len(sums), seed, seed_variances, seed_df)
    means = sums / rows.shape[1] + noise
    i, j = np.triu_indices(len(rows), 1)
    user_variance = ((rows[i] - rows[j]) ** 2).sum(axis=1) / rows.shape[1] ** 2
    observed = np.abs(rows[i].mean(axis=1) - rows[j].mean(axis=1))
    observed = _ratio(observed, np.sqrt(user_variance + spread[i] + spread[j]))
    largest = np.zeros(len(sums))
    for pair in range(len(i)):
        a, b = i[pair], j[pair]
        scale = np.sqrt(user_variance[pair] + drawn[:, a] + drawn[:, b])
        np.maximum(largest, _ratio(np.abs(means[:, a] - means[:, b]), scale), out=largest)
    reached = len(sums) - np.sort(largest).searchsorted(observed * (1 - _SLACK))
    adjusted = np.full((len(rows), len(rows)), np.nan)
    adjusted[i, j] = adjusted[j, i] = p_value(reached, len(sums), exact=exact and seed_variances is None)
    return adjusted


def _seed_noise(
    n_models: int, draws: int, seed: int, variances: Values | None, df: NDArray[Any] | None
) -> tuple[Matrix, Values, Matrix]:
    """Return drawn seed effects (draws, M), the variances (M,), and drawn estimates of them (draws, M)."""
    if variances is None or df is None:
        if variances is not df:
            raise StatisticsError("joint permutation: seed_variances and seed_df are needed together.")
        return np.zeros((1, n_models)), np.zeros(n_models), np.zeros((1, n_models))
    rng = np.random.default_rng([seed, 1])
    effects = rng.standard_normal((draws, n_models)) * np.sqrt(variances)
    freedom = np.maximum(df, 1)
    return effects, np.asarray(variances), variances * rng.chisquare(freedom, (draws, n_models)) / freedom


def _ratio(differences: Values, scale: Values) -> Values:
    return differences / np.where(scale > 0, scale, 1.0)


def _even_zeros(values: Values) -> Values:
    """Return the values without one zero if their zeros are odd in number."""
    zeros = np.flatnonzero(values == 0)
    return np.delete(values, zeros[:1]) if len(zeros) % 2 else values
