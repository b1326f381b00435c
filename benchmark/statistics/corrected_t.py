"""Comparisons over folds or repeated splits, whose training parts overlap: never a plain t test."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import finite


class CorrectedT(NamedTuple):
    """A corrected t: statistic, two-sided p, degrees of freedom, standard error."""

    statistic: float
    p: float
    df: int
    se: float


def nadeau_bengio(differences: Values, test_train_ratio: float) -> CorrectedT:
    """Return the corrected resampled t test of differences (F,) over folds or repeated splits.

    t = mean / sqrt((1 / F + test / train) s²) with F - 1 degrees of freedom: overlapping training parts are
    treated as a correlation of test / (test + train). Nadeau & Bengio 2003, section 3.

    Args:
        differences: one per fold or split.
        test_train_ratio: rows of test / rows of train in each: 1 / (k - 1) for k folds.

    Raises:
        StatisticsError: fewer than two folds, a nan, or a ratio that is not above 0.

    >>> round(nadeau_bengio(np.array([0.1, 0.2, 0.3]), 0.5).statistic, 4)
    2.1909
    """
    values = finite("corrected t", differences)
    se = float(np.sqrt(corrected_variance(values, test_train_ratio)))
    mean, df = float(values.mean()), len(values) - 1
    tiny = float(np.finfo(float).tiny)
    if se == 0.0:  # all folds agree: certain of a difference, or of none
        return CorrectedT(float(np.copysign(np.inf, mean)) if mean else 0.0, tiny if mean else 1.0, df, se)
    return CorrectedT(mean / se, max(float(2 * stats.t.sf(abs(mean) / se, df)), tiny), df, se)


def corrected_variance(differences: Values, test_train_ratio: float) -> float:
    """Return the variance of the mean of differences (F,), (1 / F + test / train) s².

    Nadeau & Bengio 2003, section 3.

    >>> corrected_variance(np.array([1.0, 3.0]), 0.5)
    2.0
    """
    if not test_train_ratio > 0:
        raise StatisticsError(
            f"corrected t: the ratio of test to train rows is {test_train_ratio}; it must be above 0."
        )
    return (1 / len(differences) + test_train_ratio) * float(np.var(differences, ddof=1))
