"""From a suite to a finished run directory; the same call goes on after a crash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmark.budget import LOST, Ledger, Line, Policy
from benchmark.datasets.sources.open_log import STAND_IN
from benchmark.datasets.sources.open_log import known as known_data
from benchmark.errors import Interrupted
from benchmark.executors.interpreter import sweep_scratch
from benchmark.executors.processes import kill_recorded
from benchmark.executors.slots import Slots
from benchmark.metrics import register as metrics
from benchmark.registry import Registry
from benchmark.results import RunDirectory, disk_full_as_run_error, gather
from benchmark.runner.context import RunContext
from benchmark.runner.finals import FinalsRun
from benchmark.runner.fork_servers import ForkServers
from benchmark.runner.hardware import engine_versions, environment
from benchmark.runner.plan import Study, plan, refuse_missing
from benchmark.runner.resume import FINISHED, STOPPED, find_or_create
from benchmark.runner.splits import StoredSplit, data_directory, sampled_of, store_all
from benchmark.runner.study import StudyRun, best_of, default_of
from benchmark.runner.threads import jobs
from benchmark.runner.watcher import Silent, Watcher
from benchmark.suite import Suite
from benchmark.tuner import Journal

RULES = 4
"""Raised when the engine gives the same fit another score: results of other rules are not gone on with."""


@dataclass(frozen=True)
class RunOptions:
    """How a suite is run, beyond what it says itself.

    Attributes:
        results: folder under which runs land.
        out: this run's directory, if not a new one under ``results``.
        data: folder of publishers' data; $BENCH_DATA if None.
        base: folder that relative paths of the suite start from.
        jobs: studies side by side; as many slots as fit if None.
        fresh: start anew even where an unfinished run waits.
        skip_missing: keep a row with the reason for models whose library is not installed.
    """

    results: Path = Path("results")
    out: Path | None = None
    data: Path | None = None
    base: Path = Path()
    jobs: int | None = None
    fresh: bool = False
    skip_missing: bool = False


def run(suite: Suite, registry: Registry, order: RunOptions, watcher: Watcher | None = None) -> RunDirectory:
    """Tune, choose and score every model of the suite; return the directory with the results.

    Raises:
        BenchError: nothing is lost; the same call goes on.
    """
    watcher = watcher or Silent()
    if not order.skip_missing:
        refuse_missing(suite, registry)
    place = find_or_create(
        suite,
        order.results,
        order.out,
        fresh=order.fresh,
        outdated=lambda known: better_now(known.manifest(), registry, data_directory(order.data)),
    )
    if place.manifest()["state"] == FINISHED:
        watcher.said(f"{place.path}: is finished; nothing to run (--fresh starts anew)")
        return place
    with disk_full_as_run_error(place.path), place.locked():
        if place.manifest()["state"] == STOPPED:
            watcher.said(f"{place.path}: going on where it stopped")
        try:
            _Session(suite, registry, order, watcher, place).run()
        except (Interrupted, KeyboardInterrupt) as error:
            raise Interrupted(saved_so_far(place)) from error
    return place


def saved_so_far(place: RunDirectory) -> str:
    """Return what a stopped run has saved, and how it goes on."""
    place.note(state=STOPPED)
    ledger = place.ledger()
    trials = [line for line in ledger.lines("close", role="trial") if line["outcome"] != LOST]
    finals = ledger.lines("close", role="final", outcome="complete")
    ledger.shut()
    return (
        f"stopped: {len(trials)} trials and {len(finals)} finals are saved in {place.path}; "
        "the trial in flight is run again.\n  The same command goes on from here."
    )


class _Session:
    """One process's work on one run directory."""

    def __init__(
        self, suite: Suite, registry: Registry, order: RunOptions, watcher: Watcher, place: RunDirectory
    ) -> None:
        self.suite, self.order, self.watcher, self.place = suite, order, watcher, place
        self.registry = registry
        slot = suite.budget.slot
        self.slots = Slots(slot.cores, slot.memory, slot.gpu, order.jobs)
        self.stop = threading.Event()

    def run(self) -> None:
        ledger = self.place.ledger()
        try:
            sweep_scratch()
            reap_orphans(ledger)
            adapters = [self.registry[model.use] for model in self.suite.models]
            self.place.note(state="running", environment=environment(adapters))
            stored = store_all(
                self.suite, self.place, data_directory(self.order.data), self.order.base, self.watcher.said
            )
            self.place.note(datasets={data.label: data.manifest for data in stored})
            self._compete(ledger, stored)
            finish(self.place, ledger)
        finally:
            ledger.shut()

    def _compete(self, ledger: Ledger, stored: list[StoredSplit]) -> None:
        context = self._site(ledger)
        plans = [
            (study, data)
            for data in stored
            for study in plan(
                self.suite, self.registry, data.label, rated=data.rated, described=data.described
            )
        ]
        self.place.note(studies=[describe(study) for study, _ in plans])
        self.watcher.planned(
            [study for study, _ in plans], context.policy.budget_s, self.slots.count, self.suite.finals.seeds
        )
        runnable = [(study, data) for study, data in plans if study.excluded is None]
        with jobs(self.slots.count, self.stop) as side_by_side, closing(context.fork_servers):
            side_by_side.run(self._study_job(context, study, data) for study, data in runnable)
            for data in stored:
                self._name_reference(ledger, data, [study for study, other in runnable if other is data])
            side_by_side.run(self._finals_job(context, study, data) for study, data in runnable)

    def _site(self, ledger: Ledger) -> RunContext:
        hidden = [self.place.path.resolve()]
        if (data := data_directory(self.order.data)) is not None:
            hidden += [data, data.resolve()]
        policy, sampled = policy_of(self.suite), sampled_of(self.suite) is not None
        return RunContext(
            suite=self.suite,
            policy=policy,
            ledger=ledger,
            journal=Journal(self.place / "journal.log"),
            watcher=self.watcher,
            log=self.place.log,
            stop=self.stop,
            fork_servers=ForkServers(self.place.log, hidden, self.stop, policy.ready_s, sampled),
        )

    def _key(self, study: Study, data: StoredSplit) -> str:
        """Return the key of a study's results; the device that is really held belongs to it."""
        device = self.slots.device if self.slots.device in study.adapter.traits.devices else "cpu"
        engine = engine_versions() | {"rules": RULES}
        return study.key(
            self.suite, policy_of(self.suite), data.hash, device=device, engine=engine, **data.beside
        )

    def _study_job(self, context: RunContext, study: Study, data: StoredSplit) -> Callable[[], None]:
        key = self._key(study, data)

        def job() -> None:
            settled = context.ledger.lines("settled", study=study.name, key=key)
            if settled:
                best = best_of(closed_trials(context.ledger, study.name, key), maximise=context.maximise)
                self.watcher.settled(study.name, settled[-1]["status"], best["value"] if best else None)
                return
            with self.slots.take() as slot:
                StudyRun(context, study, key, data, slot).run()

        return job

    def _finals_job(self, context: RunContext, study: Study, data: StoredSplit) -> Callable[[], None]:
        key = self._key(study, data)

        def job() -> None:
            trials = closed_trials(context.ledger, study.name, key)
            best = best_of(trials, maximise=context.maximise)
            if best is None:
                return context.fork_servers.drop(study)
            with self.slots.take() as slot:
                default = default_of(trials, study, maximise=context.maximise)
                return FinalsRun(context, study, key, best, default, data, slot, self.place).run()

        return job

    def _name_reference(self, ledger: Ledger, data: StoredSplit, studies: list[Study]) -> None:
        """Write down which model the others will be compared with, before test is opened."""
        maximise = metrics.parse_metric(self.suite.metrics.primary).higher_is_better
        bests = []
        for study in studies:
            key = self._key(study, data)
            if (best := best_of(closed_trials(ledger, study.name, key), maximise=maximise)) is not None:
                bests.append(best)
        if (chosen := best_of(bests, maximise=maximise)) is not None:
            known = ledger.lines("reference", dataset=data.label, model=chosen["model"], key=chosen["key"])
            if not known:
                ledger.append(
                    "reference",
                    dataset=data.label,
                    model=chosen["model"],
                    key=chosen["key"],
                    value=chosen["value"],
                )


