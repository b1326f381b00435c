"""What anyone relying on a pick must know."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchmark.leaderboard.history_notes import budget_notes
from benchmark.leaderboard.notes import sample_notes
from benchmark.selection.assessment import Decision, processors_text, shortfall


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
    for assessment in decision.assessments:
        yield from (f"{assessment.model}: {doubt}." for doubt in assessment.doubts)
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
    """Yield what the rule says of a model that was asked for by name; nothing where it picks the same."""
    winner = decision.assessments[0]
    if decision.by_rule == winner.model:
        return
    yield f"{winner.model} was asked for by name; the rule picks {decision.by_rule or 'nothing'}."
    if not winner.is_good:
        yield f"{winner.model}: {shortfall(decision.results, decision.options, winner)}."
