"""What a pick makes of each model, and the decision that comes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmark.leaderboard import BoardRow, RankedResults
from benchmark.leaderboard.formatting import p_value
from benchmark.leaderboard.margin import Loss, allowed_loss
from benchmark.selection.limits import Limit

Rule: TypeAlias = Literal["non-inferiority", "not-significantly-worse"]
PickOutcome: TypeAlias = Literal["cheapest", "reference", "best within limits", "named"]

ORDER = ("latency_ms_p50", "size_mb", "fit_s")
"""What cheapest means: the first of these that differs decides."""
LATENCY_STEP_MS = 0.1
"""Latencies that round to the same tenth of a millisecond are no reason to choose."""
WON = {
    "cheapest": "the cheapest model that meets the limits and the rule",
    "reference": "the reference; no other model meets the limits and the rule",
    "best within limits": "the best on validation within the limits; not shown to meet the rule",
    "named": "named by hand",
}
"""Why a model was picked, by the outcome of the pick."""


@dataclass(frozen=True)
class PickOptions:
    """What is asked of a pick.

    Attributes:
        limits: bounds that the model must meet.
        device: where it must have been measured; anywhere if None.
        rule: what it takes to be good enough.
        to_export: whether a bundle is wanted, so that a model without a stored state cannot win.
        model: the model to take whatever the rule says; None to let it choose.
    """

    limits: tuple[Limit, ...] = ()
    device: str | None = None
    rule: Rule = "non-inferiority"
    to_export: bool = False
    model: str | None = None


@dataclass(frozen=True)
class ModelAssessment:
    """What a pick makes of one model.

    Attributes:
        row: its row of the board.
        loss: what is lost by taking it; None for the reference and for models without a result.
        misses: limits that it misses, a sentence each.
        is_good: whether it meets the rule.
        reason: why it won or lost.
        times_compare: whether latency and seconds were measured on one kind of processor; else size decides.
        doubts: limits that fall inside the interval of what was measured, a sentence each.
    """

    row: BoardRow
    loss: Loss | None
    misses: tuple[str, ...]
    is_good: bool
    reason: str = ""
    times_compare: bool = True
    doubts: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """Its name on the board."""
        return self.row.model

    def is_as_quick_as(self, other: ModelAssessment) -> bool:
        """Return whether latency is no reason to choose: in one step, or their medians' intervals meet."""
        if self.cost[0] == other.cost[0]:
            return True
        mine, its = self.row, other.row
        if None in {mine.latency_ms_p50_low, its.latency_ms_p50_high}:
            return False
        assert mine.latency_ms_p50_low is not None
        assert its.latency_ms_p50_high is not None
        return mine.latency_ms_p50_low <= its.latency_ms_p50_high

    @property
    def cost(self) -> tuple[float, float, float]:
        """What decides between good models, in the order of ``ORDER``; the latency in whole steps."""
        latency_ms, size_mb, fit_s = (
            math.inf if value is None else value
            for value in (self.row.latency_ms_p50, self.row.size_mb, self.row.fit_s)
        )
        if not self.times_compare:
            return 0.0, size_mb, 0.0
        if math.isfinite(latency_ms):
            latency_ms = round(latency_ms / LATENCY_STEP_MS) * LATENCY_STEP_MS
        return latency_ms, size_mb, fit_s


@dataclass(frozen=True)
class Decision:
    """A pick and everything that it is based on.

    Attributes:
        results: of the data set.
        options: what was asked.
        outcome: "cheapest" of those that meet limits and rule; "reference" where no other does; "best
            within limits", by validation score, where the reference misses the limits and nothing else is
            shown to be near it; "named" where a model was asked for.
        allowed: the margin in units of the primary metric.
        assessments: every model of the board, the winner first.
        warnings: what anyone relying on the pick must know.
        made: when, in ISO 8601.
        by_rule: what the rule picks, where a model was asked for; None where it picks nothing, or chose.
    """

    results: RankedResults
    options: PickOptions
    outcome: PickOutcome
    allowed: float
    assessments: tuple[ModelAssessment, ...]
    warnings: tuple[str, ...] = ()
    made: str = ""
    by_rule: str | None = None

    @property
    def winner(self) -> str:
        """The model picked."""
        return self.assessments[0].model

    @property
    def reference(self) -> str:
        """The model that the others are compared with, whether or not it meets the limits."""
        assert self.results.table.reference is not None
        return self.results.table.reference


def shortfall(results: RankedResults, options: PickOptions, assessment: ModelAssessment) -> str:
    """Return why a model does not meet the rule."""
    loss = assessment.loss
    assert loss is not None  # the reference always meets it
    if options.rule != "non-inferiority":
        return f"significantly worse: it loses {loss.loss:.4f}, p {p_value(assessment.row.p_vs_reference)}"
    if math.isinf(loss.bound):
        return "not shown to be non-inferior: its loss has no bound (too few users, or a reference of 0)"
    return (
        f"not shown to be non-inferior: its loss could be as high as {loss.bound:.4f}, above the margin of "
        f"{allowed_loss(results.table):.4f}"
    )


def processors_text(results: RankedResults) -> str:
    """Return which run was made on which processor."""
    return ", ".join(f"{path}: {processor}" for path, processor in results.processors.items())
