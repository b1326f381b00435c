"""Why a study has no result, and the seconds that would do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boards

from benchmark.budget import Policy
from benchmark.records import ProbeRecord, TrialRecord
from benchmark.runner.no_result import first_step_s, why_no_result

POLICY = Policy(10.0)


def trial(outcome: str, charged_s: float, reason: str = "") -> TrialRecord:
    return replace(boards.trial(0, None, outcome=outcome, charged_s=charged_s), reason=reason)


def probe(**seen: Any) -> ProbeRecord:
    return ProbeRecord(
        dataset="shop",
        model="a/b",
        study_key="k",
        entry="e",
        trial=0,
        config={},
        outcome="complete",
        reason="finished",
        charged_s=0.5,
        lease_s=0.5,
        **seen,
    )


def why(*trials: TrialRecord, seen: ProbeRecord | None = None, only: bool = False) -> str:
    return why_no_result(
        trials, seen, POLICY, judged=1000, only=only, ending="the remaining 2 s are too short"
    )


def test_first_look_says_how_many_seconds_would_do() -> None:
    seen = probe(start_s=1.0, pass_s=20.0, user_s=0.001)

    assert first_step_s(seen, 1000) == 22.0
    assert why(trial("timeout", 4.0), seen=seen) == (
        "no training step was finished and validated in 4.0 s; the first takes about 30s, so 60s would do "
        "(budget.per_model, or budget at the model's entry)"
    )


def test_steps_smaller_than_a_pass_are_what_counts() -> None:
    assert first_step_s(probe(start_s=1.0, pass_s=20.0, row_s=0.001, step_rows=3000, user_s=0.0), 5) == 4.0


def test_without_a_first_look_twice_the_budget_is_worth_a_try() -> None:
    assert "how long one takes is not known: try 20s" in why(trial("timeout", 4.0))


def test_only_trial_may_take_the_whole_budget() -> None:
    assert "so 30s would do" in why(trial("timeout", 9.0), seen=probe(pass_s=20.0, user_s=0.001), only=True)


def test_crash_is_no_want_of_budget() -> None:
    said = why(trial("timeout", 4.0), trial("crash", 0.3, "ZeroDivisionError: planted"))

    assert said == (
        "no trial ended with a value (1 timeout, 1 crash); the last of them: ZeroDivisionError: planted"
    )


def test_study_without_a_trial_says_why_none_was_started() -> None:
    assert why() == "no trial was started: the remaining 2 s are too short"
