"""What is lost by taking each model in place of the reference, from the numbers on the board."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmark.leaderboard import Row
from benchmark.leaderboard.evidence import Evidence


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
    """Return the loss of every ranked model but the reference.

    Made from ``diff_to_reference`` and ``margin_bound`` of the board alone, so that leaderboard.csv says
    all that a record says. A model without a bound (one user, or a reference of 0) is not shown to be good.
    """
    value = reference_value(known)
    return {
        row["model"]: _loss(known, row, value)
        for row in known.table.ranked
        if row["model"] != known.table.reference
    }


def _loss(known: Evidence, row: Row, value: float) -> Loss:
    difference, share = row["diff_to_reference"], row["margin_bound"]
    worse = math.nan if difference is None else -difference if known.metric.higher_is_better else difference
    if share is None:
        return Loss(worse, math.inf, shown=False)
    return Loss(worse, share * value, share < known.margin)


def reference_value(known: Evidence) -> float:
    """Return the primary metric of the reference, as the board shows it."""
    row = next(row for row in known.table.ranked if row["model"] == known.table.reference)
    return float(row[known.table.primary])


def allowed(known: Evidence) -> float:
    """Return the margin in units of the primary metric: its share of the reference's value."""
    return known.margin * reference_value(known)
