"""One step of every model, to find what is broken before anything is spent."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.sources.folders import data_directory
from benchmark.errors import AdapterError
from benchmark.executors.channel import Message
from benchmark.executors.local import ExitReport, ForkServer, Limits, supervise
from benchmark.executors.slots import Slot, Slots
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner.context import request_of
from benchmark.runner.fork_servers import set_up
from benchmark.runner.plan import Study, plan
from benchmark.runner.session import RunOptions, policy_of
from benchmark.runner.splits import StoredSplit, negatives_per_user, store_all
from benchmark.suite import Suite


@dataclass(frozen=True)
class DryRun:
    """What one step of one model showed."""

    study: str
    ok: bool
    what: str
    first_step_s: float | None


@dataclass
class DryRunListener:
    """Hears one step and asks for no more."""

    first_step_s: float | None = None
    error: str | None = None

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Note the first step, or the error."""
        if message["event"] == "error":
            self.error = message["message"]
        if message["event"] != "step":
            return None
        self.first_step_s = charged_s
        return {"go": False}

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Nothing is recorded: a dry run is outside every budget."""


def dry_run(suite: Suite, registry: Registry, order: RunOptions) -> list[DryRun]:
    """Fit and validate one step of every model's default configuration; nothing is kept.

    Raises:
        BenchError: the data cannot be had or split.
    """
    slots = Slots(suite.budget.slot.cores, suite.budget.slot.memory, suite.budget.slot.gpu, 1)
    with tempfile.TemporaryDirectory(prefix="bench-dry-run-") as folder, slots.take() as slot:
        place = RunDirectory.create(Path(folder))
        stored = store_all(suite, place, data_directory(order.data), order.base, lambda _: None)
        return [
            _one(suite, study, data, slot)
            for data in stored
            for study in plan(suite, registry, data.label, rated=data.rated, described=data.described)
        ]


def _one(suite: Suite, study: Study, data: StoredSplit, slot: Slot) -> DryRun:
    if study.excluded is not None:
        return DryRun(study.name, ok=study.excluded[0] == "n/a", what=study.excluded[1], first_step_s=None)
    policy, heard = policy_of(suite), DryRunListener()
    hold_s = policy.cap_s(first=True, only=not study.space)
    request = request_of(suite, study, study.default, suite.seed, slot)
    try:
        with ForkServer(
            slot,
            set_up(study, data, sampled=negatives_per_user(suite) is not None),
            log=lambda _: None,
            hidden=[data.directory],
            stop=threading.Event(),
        ) as fork_server:
            child = fork_server.launch("benchmark.trial:run", request)
            ending = supervise(child, Limits(hold_s, slot.memory_mb, policy.ready_s), heard)
    except AdapterError as error:
        return DryRun(study.name, ok=False, what=str(error), first_step_s=None)
    return _told(study, heard, ending)


def _told(study: Study, heard: DryRunListener, ending: ExitReport) -> DryRun:
    if heard.error is not None:
        return DryRun(study.name, ok=False, what=heard.error, first_step_s=None)
    if heard.first_step_s is None:
        why = f"no step within the budget ({ending.ended_by})"
        return DryRun(study.name, ok=False, what=why, first_step_s=None)
    return DryRun(study.name, ok=True, what="one step trained and validated", first_step_s=heard.first_step_s)
