"""A model that is asked for by name, in place of the one that the rule picks."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.errors import PickError, did_you_mean
from benchmark.leaderboard import RankedResults
from benchmark.selection.assessment import ModelAssessment


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
    if not found.row.has_result:
        raise PickError(f"{results.table.dataset}: {found.model} has no result ({found.misses[0]})")
    if found.misses:
        raise PickError(f"{results.table.dataset}: {found.model}: {'; '.join(found.misses)}")
    return found


def no_state(results: RankedResults, model: str) -> str:
    """Return why a model that was trained here cannot be exported, and what to do where something helps."""
    run, scores = results.run_of(model), results.finals[model].test
    if scores is not None and scores.state_path is not None:
        return (
            f"no stored state, so no bundle can be exported: {run / scores.state_path} is gone; make it "
            f"anew: bench run {run / 'suite.yaml'} --fresh"
        )
    adapter = results.stored.studies[model].adapter
    return f"no stored state, so no bundle can be exported: {adapter} keeps none"
