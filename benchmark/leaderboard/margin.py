"""How much worse than the reference each model may be: the bounds that a pick is made by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.table import DRAWS
from benchmark.protocol import Values
from benchmark.statistics.noninferiority import noninferiority


def margin_bounds(compared: Comparison, reference: str, margin: float) -> Mapping[str, float]:
    """Return the most that each other model may lose against the reference, as a share of its value.

    Simultaneous one-sided bounds at level 1 - alpha over all models with a result, users and seeds
    (:func:`~benchmark.statistics.noninferiority.noninferiority`): a model is shown to be within the margin
    where its bound is below it. The family never depends on what is asked of a pick. Where lower is better,
    the loss is model - reference; for RMSE the contributions are those of the MSE, and (1 + margin)² bounds
    them. A reference of 0 has no share: nothing is returned.
    """
    its = compared.scores[reference]
    others = [model for model in compared.models if model != reference]
    level = float(its.mean())
    if not others or not level > 0:
        return {}
    fixed = [compared.fixed(model) for model in (reference, *others)]
    higher = compared.primary.higher_is_better
    power = 2 if compared.primary.base == "rmse" else 1
    worst = (1 + margin) ** power
    found = noninferiority(
        its if higher else -its * worst / (1 - margin),
        [compared.scores[model] if higher else -compared.scores[model] for model in others],
        margin,
        deterministic=fixed,
        level=1 - compared.alpha,
        draws=DRAWS,
        seed=0,
    )
    over = found.bound - found.margin
    shares = over / level + margin if higher else _error_shares(over / level, worst, power)
    return dict(zip(others, map(float, shares), strict=True))


def _error_shares(over: Values, worst: float, power: int) -> Values:
    """Return bounds of an error's relative loss, given those on model / reference - worst."""
    shares: Values = np.maximum(worst + over, 0.0) ** (1 / power) - 1
    return shares
