"""When a trial is asked for no more steps, and where it is validated next: by made-up times."""

from __future__ import annotations

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
from benchmark.runner.trial_listener import TrialListener
from benchmark.tuner import Journal, Tuner

ENDED = ExitReport("itself", done=True, code=0, lease_s=9.00001, charged_s=8.00001, memory_mb=100.04)


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


def hear(listener: TrialListener, step: int, value: float, *, fit_s: float, charged_s: float) -> Answer:
    """Let it hear a validated step."""
    answer = listener.hear(Step(step, fit_s, {"ndcg@5": value, "recall@5": 2 * value}), charged_s)
    assert isinstance(answer, Answer)
    return answer


def test_model_that_is_slow_to_score_is_validated_after_every_fifth_step(listener: TrialListener) -> None:
    """A step takes 1 ms, its validation 100 ms; the first of both says nothing."""
    assert hear(listener, 1, 0.1, fit_s=0.001, charged_s=0.4) == Answer(go=True, steps=1)
    assert hear(listener, 2, 0.2, fit_s=0.002, charged_s=0.501) == Answer(go=True, steps=5)
    assert hear(listener, 7, 0.3, fit_s=0.007, charged_s=0.606) == Answer(go=True, steps=5)


def test_model_that_scores_as_fast_as_it_trains_is_validated_after_every_step(
    listener: TrialListener,
) -> None:
    answers = [hear(listener, n, 0.1 * n, fit_s=0.1 * n, charged_s=0.2 * n) for n in (1, 2, 3)]
    assert answers == [Answer(go=True, steps=1)] * 3


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
    assert (record.outcome, record.reason, record.truncated) == ("complete", "finished", False)


def test_record_has_the_most_that_a_user_and_a_rated_pair_took_on_validation(listener: TrialListener) -> None:
    for number, (user_s, pair_s) in enumerate(((0.02, 1e-6), (0.01, 3e-6)), 1):
        listener.hear(Step(number, 0.1 * number, {"ndcg@5": 0.1}, user_s, pair_s), 0.2 * number)
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
