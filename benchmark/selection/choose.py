"""The pick: of the models that meet the limits and the rule, the cheapest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from benchmark.errors import PickError, did_you_mean
from benchmark.leaderboard import BoardRow, RankedResults
from benchmark.leaderboard.formatting import p_value
from benchmark.leaderboard.history_notes import budget_notes
from benchmark.leaderboard.margin import Loss, allowed_loss
from benchmark.leaderboard.notes import sample_notes
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
    "named": "named by whoever asked, not chosen by the rule",
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
    """

    row: BoardRow
    loss: Loss | None
    misses: tuple[str, ...]
    is_good: bool
    reason: str = ""
    times_compare: bool = True

    @property
    def model(self) -> str:
        """Its name on the board."""
        return self.row.model

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


def pick(results: RankedResults, options: PickOptions | None = None) -> Decision:
    """Return the pick for one data set.

    Raises:
        PickError: the reference has no result, or no model meets the limits, or not the one that was asked
            for; says by how much each misses.
    """
    options = options or PickOptions()
    table = results.table
    refuse_latencies(results, options)
    if table.reference_row is None:
        raise PickError(
            f"{table.dataset}: the reference, {table.reference or 'the best on validation'}, has no test "
            "result, so nothing can be compared with it; finish the run, or leave that model out."
        )
    assessments = [assess(results, options, row) for row in table.rows]
    within = [assessment for assessment in assessments if not assessment.misses]
    if options.model is not None:
        named, by_rule = asked_for(results, options.model, assessments), choose(results, within)[0]
        return explained(results, options, assessments, named, "named", by_rule)
    if not within:
        lines = [f"\n  {assessment.model}: {'; '.join(assessment.misses)}" for assessment in assessments]
        raise PickError(f"{table.dataset}: no model meets the limits:{''.join(lines)}")
    winner, outcome = choose(results, within)
    if winner is None:
        raise PickError(
            f"{table.dataset}: no model that meets the limits was tuned here, and the lists made elsewhere "
            f"that meet them ({', '.join(one.model for one in within)}) are not shown to meet the rule"
        )
    return explained(results, options, assessments, winner, outcome)


def asked_for(results: RankedResults, model: str, assessments: Sequence[ModelAssessment]) -> ModelAssessment:
    """Return the model that was asked for, by its name on the board without regard to case.

    Raises:
        PickError: the board has no such model, or it misses the limits, or has no result or stored state.
    """
    names = [assessment.model for assessment in assessments]
    found = next((one for one in assessments if one.model.casefold() == model.casefold()), None)
    if found is None:
        hint = did_you_mean(model, names)
        raise PickError(
            f"{results.table.dataset}: the board has no model {model!r}{hint}; it has {', '.join(names)}"
        )
    if found.misses:
        raise PickError(f"{results.table.dataset}: {found.model}: {'; '.join(found.misses)}")
    return found


def explained(
    results: RankedResults,
    options: PickOptions,
    assessments: Sequence[ModelAssessment],
    winner: ModelAssessment,
    outcome: PickOutcome,
    by_rule: ModelAssessment | None = None,
) -> Decision:
    """Return the decision for a winner, with why it won and every other model lost."""
    told = tuple(
        replace(assessment, reason=reason(results, options, assessment, winner, outcome))
        for assessment in sorted(assessments, key=lambda assessment: assessment is not winner)
    )
    decision = Decision(
        results,
        options,
        outcome,
        allowed_loss(results.table),
        told,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        by_rule=None if by_rule is None else by_rule.model,
    )
    return replace(decision, warnings=tuple(warnings_about(decision)))


def refuse_latencies(results: RankedResults, options: PickOptions) -> None:
    """Check that a limit on latency compares what was measured on one kind of processor.

    Raises:
        PickError: it does not.
    """
    if not results.times_compare and any(limit.column.startswith("latency") for limit in options.limits):
        raise PickError(
            f"--max-latency-ms: the runs were made on different processors ({processors_text(results)}), so "
            "their latencies cannot be compared; leave the limit out, or pick from runs of one machine"
        )


def processors_text(results: RankedResults) -> str:
    """Return which run was made on which processor."""
    return ", ".join(f"{path}: {processor}" for path, processor in results.processors.items())


def assess(results: RankedResults, options: PickOptions, row: BoardRow) -> ModelAssessment:
    """Return what the limits and the rule say of a model, by its row of the board."""
    if not row.has_result:
        return ModelAssessment(row, None, (f"{row.status}: {row.reason}",), is_good=False)
    misses = [miss for limit in options.limits if (miss := limit.miss(row)) is not None]
    if options.device is not None and not row.tuned:
        misses.append(f"{row.reason}, so its device is not known")
    elif options.device is not None and row.device != options.device:
        misses.append(f"measured on {row.device}, not on {options.device}")
    if options.to_export and not row.tuned:
        misses.append(f"{row.reason}, so there is no model that could be exported")
    elif options.to_export:
        state = results.finals[row.model].test
        if (
            state is None
            or state.state_path is None
            or not (results.run_of(row.model) / state.state_path).is_file()
        ):
            misses.append("no stored state, so no bundle can be exported")
    loss = Loss.from_row(row, results.table)
    if loss is None:
        is_good = True  # the reference itself
    elif options.rule == "non-inferiority":
        is_good = loss.shown
    else:
        p = row.p_vs_reference
        is_good = p is not None and not math.isnan(loss.loss) and not (loss.loss > 0 and p < results.alpha)
    return ModelAssessment(row, loss, tuple(misses), is_good, times_compare=results.times_compare)


