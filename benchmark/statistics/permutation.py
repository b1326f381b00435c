"""Two-sided tests of paired differences, within a data set or over a few data sets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import Matrix, finite, p_value, sign_sums
from benchmark.statistics.seeds import drawn_seed_effects

_SLACK = 1e-10  # sums that differ by rounding alone are equal: a count must not depend on their order


class Result(NamedTuple):
    """A statistic and its two-sided p."""

    statistic: float
    p: float


def paired_permutation(differences: Values, *, draws: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p of "these per-user differences (U,) are as likely with the other sign".

    Sign flips of the mean; p = (count + 1) / (draws + 1), or count / 2^U over all flips where these
    are no more than ``draws``. It compares these trained models; :mod:`benchmark.statistics.seeds` compares
    what training would give again. Fisher 1935; Phipson & Smyth 2010.

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
    values = finite("Wilcoxon's test", differences, 1)
    zeros = np.flatnonzero(values == 0)
    kept = np.delete(values, zeros[:1]) if len(zeros) % 2 else values
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

    Zeros are ranked, but have no sign (Pratt 1959). Drawn flips, as in :func:`paired_permutation`,
    where there are more than ``draws``.

    >>> wilcoxon_exact(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    0.03125
    """
    values = finite("Wilcoxon's test", differences, 1)
    return paired_permutation(np.sign(values) * stats.rankdata(np.abs(values)), draws=draws, seed=seed)


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
        seed_variances: (M,) variance of each model's mean that comes from its seeds, 0 for deterministic
            models. Then an effect of that size is drawn with each flip, and its variance with it: a
            parametric bootstrap in place of the t quantile of :func:`~benchmark.statistics.seeds.seed_aware`.
        seed_df: (M,) its degrees of freedom, needed with ``seed_variances``.

    Raises:
        StatisticsError: fewer than two models, a nan, or one of the two arguments about seeds alone.
    """
    rows = finite("joint permutation", values, 1)
    if rows.ndim != 2 or len(rows) < 2:
        raise StatisticsError(
            f"joint permutation: values have shape {rows.shape}; at least 2 models are needed."
        )
    if (seed_variances is None) != (seed_df is None):
        raise StatisticsError("joint permutation: seed_variances and seed_df are needed together.")
    # The mean of every model in every draw. Only differences count, so what all models share is subtracted
    # first: it would only add rounding errors.
    sums, exact = sign_sums((rows - rows.mean(axis=0)).T, draws, seed)
    means = sums / rows.shape[1]
    # Each model's variance over seeds, as observed and as estimated in every draw.
    spread, drawn = np.zeros(len(rows)), np.zeros((1, len(rows)))
    if seed_variances is not None and seed_df is not None:
        effects, drawn = drawn_seed_effects(seed_variances, seed_df, len(sums), seed)
        means, spread, exact = means + effects, np.asarray(seed_variances), False
    # The standardised difference of every pair, as observed.
    i, j = np.triu_indices(len(rows), 1)
    user_variance = ((rows[i] - rows[j]) ** 2).sum(axis=1) / rows.shape[1] ** 2
    observed = np.abs(rows[i].mean(axis=1) - rows[j].mean(axis=1))
    observed = _ratio(observed, np.sqrt(user_variance + spread[i] + spread[j]))
    # The largest of all pairs in every draw, one pair after another: all at once would not fit in memory.
    largest = np.zeros(len(sums))
    for pair in range(len(i)):
        a, b = i[pair], j[pair]
        scale = np.sqrt(user_variance[pair] + drawn[:, a] + drawn[:, b])
        np.maximum(largest, _ratio(np.abs(means[:, a] - means[:, b]), scale), out=largest)
    # How many draws reach what was observed.
    reached = len(sums) - np.sort(largest).searchsorted(observed * (1 - _SLACK))
    adjusted = np.full((len(rows), len(rows)), np.nan)
    adjusted[i, j] = adjusted[j, i] = p_value(reached, len(sums), exact=exact)
    return adjusted


def _ratio(differences: Values, scale: Values) -> Values:
    """Return the differences by their scale; where that is 0 they are 0 themselves."""
    return differences / np.where(scale > 0, scale, 1.0)
