"""What production allows: bounds on columns of the board."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.errors import PickError, did_you_mean
from benchmark.leaderboard import BoardRow
from benchmark.metrics.register import parse_metric

MEASURED = ("latency_ms_p50", "latency_ms_p95")
"""Columns whose value is a measurement with an interval of its own."""


@dataclass(frozen=True)
class Limit:
    """A bound on one column of the board.

    Attributes:
        column: its name in leaderboard.csv.
        bound: the least or the most that is allowed, itself included.
        at_most: whether it is the most.
    """

    column: str
    bound: float
    at_most: bool = True

    def __post_init__(self) -> None:
        """Refuse a bound that is not a finite number."""
        if not math.isfinite(self.bound):
            raise PickError(f"the limit on {self.column} is {self.bound}; it must be a finite number")

    def __str__(self) -> str:
        """Write the limit.

        >>> str(Limit("size_mb", 20))
        'size_mb ≤ 20'
        """
        return f"{self.column} {'≤' if self.at_most else '≥'} {self.bound:g}"

    def miss(self, row: BoardRow) -> str | None:
        """Return by how much a row misses the limit; None if it meets it."""
        value = row.as_dict().get(self.column)
        if not isinstance(value, int | float) or math.isnan(value):
            return f"{self.column} was not measured, so it cannot be shown to be within {self.bound:g}"
        excess = value - self.bound if self.at_most else self.bound - value
        if excess <= 0:
            return None
        side = "over" if self.at_most else "under"
        inside = "" if self.doubt(row) is None else ", which falls inside the interval of the measurement"
        return f"{self.column} is {value:.4g}, {excess:.3g} {side} the limit of {self.bound:g}{inside}"

    def doubt(self, row: BoardRow) -> str | None:
        """Return that the bound lies within the interval of what was measured; None if it does not."""
        content = row.as_dict()
        value, low, high = (content.get(f"{self.column}{end}") for end in ("", "_low", "_high"))
        ends = [one for one in (value, low, high) if isinstance(one, int | float) and not math.isnan(one)]
        if len(ends) < 3 or self.column not in MEASURED or not ends[1] <= self.bound <= ends[2]:
            return None
        interval = f"[{ends[1]:.3g}, {ends[2]:.3g}]"
        return (
            f"{self.column} is {ends[0]:.3g} {interval}: the limit of {self.bound:g} falls inside the "
            "interval, so whether it is met is not settled"
        )


def on_metric(name: str, bound: float, metrics: Sequence[str], *, at_most: bool) -> Limit:
    """Return a limit on a metric of the run.

    Args:
        name: of the metric.
        bound: its least or greatest value.
        metrics: metrics of the run.
        at_most: whether the bound is the greatest, for errors, or the least.

    Raises:
        PickError: the run did not measure the metric, or the bound is on its wrong side.

    >>> str(on_metric("coverage@10", 0.2, ["ndcg@10", "coverage@10"], at_most=False))
    'coverage@10 ≥ 0.2'
    """
    side, other = ("max", "min") if at_most else ("min", "max")
    if name not in metrics:
        raise PickError(
            f"{side} {name}={bound:g}: the run did not measure {name!r}{did_you_mean(name, metrics)}; "
            f"it has {', '.join(metrics)}"
        )
    if parse_metric(name).higher_is_better == at_most:
        better = "higher" if at_most else "lower"
        raise PickError(f"{side} {name}={bound:g}: {better} {name} is better; give {other} {name}={bound:g}")
    return Limit(name, bound, at_most)
