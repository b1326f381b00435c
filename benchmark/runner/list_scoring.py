"""Scoring lists that are there already, made elsewhere or stored by a final: a scorer, and no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from benchmark.errors import AdapterError, Interrupted, RunError
from benchmark.executors.executor import Executor, ExecutorLost, ExitReport, Limits
from benchmark.executors.slots import Slot
from benchmark.ledger import Ledger
from benchmark.lists_request import ListsRequest, StoredListsRequest
from benchmark.messages import Error, Message, Scored
from benchmark.records import (
    LOST,
    MACHINE,
    Cost,
    Ending,
    FinalOpened,
    FinalRecord,
    TestCounts,
    TestOpened,
    TestScores,
    from_json,
)
from benchmark.results import RunDirectory
from benchmark.runner.child import ChildListener, RetryPolicy
from benchmark.runner.final_limits import SCORER_S
from benchmark.runner.fork_servers import ForkServers

HOLD_S = 10 * SCORER_S
"""The most seconds for scoring lists: there is no validation to learn it from."""


@dataclass(kw_only=True)
class ScorerListener(ChildListener):
    """Hears the scorer of a final, or of lists; what it spends is charged to nobody."""

    scored: Scored | None = None

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Keep what was found."""
        if isinstance(message, Scored):
            self.scored = message
        return super().hear(message, charged_s)


class ScoredLists(NamedTuple):
    """How a scorer of lists ended: what it cost, what it found, and why it gave up, if it did."""

    ending: Ending
    cost: Cost
    scored: Scored | None = None
    error: Error | None = None


@dataclass(frozen=True)
class ListScoring:
    """Opens test for lists, has a scorer measure them, and writes down how that ended.

    Attributes:
        run_dir: where results are stored.
        ledger: of the run.
        servers: lend the scorer.
        retries: what a process that ended early means.
    """

    run_dir: RunDirectory
    ledger: Ledger
    servers: ForkServers
    retries: RetryPolicy

    def open_test(
        self,
        opened: FinalOpened,
        split: str,
        request: ListsRequest | StoredListsRequest,
        slot: Slot,
    ) -> ScoredLists:
        """Write down that test is opened for lists; return how scoring them ended.

        Args:
            opened: the opening line.
            split: hash of the split whose test it is.
            request: what the scorer must know.
            slot: where it runs.

        Raises:
            Interrupted: the run was stopped before it began.
        """
        self.ledger.append(opened)
        self.ledger.append(TestOpened(entry=opened.entry, split=split))
        listener, limits = ScorerListener(), Limits(HOLD_S, slot.memory_mb, self.servers.ready_s)
        try:
            report = self.run(request, limits, listener, slot)
        except (AdapterError, ExecutorLost) as error:
            self.servers.drop_scorer(slot)
            if self.servers.stop.is_set():
                raise Interrupted from error
            return ScoredLists(Ending(MACHINE, str(error)), Cost())
        spent = Cost(lease_s=round(report.lease_s, 4), memory_mb=round(report.memory_mb, 1))
        return ScoredLists(self.ending(report, listener, limits), spent, listener.scored, listener.error)

    def run(
        self,
        request: ListsRequest | StoredListsRequest,
        limits: Limits,
        listener: ScorerListener,
        slot: Slot,
    ) -> ExitReport:
        """Return how the scorer ended.

        Raises:
            AdapterError: it did not get ready.
            ExecutorLost: it is gone.
        """
        scorer: Executor = self.servers.scorer(slot)
        function = "run_lists" if isinstance(request, ListsRequest) else "run_stored_lists"
        scoring = scorer.start(f"benchmark.scorer:{function}", request, limits, listener)
        try:
            return scoring.wait()
        finally:
            scoring.close()

    def ending(self, report: ExitReport, listener: ScorerListener, limits: Limits) -> Ending:
        """Return how scoring ended."""
        fault = self.retries.fault(report, listener.error, limits, unexplained=MACHINE)
        if fault is not None:
            return Ending("broken", fault.reason) if fault.outcome == "nan" else fault
        if report.ended_by == "hold":
            return Ending("timeout", f"scoring took longer than {limits.hold_s:.0f} s")
        if listener.scored is None:
            return Ending(MACHINE, f"the scorer ended early ({report.ended_by}, exit code {report.code})")
        return Ending("complete", "finished")

    def close(self, closed: FinalRecord, error: Error | None) -> None:
        """Commit a record to the ledger.

        Raises:
            Interrupted: the run was stopped.
            RunError: the result could not be stored.
        """
        self.ledger.append(closed)
        if error is not None:
            self.run_dir.log(f"[{closed.entry}] {error.traceback}")
        if closed.outcome == LOST:
            raise Interrupted
        if error is not None and error.kind == "machine":
            raise RunError(error.message)


def stored_scores(
    scored: Scored, metrics: tuple[str, ...], per_user: str, state: str | None = None
) -> TestScores:
    """Return what the scorer found, with where it stored the rest, relative to the run.

    Args:
        scored: what it said.
        metrics: that it measured.
        per_user: the file of per-user values.
        state: that of the model's state; None where there is no model.
    """
    return TestScores(
        values=scored.values,
        counts=from_json(TestCounts, scored.counts),
        popularity_lift=scored.popularity_lift,
        path=per_user,
        sha256=scored.sha256,
        state_path=None if scored.state_sha256 is None else state,
        state_sha256=scored.state_sha256,
        metrics=metrics,
    )
