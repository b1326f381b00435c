"""One step of every model, to find what is broken before anything is spent."""

from __future__ import annotations

import tempfile
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.sources.folders import data_directory
from benchmark.errors import AdapterError
from benchmark.executors.executor import Executor, Limits
from benchmark.executors.slots import Slot, Slots
from benchmark.messages import Answer, Step
from benchmark.registry import Registry
from benchmark.runner.child import ChildListener, RetryPolicy
from benchmark.runner.context import fit_request, policy_for
from benchmark.runner.fork_servers import ForkServers
from benchmark.runner.options import RunOptions
from benchmark.runner.plan import Study, plan
from benchmark.runner.room import Room, foretold, log_in
from benchmark.runner.splits import StoredSplit, negatives_per_user, store_all
from benchmark.suite import Suite

ONCE = RetryPolicy(executors=1)


@dataclass(frozen=True)
class DryRun:
    """What one step of one model showed.

    Attributes:
        study: its name.
        ok: whether a step was trained and validated, or the model does not apply.
        what: what happened.
        first_step_s: charged seconds until the first validated step; None without one.
    """

    study: str
    ok: bool
    what: str
    first_step_s: float | None = None


@dataclass(kw_only=True)
class DryRunListener(ChildListener):
    """Hears one step and asks for no more."""

    first_step_s: float | None = None

    def step(self, step: Step, charged_s: float) -> Answer:
        """Note when the first step came."""
        self.first_step_s = charged_s
        return super().step(step, charged_s)


def dry_run(suite: Suite, registry: Registry, options: RunOptions) -> list[DryRun]:
    """Fit and validate one step of every model's default configuration; nothing is kept.

    Raises:
        BenchError: the data is missing or cannot be split.
    """
    wanted, stop = suite.budget.slot, threading.Event()
    slots = Slots(wanted.cores, wanted.memory, wanted.gpu, 1)
    with tempfile.TemporaryDirectory(prefix="bench-dry-run-") as folder, slots.take() as slot:
        stored = store_all(suite, Path(folder), data_directory(options.data), options.base, lambda _: None)
        servers = ForkServers(
            log=lambda _: None,
            hidden=[Path(folder)],
            stop=stop,
            ready_s=policy_for(suite).ready_s,
            sampled=negatives_per_user(suite) is not None,
        )
        with closing(servers):
            return [
                _dry_run(suite, study, data, slot, servers)
                for data in stored
                for study in plan(
                    suite,
                    registry,
                    data.label,
                    rated=data.rated,
                    described=data.described,
                    repeats=data.repeats,
                )
            ]


def _dry_run(suite: Suite, study: Study, data: StoredSplit, slot: Slot, servers: ForkServers) -> DryRun:
    """Return what one step of a study's default configuration shows."""
    if study.excluded is not None:
        return DryRun(study.name, ok=study.excluded.status == "n/a", what=study.excluded.reason)
    try:
        log = log_in(study, data.manifest, suite.finals.train_on)
        misfit = foretold(study, log, Room.of_slot(slot))
    except AdapterError as error:
        return DryRun(study.name, ok=False, what=str(error))
    if misfit is not None:
        return DryRun(study.name, ok=False, what=misfit)
    policy, listener = policy_for(suite, study), DryRunListener()
    limits = Limits(policy.cap_s(first=True, only=not study.space), slot.memory_mb, policy.ready_s)
    request = fit_request(suite, study, study.default, suite.seed, slot)

    def one_step(executor: Executor) -> DryRun:
        report = executor.start("benchmark.trial:run", request, limits, listener).wait()
        fault = ONCE.fault(report, listener.error, limits, unexplained="crash")
        if fault is not None:
            return DryRun(study.name, ok=False, what=fault.reason)
        if listener.first_step_s is None:
            late = f"no training step ended within the {limits.hold_s:.0f} s that its first trial may take"
            return DryRun(study.name, ok=False, what=late)
        what = "one step trained and validated"
        return DryRun(study.name, ok=True, what=what, first_step_s=listener.first_step_s)

    try:
        return ONCE.run(lambda: servers.lend(study, data, slot, keep=False), one_step, servers.stop)
    except AdapterError as error:
        return DryRun(study.name, ok=False, what=str(error))
