"""How much worse than the reference each model may be, and what is lost by taking it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.rows import BoardRow
from benchmark.leaderboard.table import DRAWS, Table
from benchmark.metrics.register import parse_metric
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
    higher = compared.primary.higher_is_better
    power = 2 if compared.primary.base == "rmse" else 1
    worst = (1 + margin) ** power
    # What is tested is model > (1 - margin) × reference. Of errors, with their signs turned and the
    # reference scaled, that says model < worst × reference.
    found = noninferiority(
        its if higher else -its * worst / (1 - margin),
        [compared.scores[model] if higher else -compared.scores[model] for model in others],
        margin,
        deterministic=[compared.is_fixed(model) for model in (reference, *others)],
        level=1 - compared.alpha,
        draws=DRAWS,
        seed=0,
    )
    over = (found.bound - found.margin) / level
    shares: Values = over + margin
    if not higher:  # a bound on model / reference - worst
        shares = np.maximum(worst + over, 0.0) ** (1 / power) - 1
    return dict(zip(others, map(float, shares), strict=True))


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

    @classmethod
    def from_row(cls, row: BoardRow, table: Table) -> Loss | None:
        """Return the loss of a model; None for the reference, and for models without a result.

        Made from ``diff_to_reference`` and ``margin_bound`` of the board alone, so that leaderboard.csv
        says all that a record says. A model without a bound (one user, or a reference of 0) is not shown to
        be good.
        """
        reference = table.reference_row
        if reference is None or not row.has_result or row.model == reference.model:
            return None
        difference, share = row.diff_to_reference, row.margin_bound
        sign = -1 if parse_metric(table.primary).higher_is_better else 1
        worse = math.nan if difference is None else sign * difference
        if share is None:
            return cls(worse, math.inf, shown=False)
        return cls(worse, share * reference.score, share < table.facts.margin)


def allowed_loss(table: Table) -> float:
    """Return the margin in units of the primary metric: its share of the reference's value.

    Raises:
        ValueError: the reference has no result.
    """
    if table.reference_row is None:
        raise ValueError(f"{table.reference} has no result on {table.dataset}")
    return table.facts.margin * table.reference_row.score
