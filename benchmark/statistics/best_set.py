"""Which models cannot be told from the best one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.statistics.resample import Matrix


def separated(values: Matrix, adjusted: Matrix, *, level: float = 0.95) -> NDArray[np.bool_]:
    """Return which of M models are told from the one with the highest mean, (M,) bool.

    The others are the best set. Since ``adjusted`` pays for all pairs, it does not matter that the best was
    found on the same users: a model as good as the truly best is told from it with probability at most
    1 - level.

    Args:
        values: (M, U), higher is better, so hand in errors negated.
        adjusted: (M, M) p of all pairs, from :func:`~benchmark.statistics.permutation.joint_permutation`.
        level: 1 - level is the largest p that tells two models apart.

    >>> separated(np.array([[0.0], [1.0]]), np.array([[np.nan, 0.01], [0.01, np.nan]])).tolist()
    [True, False]
    """
    best = int(values.mean(axis=1).argmax())
    apart: NDArray[np.bool_] = adjusted[best] <= 1 - level + 1e-12
    return apart
