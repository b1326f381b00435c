"""When a trial is asked for no more steps, and where it is validated next: by made-up times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from records_made import opened_trial

from benchmark.budget import Policy
from benchmark.executors.executor import ExitReport, ProcessIdentity
from benchmark.ledger import Ledger
from benchmark.messages import Answer, Error, Step
from benchmark.protocol import Range
from benchmark.records import Ending, Spent, TrialOpened
from benchmark.runner import Silent
from benchmark.runner.trial_listener import VALIDATION_RESERVE, TrialListener
from benchmark.tuner import Journal, Tuner

ENDED = ExitReport(
    "itself", done=True, code=0, lease_s=9.00001, charged_s=8.00001, memory_mb=100.04, core_s=7.00001
)


@pytest.fixture
def listener(tmp_path: Path) -> TrialListener:
    """A trial that may hold 5 s."""
    tuner = Tuner(Journal(tmp_path / "journal"), "study", {"dim": Range(1, 8)}, [], seed=0, maximise=True)
    assert tuner.ask().number == 0
    return TrialListener(
        ledger=Ledger(tmp_path / "ledger.jsonl"),
        entry=opened_trial(),
        policy=Policy(5.0),
        primary="ndcg@5",
        maximise=True,
        tuner=tuner,
        watcher=Silent(),
    )


def hear(
    listener: TrialListener,
    step: int,
    value: float,
    *,
    fit_s: float,
    charged_s: float,
    passes: float | None = None,
) -> Answer:
    """Let it hear a validated step."""
    answer = listener.hear(
        Step(step, fit_s, {"ndcg@5": value, "recall@5": 2 * value}, passes or step), charged_s
    )
    assert isinstance(answer, Answer)
    return answer


def test_model_that_is_slow_to_score_is_validated_after_every_fifth_step(listener: TrialListener) -> None:
    """A step takes 1 ms, its validation 100 ms; the first of both says nothing."""
    answers = [
        hear(listener, 1, 0.1, fit_s=0.001, charged_s=0.4),
        hear(listener, 2, 0.2, fit_s=0.002, charged_s=0.501),
        hear(listener, 7, 0.3, fit_s=0.007, charged_s=0.606),
    ]
    assert [(answer.go, answer.steps) for answer in answers] == [(True, 1), (True, 5), (True, 5)]


def test_model_that_scores_as_fast_as_it_trains_is_validated_after_every_step(
    listener: TrialListener,
) -> None:
    answers = [hear(listener, n, 0.1 * n, fit_s=0.1 * n, charged_s=0.2 * n) for n in (1, 2, 3)]
    assert [(answer.go, answer.steps) for answer in answers] == [(True, 1)] * 3


def test_trial_stops_after_five_validated_steps_without_a_better_value(listener: TrialListener) -> None:
    values = (0.1, 0.5, 0.4, 0.5, 0.3, 0.2, 0.1)
    answers = [
        hear(listener, n, value, fit_s=0.1 * n, charged_s=0.2 * n) for n, value in enumerate(values, 1)
    ]
    assert [answer.go for answer in answers] == [True] * 6 + [False]
    assert (listener.stopped_by, listener.best_step, listener.value) == ("patience", 2, 0.5)


def test_trial_stops_where_the_hold_has_no_room_for_another_step(listener: TrialListener) -> None:
    """The hold is 5 s, its grace 1 s, a step with its validation takes 1 s."""
    answers = [
        hear(listener, n, 0.1 * n, fit_s=0.5 * n, charged_s=charged_s)
        for n, charged_s in enumerate((1.0, 2.0, 3.0, 4.0), 1)
    ]
    assert [answer.go for answer in answers] == [True, True, True, False]
    record = listener.record(listener.ending(ENDED), ENDED)
    assert (record.outcome, record.stopped_by, record.truncated) == ("complete", "hold", True)


def test_value_that_is_not_finite_ends_the_trial_with_a_complaint(listener: TrialListener) -> None:
    assert hear(listener, 1, float("nan"), fit_s=0.1, charged_s=0.2) == Answer(go=False)
    assert listener.error == Error("nan", "ndcg@5 on validation is not finite")
    assert listener.value is None


def test_record_has_the_best_step_and_every_value(listener: TrialListener) -> None:
    for number, value in ((1, 0.2), (2, 0.4), (3, 0.3)):
        hear(listener, number, value, fit_s=0.1 * number, charged_s=0.2 * number)
    record = listener.record(listener.ending(ENDED), ENDED)
    assert (record.value, record.best_step, record.at_best) == (0.4, 2, {"ndcg@5": 0.4, "recall@5": 0.8})
    assert record.steps == {1: 0.2, 2: 0.4, 3: 0.3}
    assert (record.first_step_s, record.fit_s) == (0.2, pytest.approx(0.3))
    assert (record.lease_s, record.charged_s, record.memory_mb) == (9.0, 8.0, 100.0)
    assert record.core_s == 7.0
    assert (record.outcome, record.reason, record.truncated) == ("complete", "finished", False)


def test_record_has_the_most_that_a_user_and_a_rated_pair_took_on_validation(listener: TrialListener) -> None:
    for number, (user_s, pair_s) in enumerate(((0.02, 1e-6), (0.01, 3e-6)), 1):
        listener.hear(
            Step(number, 0.1 * number, {"ndcg@5": 0.1}, float(number), user_s, pair_s), 0.2 * number
        )
    record = listener.record(listener.ending(ENDED), ENDED)
    assert (record.user_s, record.pair_s) == (0.02, 3e-6)


def test_trial_that_crashed_after_a_step_keeps_its_steps_and_has_no_value(listener: TrialListener) -> None:
    hear(listener, 1, 0.2, fit_s=0.1, charged_s=0.2)
    record = listener.record(Ending("crash", "ZeroDivisionError"), ENDED)
    assert (record.value, record.steps) == (None, {1: 0.2})


@pytest.mark.parametrize(("ended_by", "outcome"), [("hold", "timeout"), ("itself", "crash")])
def test_trial_without_a_step_ran_out_of_time_or_trained_nothing(
    listener: TrialListener, ended_by: str, outcome: str
) -> None:
    report = ExitReport(ended_by, done=False, code=0, lease_s=1.0, charged_s=1.0, memory_mb=1.0)
    assert listener.ending(report).outcome == outcome


def test_ledger_learns_the_process_the_clock_and_every_step(listener: TrialListener) -> None:
    listener.started(ProcessIdentity(77, 1234, "boot"))
    listener.tick(1.25, 0.75)
    hear(listener, 1, 0.2, fit_s=0.1, charged_s=1.0)
    (opened,) = listener.ledger.records(TrialOpened)
    assert (opened.pid, opened.start_ticks, opened.namespace) == (77, 1234, "boot")
    tick, step = listener.ledger.records(Spent)
    assert (tick.lease_s, tick.charged_s, tick.step) == (1.25, 0.75, None)
    assert (step.charged_s, step.step, step.value) == (1.0, 1, 0.2)


@pytest.fixture
def in_small_steps(listener: TrialListener) -> TrialListener:
    """The same trial, 16 steps of which are a pass."""
    listener.step_rows = 1000
    return listener


def test_small_steps_without_a_better_value_are_no_patience_before_five_passes(
    in_small_steps: TrialListener,
) -> None:
    stopped = []
    for number in range(1, 90):
        value, seconds = 0.1 if number > 1 else 0.5, 0.001 * number
        go = hear(in_small_steps, number, value, fit_s=seconds, charged_s=seconds, passes=number / 16).go
        stopped += [] if go else [number]
    assert (in_small_steps.stopped_by, stopped[0]) == ("patience", 1 + 5 * 16)


def test_five_passes_are_no_patience_before_five_validated_steps(in_small_steps: TrialListener) -> None:
    steps = (1, 100, 200, 300, 400, 500)
    values = [0.5, *5 * [0.1]]
    answers = [
        hear(in_small_steps, n, value, fit_s=0.001 * n, charged_s=0.001 * n, passes=n / 16)
        for n, value in zip(steps, values, strict=True)
    ]
    assert [answer.go for answer in answers] == [True] * 5 + [False]


def test_validation_of_small_steps_takes_a_quarter_of_the_time_at_most(in_small_steps: TrialListener) -> None:
    """A step takes 10 ms, its validation 40 ms: it is worth 12 steps, and the next power of two is 16."""
    step, charged_s, validated = 1, 0.0, []
    while len(validated) < 6:
        charged_s += 0.01 * (step - (validated[-1] if validated else 0)) + 0.04
        validated.append(step)
        answer = hear(
            in_small_steps,
            step,
            0.1 * len(validated),
            fit_s=0.01 * step,
            charged_s=charged_s,
            passes=step / 16,
        )
        step += answer.steps
    assert validated == [1, 2, 16, 32, 48, 64]


def test_small_steps_are_validated_within_five_passes_however_long_that_takes(
    in_small_steps: TrialListener,
) -> None:
    in_small_steps.entry = replace(in_small_steps.entry, hold_s=1000.0)
    hear(in_small_steps, 1, 0.1, fit_s=0.001, charged_s=10.0, passes=1 / 16)
    answer = hear(in_small_steps, 2, 0.2, fit_s=0.002, charged_s=20.0, passes=2 / 16)
    assert 2 + answer.steps == 128, "the power of two from five passes on"


def test_validation_of_small_steps_leaves_room_for_the_last(in_small_steps: TrialListener) -> None:
    """Of 4 s, less the grace, 0.6 s are left: four steps of 100 ms and a validation of 200 ms."""
    hear(in_small_steps, 1, 0.1, fit_s=0.1, charged_s=3.1, passes=1 / 16)
    answer = hear(in_small_steps, 2, 0.2, fit_s=0.2, charged_s=3.4, passes=2 / 16)
    assert (answer.go, answer.steps) == (True, 4)
    assert answer.within_s == pytest.approx(0.6 - VALIDATION_RESERVE * 0.2)


def test_trial_is_told_no_seconds_before_a_validation_was_timed(listener: TrialListener) -> None:
    assert hear(listener, 1, 0.1, fit_s=0.1, charged_s=0.3).within_s is None


def test_trial_that_is_late_is_validated_after_its_next_step(listener: TrialListener) -> None:
    listener.entry = replace(listener.entry, hold_s=4.0)
    hear(listener, 1, 0.1, fit_s=0.1, charged_s=0.5)
    assert hear(listener, 2, 0.2, fit_s=0.2, charged_s=2.9).within_s == 0.0


@pytest.mark.parametrize(("step", "stopped_by"), [(3, None), (4, "pruned")])
def test_small_steps_are_compared_with_the_median_from_the_fourth_on(
    in_small_steps: TrialListener, step: int, stopped_by: str | None
) -> None:
    in_small_steps.tuner = Hopeless()  # type: ignore[assignment]
    hear(in_small_steps, step, 0.1, fit_s=0.1, charged_s=0.2, passes=step / 16)
    assert in_small_steps.stopped_by == stopped_by


def test_record_has_the_passes_of_small_steps(in_small_steps: TrialListener) -> None:
    for number, value in ((1, 0.2), (2, 0.4), (8, 0.3)):
        hear(in_small_steps, number, value, fit_s=0.1, charged_s=0.2, passes=number / 16)
    record = in_small_steps.record(in_small_steps.ending(ENDED), ENDED)
    assert (record.step_rows, record.passes) == (1000, {1: 1 / 16, 2: 2 / 16, 8: 0.5})
    assert record.best_passes == 2 / 16


def test_record_of_whole_passes_has_as_many_passes_as_steps(listener: TrialListener) -> None:
    hear(listener, 3, 0.2, fit_s=0.1, charged_s=0.2)
    record = listener.record(listener.ending(ENDED), ENDED)
    assert (record.step_rows, record.passes, record.best_passes) == (None, {}, 3.0)


class Hopeless:
    """A tuner by whose median every trial is out of reach."""

    def report(self, number: int, step: int, value: float) -> bool:
        return True
