"""Comparisons over several data sets, Demšar 2006. N counts independent families of data, not files.

``scores`` is (N, k): one row a family, one column a model, higher is better unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.holm import holm
from benchmark.statistics.permutation import wilcoxon_exact
from benchmark.statistics.resample import Matrix, finite

LEAST_FAMILIES = 6
"""With fewer the chi-squared approximation of the rank tests is unusable."""

FEW_FAMILIES = 10
"""With fewer it is poor (Demšar 2006, section 3.2.2), and results come with a caution."""


@dataclass(frozen=True)
class RankTest:
    """A test of "all models have the same mean rank".

    Attributes:
        statistic: chi-squared or F.
        p: its upper tail.
        caution: what a reader must know; "" where there are enough families.
    """

    statistic: float
    p: float
    caution: str = ""


def mean_ranks(scores: Matrix, *, higher_is_better: bool = True) -> Values:
    """Return each model's mean rank over the families, (k,); 1 is best, ties share the mean of their ranks.

    >>> mean_ranks(np.array([[0.9, 0.8, 0.8], [0.7, 0.9, 0.5]])).tolist()
    [1.5, 1.75, 2.75]
    """
    ranks: Values = _ranks(scores, higher_is_better=higher_is_better).mean(axis=0)
    return ranks


def friedman(scores: Matrix, *, higher_is_better: bool = True, tie_corrected: bool = False) -> RankTest:
    """Return Friedman's chi-squared test, k - 1 degrees of freedom.

    12 N / (k (k + 1)) * (sum of squared mean ranks - k (k + 1)² / 4), Demšar 2006, section 3.2.2;
    ``tie_corrected`` divides by 1 - sum(t³ - t) / (N k (k² - 1)) (Hollander & Wolfe 1973, 7.1).

    Raises:
        StatisticsError: fewer than 6 families, fewer than 3 models, a missing score, or a tie everywhere.

    >>> round(friedman(np.arange(24.0).reshape(6, 4)).statistic, 6)
    18.0
    """
    ranks = _ranks(scores, higher_is_better=higher_is_better)
    n, k = ranks.shape
    if n < LEAST_FAMILIES or k < 3:
        raise StatisticsError(
            f"Friedman's test: {n} independent families and {k} models; at least {LEAST_FAMILIES} families"
            " and 3 models are needed."
        )
    few = f"only {n} independent families: the approximation is poor under {FEW_FAMILIES}"
    statistic = 12 * n / (k * (k + 1)) * float((ranks.mean(axis=0) ** 2).sum() - k * (k + 1) ** 2 / 4)
    if tie_corrected:
        ties = sum(
            float((size**3 - size).sum()) for size in (np.unique(row, return_counts=True)[1] for row in ranks)
        )
        left = 1 - ties / (n * k * (k**2 - 1))
        if left <= 0:
            raise StatisticsError("Friedman's test: every family ties all models; there is nothing to test.")
        statistic /= left
    return RankTest(statistic, float(stats.chi2.sf(statistic, k - 1)), few if n < FEW_FAMILIES else "")


def iman_davenport(scores: Matrix, *, higher_is_better: bool = True) -> RankTest:
    """Return Iman & Davenport's F test, (N - 1) χ² / (N (k - 1) - χ²), k - 1 and (k - 1)(N - 1) df.

    Less conservative than Friedman's, whose χ² (without tie correction) it uses. Demšar 2006, section 3.2.2.
    Infinite, with the smallest positive p, where all families agree on one order.

    Raises:
        StatisticsError: as :func:`friedman`.

    >>> agreed = np.tile([1.0, 2.0, 3.0], (8, 1))
    >>> agreed[0] = [2.0, 1.0, 3.0]
    >>> round(iman_davenport(agreed).statistic, 3)
    57.0
    """
    chi2 = friedman(scores, higher_is_better=higher_is_better)
    n, k = np.shape(scores)
    remainder = n * (k - 1) - chi2.statistic  # 0 where all families agree
    statistic = (n - 1) * chi2.statistic / remainder if remainder > 1e-9 else float("inf")
    p = max(float(stats.f.sf(statistic, k - 1, (k - 1) * (n - 1))), float(np.finfo(float).tiny))
    return RankTest(statistic, p, chi2.caution)


def critical_difference(n_models: int, n_families: int, *, alpha: float = 0.05) -> float:
    """Return Nemenyi's critical difference of mean ranks: q * sqrt(k (k + 1) / (6 N)).

    q is the studentised range with infinite degrees of freedom over sqrt(2). Demšar 2006, section 3.2.2.

    Raises:
        StatisticsError: fewer than 6 families or 2 models.

    >>> round(critical_difference(4, 14), 6)
    1.253559
    """
    if n_families < LEAST_FAMILIES or n_models < 2:
        raise StatisticsError(
            f"critical difference: {n_families} families and {n_models} models;"
            f" at least {LEAST_FAMILIES} families and 2 models are needed."
        )
    q = float(stats.studentized_range.ppf(1 - alpha, n_models, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(n_models * (n_models + 1) / (6 * n_families)))


def compare_over_families(
    scores: Matrix, reference: int, *, alpha: float = 0.05, higher_is_better: bool = True
) -> Values:
    """Return Holm-adjusted p (k,) of exact Wilcoxon tests of all models against the reference (itself nan).

    Demšar 2006, sections 3.1.3 and 3.2.2. Refused where there are not enough data for it: the smallest
    two-sided p of N families, 2 / 2^N, must reach alpha / m with m = k - 1 models compared.

    Raises:
        StatisticsError: too few families, saying how many are needed; a missing (imputed scores are
            shown, never tested) or infinite score.

    >>> scores = np.column_stack([np.arange(8.0), np.arange(8.0) - 1])
    >>> compare_over_families(scores, reference=0).tolist()
    [nan, 0.0078125]
    """
    rows = finite("comparison over families", scores, 2)
    n, k = rows.shape
    needed = families_needed(k - 1, alpha=alpha)
    if n < needed:
        raise StatisticsError(
            f"comparison over families: {n} independent families cannot separate {k - 1} models from the"
            f" reference at {alpha:g}: the smallest p is {2 / 2**n:.3g}; at least {needed} are needed."
        )
    better = rows if higher_is_better else -rows
    p = [np.nan if m == reference else wilcoxon_exact(better[:, m] - better[:, reference]) for m in range(k)]
    return holm(np.array(p))


def families_needed(comparisons: int, *, alpha: float = 0.05) -> int:
    """Return the least number of families N with 2 / 2^N <= alpha / comparisons.

    >>> families_needed(1), families_needed(7)
    (6, 9)
    """
    return int(np.ceil(np.log2(2 * max(comparisons, 1) / alpha) - 1e-12))


def _ranks(scores: Matrix, *, higher_is_better: bool) -> Matrix:
    rows = finite("ranks over families", scores, 2)
    ranks: Matrix = stats.rankdata(-rows if higher_is_better else rows, axis=1)
    return ranks
