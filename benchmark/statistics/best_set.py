"""Which models cannot be told from the best one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Values
from benchmark.statistics.permutation import joint_permutation
from benchmark.statistics.resample import Matrix, finite


def best_set(
    values: Matrix,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
    seed_variances: Values | None = None,
    seed_df: NDArray[Any] | None = None,
) -> NDArray[np.bool_]:
    """Return which of M models cannot be separated from the one with the highest mean, (M,) bool.

    A model is out if its adjusted p against the best, max-T over all pairs, is at most 1 - level.
    Since all pairs are paid for, it does not matter that the best was found on the same users; a model
    as good as the truly best is left out with probability at most 1 - level. Arguments as
    :func:`~benchmark.statistics.permutation.joint_permutation`; higher is better, so hand in errors negated.

    >>> users = np.random.default_rng(0).random(200)
    >>> best_set(np.stack([users, users + 0.001 * np.sin(np.arange(200)), users - 0.3])).tolist()
    [True, True, False]
    """
    rows = finite("best set", values, 1)
    if len(rows) == 1:
        return np.ones(1, dtype=np.bool_)
    adjusted = joint_permutation(rows, draws=draws, seed=seed, seed_variances=seed_variances, seed_df=seed_df)
    return ~separated(rows, adjusted, level=level)


def separated(values: Matrix, adjusted: Matrix, *, level: float = 0.95) -> NDArray[np.bool_]:
    """Return which of M models are told from the one with the highest mean, (M,) bool.

    Args:
        values: (M, U).
        adjusted: (M, M) p of all pairs, from :func:`~benchmark.statistics.permutation.joint_permutation`.
        level: 1 - level is the largest p that tells two models apart.

    >>> separated(np.array([[0.0], [1.0]]), np.array([[np.nan, 0.01], [0.01, np.nan]])).tolist()
    [True, False]
    """
    best = int(values.mean(axis=1).argmax())
    apart: NDArray[np.bool_] = adjusted[best] <= 1 - level + 1e-12
    return apart
