"""The pick: of the models that meet the limits and the rule, the cheapest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from benchmark.errors import PickError
from benchmark.leaderboard import BoardRow, RankedResults
from benchmark.leaderboard.margin import Loss, allowed_loss
from benchmark.selection.assessment import (
    LATENCY_STEP_MS,
    WON,
    Decision,
    ModelAssessment,
    PickOptions,
    PickOutcome,
    processors_text,
    shortfall,
)
from benchmark.selection.cautions import warnings_about
from benchmark.selection.named_model import asked_for, no_state


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


def exportable(results: RankedResults, model: str) -> str:
    """Return a model's name on the board, if it can be exported; nothing is compared with a reference.

    Raises:
        PickError: the board has no such model, or it has no result or no stored state.
    """
    options = PickOptions(to_export=True)
    return asked_for(results, model, [assess(results, options, row) for row in results.table.rows]).model


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
            misses.append(no_state(results, row.model))
    loss = Loss.from_row(row, results.table)
    if loss is None:
        is_good = True  # the reference itself
    elif options.rule == "non-inferiority":
        is_good = loss.shown
    else:
        p = row.p_vs_reference
        is_good = p is not None and not math.isnan(loss.loss) and not (loss.loss > 0 and p < results.alpha)
    doubts = [doubt for limit in options.limits if (doubt := limit.doubt(row)) is not None]
    return ModelAssessment(
        row, loss, tuple(misses), is_good, times_compare=results.times_compare, doubts=tuple(doubts)
    )


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
    return cheapest(good), "cheapest"


def cheapest(good: Sequence[ModelAssessment]) -> ModelAssessment:
    """Return the smallest, then the soonest trained, of the models that are as quick as the quickest."""
    quickest = min(good, key=lambda assessment: (assessment.cost, assessment.model))
    quick = [assessment for assessment in good if assessment.is_as_quick_as(quickest)]
    return min(quick, key=lambda assessment: (assessment.cost[1:], assessment.model))


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


def costlier(assessment: ModelAssessment, winner: ModelAssessment) -> str:
    """Return how a good model costs more than the winner."""
    (ms, size_mb, fit_s), (its_ms, its_size_mb, its_fit_s) = assessment.cost, winner.cost
    if ms > its_ms and not assessment.is_as_quick_as(winner):
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
