"""How unevenly something is distributed."""

from __future__ import annotations

import numpy as np

from benchmark.protocol import Longs


def gini(counts: Longs) -> float:
    """Return the Gini coefficient of counts (n,), divided by n - 1: 0 if all are equal, 1 if one has all.

    nan if all counts are 0 or there is one alone. Castells, Hurley & Vargas 2015 (Recommender Systems
    Handbook), section 26.3.

    >>> gini(np.array([3, 3, 3])), gini(np.array([0, 0, 5]))
    (0.0, 1.0)
    """
    n, total = len(counts), int(counts.sum())
    if total == 0 or n < 2:
        return float("nan")
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ np.sort(counts)) / ((n - 1) * total)
