"""How much worse than the reference each model may be: the bounds that the rule looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmark.leaderboard import DRAWS
from benchmark.leaderboard.evidence import Evidence
from benchmark.protocol import Array, Values
from benchmark.statistics.noninferiority import NonInferiority, noninferiority


@dataclass(frozen=True)
class Loss:
    """What is lost by taking a model in place of the reference, in units of the primary metric.

    Attributes:
        loss: how much worse its mean is; negative if it is better.
        bound: the most it can be, by the simultaneous one-sided bound.
        shown: whether that is below the margin.
    """

    loss: float
    bound: float
    shown: bool


def losses(known: Evidence) -> dict[str, Loss]:
    """Return the loss of every ranked model but the reference, all bounds holding together.

    The family is every model with a result, whatever the limits: so the bounds of a run never depend on
    what was asked of it. Where lower is better, "within the margin" means at most (1 + margin) times the
    reference; for RMSE the contributions are those of the MSE, and (1 + margin)² bounds them.
    """
    assert known.table.reference is not None
    reference = known.scores[known.table.reference]
    others = [model for model in known.scores if model != known.table.reference]
    if not others:
        return {}
    models = [known.scores[model] for model in others]
    fixed = [known.deterministic[model] for model in (known.table.reference, *others)]
    options = {"deterministic": fixed, "level": 1 - known.alpha, "draws": DRAWS, "seed": 0}
    if known.metric.higher_is_better:
        bounds = noninferiority(reference, models, known.margin, **options)  # type: ignore[arg-type]
        rows = zip(bounds.loss, bounds.bound, bounds.shown, strict=True)
    else:
        power = 2 if known.metric.base == "rmse" else 1
        scaled = -reference * (1 + known.margin) ** power / (1 - known.margin)
        bounds = noninferiority(scaled, [-rows for rows in models], known.margin, **options)  # type: ignore[arg-type]
        means = np.array([rows.mean() for rows in models])
        rows = zip(*_errors(bounds, float(reference.mean()), means, known.margin, power), strict=True)
    return {
        model: Loss(float(loss), float(bound), bool(shown))
        for model, (loss, bound, shown) in zip(others, rows, strict=True)
    }


def _errors(
    bounds: NonInferiority, reference: float, models: Values, margin: float, power: int
) -> tuple[Values, Values, Array]:
    """Return losses and bounds of an error metric from bounds on model - (1 + margin)^power * reference."""
    over = bounds.bound - bounds.margin
    highest = np.maximum((1 + margin) ** power * reference + over, 0.0)
    root = 1 / power
    return models**root - reference**root, highest**root - reference**root, bounds.shown


def allowed(known: Evidence) -> float:
    """Return the margin in units of the primary metric: its share of the reference's value."""
    assert known.table.reference is not None
    value = float(known.scores[known.table.reference].mean())
    return known.margin * (math.sqrt(value) if known.metric.base == "rmse" else value)