def better_now(manifest: dict[str, Any], registry: Registry, data: Path | None) -> bool:
    """Return whether what a run had to do without is here now: real data, or a library."""
    stand_ins = {name.partition(STAND_IN)[0] for name in manifest.get("datasets", {}) if STAND_IN in name}
    here = {entry.known.name for entry in known_data(data) if entry.folder is not None}
    studies = [study for study in manifest.get("studies", []) if study["excluded"]]
    skipped = [study["adapter"] for study in studies if study["excluded"][0] == "skipped"]
    return bool(stand_ins & here) or any(name in registry and not registry[name].missing for name in skipped)


def policy_of(suite: Suite) -> Policy:
    """Return how a suite hands out its budget."""
    return Policy(suite.budget.per_model, suite.budget.max_trials)


def closed_trials(ledger: Ledger, study: str, key: str) -> list[Line]:
    """Return the close lines of a study's trials."""
    return ledger.lines("close", study=study, key=key, role="trial")


def reap_orphans(ledger: Ledger) -> None:
    """Kill what a dead supervisor left running, then close its entries as lost."""
    closed = {line["entry"] for line in ledger.lines("close")}
    for line in ledger.lines("open"):
        if line["entry"] not in closed:
            kill_recorded(line["pid"], line["start_ticks"], line.get("era"))
    ledger.close_orphans()


def describe(study: Study) -> dict[str, Any]:
    """Return what the manifest says about a study."""
    own = study.adapter.traits
    return {
        "dataset": study.dataset,
        "model": study.model,
        "adapter": study.adapter.name,
        "library": study.adapter.library,
        "feedback": own.feedback,
        "rates": own.rates,
        "deterministic": own.deterministic,
        "devices": list(own.devices),
        "from_features": list(own.from_features),
        "space": {name: str(domain) for name, domain in study.space.items()},
        "default": study.default,
        "published": study.published,
        "excluded": list(study.excluded) if study.excluded else None,
    }


def finish(place: RunDirectory, ledger: Ledger) -> None:
    """Gather the rows and mark the run as finished."""
    gather(place, ledger)
    place.note(state=FINISHED, finished=datetime.now().astimezone().isoformat(timespec="seconds"))
