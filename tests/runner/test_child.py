"""One policy for every child: what an exit means, what is tried again, and when to give up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from records_made import closed_trial

from benchmark.errors import AdapterError, Interrupted
from benchmark.executors.executor import EndedBy, ExecutorLost, ExitReport, Limits
from benchmark.messages import Answer, Error, ErrorKind, Ready, Step
from benchmark.records import Ending, Outcome, TrialRecord
from benchmark.runner.child import ChildListener, RetryPolicy

POLICY = RetryPolicy()
LIMITS = Limits(10.0, 1000.0, 60.0)


def report(
    ended_by: EndedBy = "itself", *, done: bool = False, code: int = 0, memory_mb: float = 100.0
) -> ExitReport:
    return ExitReport(ended_by, done, code, lease_s=2.0, charged_s=1.0, memory_mb=memory_mb)


def fault(exit_report: ExitReport, error: Error | None = None) -> Ending | None:
    return POLICY.fault(exit_report, error, LIMITS, unexplained="crash")


def test_process_that_said_all_it_had_to_say_has_no_fault() -> None:
    assert fault(report(done=True)) is None


def test_end_of_a_hold_is_no_fault_for_there_may_be_a_result() -> None:
    assert fault(report("hold", code=-signal.SIGKILL)) is None


@pytest.mark.parametrize(
    ("exit_report", "ending"),
    [
        (report("stopped"), Ending("lost", "the run was stopped")),
        (report("not-ready"), Ending("machine", "it had not loaded its libraries and the data after 60 s")),
        (
            report("memory", memory_mb=1200.0),
            Ending("oom", "its processes took 1200 MB; budget.slot.memory allows 1000 MB"),
        ),
        (report(code=-signal.SIGKILL, memory_mb=950.0), Ending("oom", "killed from outside at 950 MB")),
        (report(code=-signal.SIGKILL), Ending("machine", "its process exited unexpectedly (exit code -9)")),
        (report(code=-signal.SIGSEGV), Ending("crash", "its process exited unexpectedly (exit code -11)")),
        (report(code=1), Ending("crash", "its process exited unexpectedly (exit code 1)")),
    ],
)
def test_fault_names_the_outcome_and_says_what_was_seen(exit_report: ExitReport, ending: Ending) -> None:
    assert fault(exit_report) == ending


def test_unexplained_exit_of_what_was_fitted_before_is_the_machines() -> None:
    found = POLICY.fault(report(code=-signal.SIGSEGV), None, LIMITS, unexplained="machine")
    assert found is not None
    assert found.outcome == "machine"


@pytest.mark.parametrize("kind", ["oom", "broken", "nan", "machine", "crash"])
def test_complaint_of_the_child_says_more_than_its_exit(kind: ErrorKind) -> None:
    assert fault(report(code=1), Error(kind, "what it said")) == Ending(kind, "what it said")


def test_listener_keeps_a_complaint_and_asks_for_no_step_beyond_the_first() -> None:
    listener = ChildListener()
    assert listener.hear(Ready(), 0.0) is None
    assert listener.hear(Step(1, 0.1, {}, 1.0), 0.2) == Answer(go=False)
    assert listener.hear(Error("crash", "x"), 0.3) is None
    assert listener.error == Error("crash", "x")


class Lender:
    """Lends numbers; remembers how many, and how often the loan ended badly."""

    def __init__(self) -> None:
        self.lent = self.broken = 0

    @contextmanager
    def __call__(self) -> Iterator[int]:
        self.lent += 1
        try:
            yield self.lent
        except ExecutorLost:
            self.broken += 1
            raise


def test_work_goes_on_with_a_new_executor_where_one_is_lost() -> None:
    lend = Lender()

    def work(number: int) -> str:
        if number == 1:
            raise ExecutorLost
        return f"done with {number}"

    assert POLICY.run(lend, work, threading.Event()) == "done with 2"
    assert (lend.lent, lend.broken) == (2, 1)


def test_work_is_given_up_where_the_second_executor_is_lost_too() -> None:
    def work(_: int) -> None:
        raise ExecutorLost

    with pytest.raises(AdapterError, match="ended unexpectedly, 2 times"):
        POLICY.run(Lender(), work, threading.Event())


def test_reason_why_an_executor_never_got_ready_is_passed_on() -> None:
    def work(_: int) -> None:
        raise AdapterError("torch: cannot be loaded")

    with pytest.raises(AdapterError, match="torch: cannot be loaded"):
        POLICY.run(Lender(), work, threading.Event())


def test_executor_lost_because_the_run_is_stopped_is_not_replaced() -> None:
    lend, stop = Lender(), threading.Event()

    def work(_: int) -> None:
        stop.set()
        raise ExecutorLost

    with pytest.raises(Interrupted):
        POLICY.run(lend, work, stop)
    assert lend.lent == 1


def trials(*outcomes: Outcome, value: float | None = None) -> list[TrialRecord]:
    return [
        closed_trial(trial=number, outcome=outcome, reason=f"reason {number}", value=value)
        for number, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("closed", "tuned", "reason"),
    [
        ([], True, None),
        (trials("crash", "oom"), True, None),
        (trials("crash", "oom", "nan"), True, "reason 2"),
        (trials("timeout", "crash", "crash", "crash"), True, "reason 3"),
        (trials("crash", "crash", "timeout"), True, None),
        (trials("crash"), False, "reason 0"),
        (trials("machine"), False, None),
        (trials("machine"), True, None),
        (trials("machine", "machine"), True, "reason 1"),
        (trials("machine", "crash", "machine"), True, "reason 2"),
        (trials("broken"), True, "reason 0"),
        (trials("complete", "crash", "crash", "crash", value=0.5), True, None),
        (trials("complete", value=0.5) + trials("broken"), True, "reason 0"),
    ],
)
def test_study_is_given_up_after_a_broken_adapter_or_failures_and_nothing_else(
    closed: list[TrialRecord], tuned: bool, reason: str | None
) -> None:
    assert POLICY.reason_to_abort(closed, tuned=tuned) == reason
