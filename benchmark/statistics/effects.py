"""How large a difference is, and how small a one would have been detected."""

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
        better: share of users better served by A.
        worse: share of users worse served by A; the rest are served alike.
    """

    difference: float
    better: float
    worse: float


def effect(a: Values, b: Values) -> Effect:
    """Return the sizes of the difference between per-user values a and b, both (U,), higher is better.

    >>> effect(np.array([0.5, 0.25, 1.0]), np.array([0.25, 0.25, 0.5])).difference
    0.25
    """
    differences = finite("effect size", a) - finite("effect size", b)
    return Effect(
        difference=float(differences.mean()),
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
    """Return the smallest true difference that a two-sided test detects with this power.

    (z(1 - alpha / 2m) + z(power)) * sqrt(sd² / U + seed variance), at Bonferroni's level, the strictest of
    Holm's. Cohen 1988, section 2.4. It depends on the spread only, never on the observed difference.

    Args:
        sd: standard deviation of the per-user differences.
        n_users: U.
        alpha: level of the family.
        comparisons: m, tests in the family.
        power: probability of detecting it.
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