def choose(
    results: RankedResults, within: Sequence[ModelAssessment]
) -> tuple[ModelAssessment | None, PickOutcome]:
    """Return the winner among the models within the limits, and why it is the one.

    Lists made elsewhere win by the rule alone: whoever made them may have seen validation. None where
    nothing is left.
    """
    good = [assessment for assessment in within if assessment.is_good]
    if not good:
        sign = 1 if results.metric.higher_is_better else -1
        tuned = [assessment for assessment in within if assessment.row.tuned]
        best = max(tuned, key=lambda one: sign * valid_score(one.row), default=None)
        return best, "best within limits"
    if len(good) == 1 and good[0].model == results.table.reference:
        return good[0], "reference"
    return min(good, key=lambda assessment: (assessment.cost, assessment.model)), "cheapest"


def reason(
    results: RankedResults,
    options: PickOptions,
    assessment: ModelAssessment,
    winner: ModelAssessment,
    outcome: PickOutcome,
) -> str:
    """Return why a model won or lost."""
    if assessment is winner:
        return f"picked: {WON[outcome]}"
    if assessment.misses:
        return "; ".join(assessment.misses)
    if outcome == "best within limits":
        if not assessment.row.tuned:
            return f"{assessment.row.reason}, and not shown to meet the rule"
        mine, its = valid_score(assessment.row), valid_score(winner.row)
        return f"worse on validation: {results.table.primary} {mine:.4f} (winner: {its:.4f})"
    if not assessment.is_good:
        return shortfall(results, options, assessment)
    good = "within the margin" if options.rule == "non-inferiority" else "not significantly worse"
    but = "another model was asked for" if outcome == "named" else costlier(assessment, winner)
    return f"{good}, but {but}"


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


def costlier(assessment: ModelAssessment, winner: ModelAssessment) -> str:
    """Return how a good model costs more than the winner."""
    (ms, size_mb, fit_s), (its_ms, its_size_mb, its_fit_s) = assessment.cost, winner.cost
    if ms != its_ms:
        return f"slower: {latency_text(ms)} median latency (winner: {latency_text(its_ms)})"
    if size_mb != its_size_mb:
        return f"larger: {size_mb:.4g} MB (winner: {its_size_mb:.4g} MB)"
    if fit_s != its_fit_s:
        return f"slower to train: {fit_s:.4g} s (winner: {its_fit_s:.4g} s)"
    return "no cheaper; names decide between equals"


def latency_text(ms: float) -> str:
    """Return a latency in whole steps as text.

    >>> latency_text(0.1), latency_text(0.0)
    ('0.1 ms', 'under 0.05 ms')
    """
    return f"{ms:.4g} ms" if ms else f"under {LATENCY_STEP_MS / 2:g} ms"


def valid_score(row: BoardRow) -> float:
    """Return the value on validation of a model with a result."""
    assert row.valid is not None, f"{row.model} has no result"
    return row.valid


def warnings_about(decision: Decision) -> Iterator[str]:
    """Yield what anyone relying on a pick must know."""
    results, winner = decision.results, decision.assessments[0]
    table = results.table
    if len(results.runs) > 1:
        yield f"Models of several runs are compared: {results.where}."
    if not results.times_compare:
        yield (
            f"The runs were made on different processors ({processors_text(results)}): latency and seconds "
            "are not compared, size alone decides between models that are good enough."
        )
    if table.facts.split.synthetic:
        yield f"{table.dataset} is synthetic: the pick says nothing about real data."
    yield from (note.text for note in sample_notes(table.facts.split) if note.is_warning)
    yield from (note.text for note in budget_notes(results.stored, table.rows) if note.is_warning)
    if decision.options.rule == "not-significantly-worse":
        yield (
            "--rule not-significantly-worse rewards small data: the fewer users and seeds, the less is "
            "significant, and the worse a model may be and still pass."
        )
    if decision.outcome == "best within limits" and winner.loss is not None:
        yield (
            f"{decision.winner} is not shown to be non-inferior: its loss against {decision.reference}, "
            f"which misses the limits, could be as high as {winner.loss.bound:.4f} {table.primary}, above "
            f"the margin of {decision.allowed:.4f}."
        )
    if decision.outcome == "named":
        yield from named_warnings(decision)
    compared = [assessment for assessment in decision.assessments if assessment.loss is not None]
    nearest = min(compared, key=lambda one: one.loss.loss if one.loss else math.inf, default=None)
    detectable = None if nearest is None else nearest.row.smallest_detectable
    if decision.outcome == "reference" and nearest is not None and detectable is not None:
        yield (
            f"Smallest detectable difference (80% power, corrected) from {nearest.model}, the nearest other "
            f"model: {detectable:.4f} {table.primary}."
        )
    single = [row.model for row in table.ranked if row.seeds == 1 and not row.deterministic]
    if single:
        yield (
            f"One seed of a stochastic model ({', '.join(single)}): chance in training is not accounted for."
        )


def named_warnings(decision: Decision) -> Iterator[str]:
    """Yield what the rule says of a model that was asked for by name."""
    winner = decision.assessments[0]
    rule = "nothing" if decision.by_rule is None else decision.by_rule
    if decision.by_rule == winner.model:
        yield f"{winner.model} was asked for by name; the rule picks it too."
        return
    yield f"{winner.model} was asked for by name; the rule picks {rule}."
    if not winner.is_good:
        yield f"{winner.model}: {shortfall(decision.results, decision.options, winner)}."
