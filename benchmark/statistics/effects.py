"""How large a difference is, and how small a one could have been seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from benchmark.errors import StatisticsError
from benchmark.protocol import Values
from benchmark.statistics.resample import finite


@dataclass(frozen=True)
class Effect:
    """Sizes of a paired difference.

    Attributes:
        difference: mean of A - mean of B.
        relative: difference / mean of B; nan where that is 0.
        d_z: difference / standard deviation of the per-user differences; nan where they are all equal.
        better: share of users better served by A.
        worse: share of users worse served by A; the rest are served alike.
    """

    difference: float
    relative: float
    d_z: float
    better: float
    worse: float


def effect(a: Values, b: Values) -> Effect:
    """Return the sizes of the difference between per-user values a and b, both (U,), higher is better.

    d_z after Cohen 1988, section 2.3.5 (paired).

    >>> effect(np.array([0.5, 0.25, 1.0]), np.array([0.25, 0.25, 0.5])).relative
    0.75
    """
    first, second = finite("effect size", a), finite("effect size", b)
    differences = first - second
    mean, base, sd = float(differences.mean()), float(second.mean()), float(differences.std(ddof=1))
    return Effect(
        difference=mean,
        relative=mean / base if base else float("nan"),
        d_z=mean / sd if sd > 0 else float("nan"),
        better=float(np.mean(differences > 0)),
        worse=float(np.mean(differences < 0)),
    )


def smallest_detectable(
    sd: float,
    n_users: int,
    alpha: float = 0.05,
    comparisons: int = 1,
    power: float = 0.8,
    *,
    seed_variance: float = 0.0,
) -> float:
    """Return the smallest true difference that a two-sided test would have called with this power.

    (z(1 - alpha / 2m) + z(power)) * sqrt(sd² / U + seed variance): Bonferroni's level, the first that
    Holm asks for. Cohen 1988, section 2.4. It looks at the spread alone, never at the observed difference.

    Args:
        sd: standard deviation of the per-user differences.
        n_users: U.
        alpha: level of the family.
        comparisons: m, tests in the family.
        power: wanted probability to call it.
        seed_variance: s²_A / S_A + s²_B / S_B where seeds count as chance.

    >>> round(smallest_detectable(0.2, 943), 4)
    0.0182
    """
    if n_users < 2 or comparisons < 1 or not 0 < alpha < 1 or not 0 < power < 1:
        raise StatisticsError(
            f"smallest detectable difference: {n_users} users, {comparisons} comparisons, alpha {alpha},"
            f" power {power}; at least 2 users, 1 comparison, and shares between 0 and 1 are needed."
        )
    quantiles = ndtri(1 - alpha / (2 * comparisons)) + ndtri(power)
    return float(quantiles * np.sqrt(sd**2 / n_users + seed_variance))
