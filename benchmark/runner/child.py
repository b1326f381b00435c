"""One life of a child process: launched, heard, classified, closed, and tried again where that helps.

The same for a trial, a final, a probe and a dry run.
"""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from benchmark.errors import AdapterError, Interrupted
from benchmark.executors.executor import ExecutorLost, ExitReport, Limits, ProcessIdentity
from benchmark.ledger import Ledger
from benchmark.messages import Answer, Error, Message, Step
from benchmark.records import (
    LOST,
    MACHINE,
    Cost,
    Ending,
    FinalOpened,
    Outcome,
    ProbeOpened,
    Spent,
    TrialOpened,
    TrialRecord,
)

Lent = TypeVar("Lent")
Result = TypeVar("Result")
Entry = TypeVar("Entry", TrialOpened, FinalOpened, ProbeOpened)

FAILED: frozenset[Outcome] = frozenset({"crash", "oom", "nan", MACHINE})


@dataclass(frozen=True)
class RetryPolicy:
    """What is tried again, how often, and when to give up.

    Attributes:
        executors: executors that a study, its finals or a dry run may use up; one that is lost, or never
            gets ready, is replaced.
        finals: attempts at a final that the machine ended, or that took too long: its configuration has been
            fitted before in a third of its limit, so most likely something else held the machine.
        refunds: faults of the machine that a study gets back; further ones are put down to the model.
        failures: failed trials in a row, and nothing else before, after which a study is given up.
        nearly_all: share of the slot's memory from which on a process killed from outside ran out of it.
    """

    executors: int = 2
    finals: int = 2
    refunds: int = 2
    failures: int = 3
    nearly_all: float = 0.9

    def run(
        self,
        lend: Callable[[], AbstractContextManager[Lent]],
        work: Callable[[Lent], Result],
        stop: threading.Event,
    ) -> Result:
        """Return what work with a lent executor gives; if that is lost, work with a new one.

        Args:
            lend: lends it.
            work: what to do with it; goes on where an earlier attempt stopped.
            stop: set by whoever wants everything to end.

        Raises:
            AdapterError: the last one was lost as well, or did not get ready.
            Interrupted: the run was stopped.
        """
        problem = ""
        for _ in range(self.executors):
            try:
                with lend() as lent:
                    return work(lent)
            except (AdapterError, ExecutorLost) as error:
                if stop.is_set():
                    raise Interrupted from error
                problem = str(error)
        raise AdapterError(
            problem or f"the process that starts its trials ended unexpectedly, {self.executors} times"
        )

    def fault(  # noqa: PLR0911 - a line for each outcome
        self, report: ExitReport, error: Error | None, limits: Limits, *, unexplained: Outcome
    ) -> Ending | None:
        """Return why a process did not do what it was asked; None if it did, or time ended it.

        Args:
            report: how it ended.
            error: why it gave up, if it said so.
            limits: what it could use.
            unexplained: outcome where it exited by itself without a message.
        """
        match report.ended_by:
            case "stopped":
                return Ending(LOST, "the run was stopped")
            case "not-ready":
                late = f"it had not loaded its libraries and the data after {limits.ready_s:.0f} s"
                return Ending(MACHINE, late)
        if error is not None:
            return Ending(error.kind, error.message)
        if report.ended_by == "memory":
            took = f"its processes took {report.memory_mb:.0f} MB"
            return Ending("oom", f"{took}; budget.slot.memory allows {limits.memory_mb:.0f} MB")
        if report.done or report.ended_by in {"hold", "scoring"}:
            return None
        killed = report.code == -signal.SIGKILL
        if killed and report.memory_mb > self.nearly_all * limits.memory_mb:
            return Ending("oom", f"killed from outside at {report.memory_mb:.0f} MB")
        outcome = MACHINE if killed else unexplained
        return Ending(outcome, f"its process exited unexpectedly (exit code {report.code})")

    def reason_to_abort(self, trials: Sequence[TrialRecord], *, tuned: bool) -> str | None:
        """Return why a study should not go on; None if it should.

        Args:
            trials: its closed trials, without lost ones.
            tuned: whether it has a space; if not, one failure is enough.
        """
        if broken := [trial for trial in trials if trial.outcome == "broken"]:
            return broken[0].reason
        if any(trial.value is not None for trial in trials):
            return None
        failed = list(itertools.takewhile(lambda trial: trial.outcome in FAILED, reversed(trials)))
        faults = sum(trial.outcome == MACHINE for trial in failed)
        enough = len(failed) - faults >= (self.failures if tuned else 1) or faults > 1
        return failed[0].reason if enough else None


@dataclass(kw_only=True)
class ChildListener:
    """Hears one child: keeps its complaint and asks for no step beyond the first; writes nothing down."""

    error: Error | None = None

    def started(self, process: ProcessIdentity) -> None:
        """Take note that the process exists."""

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Take a message; answer a step."""
        match message:
            case Error():
                self.error = message
            case Step():
                return self.step(message, charged_s)
        return None

    def step(self, step: Step, charged_s: float) -> Answer:
        """Take a validated step; answer whether to go on, and how far."""
        del step, charged_s
        return Answer(go=False)

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Take note of what has been spent."""


@dataclass(kw_only=True)
class EntryListener(ChildListener, Generic[Entry]):
    """Hears a child that has an entry in the ledger: its start, what it spends, and how it ended.

    Attributes:
        ledger: of the run.
        entry: the opening line, which learns its process when that starts.
    """

    ledger: Ledger
    entry: Entry

    def started(self, process: ProcessIdentity) -> None:
        """Open the entry: write down how to find the process again."""
        self.entry = replace(
            self.entry, pid=process.pid, start_ticks=process.start_ticks, namespace=process.namespace
        )
        self.ledger.append(self.entry)

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Write the spending down."""
        spent = Spent(entry=self.entry.entry, lease_s=round(lease_s, 3), charged_s=round(charged_s, 3))
        self.ledger.append(spent)


def cost(report: ExitReport) -> Cost:
    """Return what a process cost, as the ledger has it."""
    return Cost(
        lease_s=round(report.lease_s, 4),
        charged_s=round(report.charged_s, 4),
        memory_mb=round(report.memory_mb, 1),
        core_s=round(report.core_s, 3),
    )
