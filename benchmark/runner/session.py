"""From a suite to a finished run directory; the same call resumes after a crash."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from benchmark.datasets.log import Say
from benchmark.datasets.sources.folders import data_directory
from benchmark.errors import AdapterError, Interrupted
from benchmark.executors.interpreter import sweep_scratch
from benchmark.executors.slots import Slots
from benchmark.files import disk_full_as_run_error
from benchmark.ledger import Ledger, best_trial
from benchmark.records import AdapterCode, ListsRecord, ReferenceNamed, StudyClosed, StudyRecord, TestOpened
from benchmark.registry import Registry
from benchmark.results import RunDirectory, gather, resolved
from benchmark.runner.child import RetryPolicy
from benchmark.runner.context import RunContext, policy_for
from benchmark.runner.finals import FinalsRun
from benchmark.runner.following import follow_suite, take_over
from benchmark.runner.fork_servers import ForkServers
from benchmark.runner.hardware import hardware
from benchmark.runner.lists_rows import ListsScoring, ReadyLists, lists_rows, said_of
from benchmark.runner.options import RunOptions
from benchmark.runner.outlook import Outlook
from benchmark.runner.plan import Study, refuse_missing
from benchmark.runner.plan_suite import Earlier
from benchmark.runner.ready import ReadyStudy, Studies, default_trial
from benchmark.runner.resume import (
    RunLocation,
    better_now,
    locate_run,
    new_run,
    now,
    reap_orphans,
    saved_so_far,
    shown_as_current,
)
from benchmark.runner.room import Room, foretold, log_in
from benchmark.runner.splits import StoredSplit, negatives_per_user, refuse_undecided, store_all
from benchmark.runner.staleness import Foundations, adapter_code, engine_code
from benchmark.runner.study import StudyRun
from benchmark.runner.threads import jobs
from benchmark.runner.watcher import Silent, Watcher
from benchmark.runner.written_paths import hidden_folders
from benchmark.suite import Suite
from benchmark.tuner import Journal


def run(
    suite: Suite, registry: Registry, options: RunOptions, watcher: Watcher | None = None
) -> RunDirectory:
    """Tune, choose and score every model of the suite; return the directory with the results.

    Raises:
        BenchError: nothing is lost; the same call resumes.
    """
    watcher = watcher or Silent()
    if not options.skip_missing:
        refuse_missing(suite, registry)
    location = location_of(suite, registry, options)
    code = adapter_code(suite, registry)
    foundations = rested_on(location, suite, options, code, watcher.said)
    if foundations is not None and is_done(foundations, location):
        foundations.remember()
        watcher.said(f"{location.path}: is finished and nothing has changed; --fresh starts a new run")
        return foundations.run_dir
    run_dir = opened(location, suite, watcher.said)
    with disk_full_as_run_error(run_dir.path), run_dir.locked(), shown_as_current(location):
        if run_dir.manifest().state == "stopped":
            watcher.said(f"{run_dir.path}: resuming where it stopped")
        if foundations is not None:
            follow_suite(run_dir, suite, watcher.said)
            replace(foundations, run_dir=run_dir).follow(watcher.said)
        try:
            run_dir.update(adapters={**run_dir.manifest().adapters, **code}, engine=engine_code())
            _Session(suite, registry, options, watcher, run_dir).run()
        except (Interrupted, KeyboardInterrupt) as error:
            raise Interrupted(saved_so_far(run_dir)) from error
    return run_dir


def location_of(suite: Suite, registry: Registry, options: RunOptions) -> RunLocation:
    """Return where a suite runs.

    Raises:
        RunError: the directory that the user named holds something else.
    """
    return locate_run(
        suite,
        options.results,
        options.out,
        fresh=options.fresh,
        outdated=lambda found: better_now(found.manifest(), registry, data_directory(options.data)),
    )


def earlier_run(suite: Suite, registry: Registry, options: RunOptions) -> Earlier | None:
    """Return the run that a suite continues, or takes over from; None where it begins.

    Raises:
        RunError: the directory that the user named holds something else.
    """
    location = location_of(suite, registry, options)
    if location.source is None:
        return None
    code = adapter_code(suite, registry)
    foundations = Foundations(location.source, suite, options.folders, code, location.source.suite())
    foundations.compare(lambda _: None)
    return Earlier(location.source, tuple(foundations.changes))


def rested_on(
    location: RunLocation, suite: Suite, options: RunOptions, code: Mapping[str, AdapterCode], say: Say
) -> Foundations | None:
    """Return what the earlier run of a location rests on, compared with what is here; None without one.

    Raises:
        RunError: something has changed that the suite does not say, and is not to be followed.
    """
    if location.source is None:
        return None
    foundations = Foundations(location.source, suite, options.folders, code, location.source.suite())
    foundations.compare(say)
    if not options.follow:
        foundations.refuse_changes()
    return foundations


def is_done(foundations: Foundations, location: RunLocation) -> bool:
    """Return whether a location holds the finished run of this very suite, on what is here."""
    finished = foundations.run_dir.manifest().state == "finished" and not location.is_taken_over
    same = resolved(foundations.before) == resolved(foundations.suite)
    return finished and same and not foundations.changes


def opened(location: RunLocation, suite: Suite, say: Say) -> RunDirectory:
    """Return the directory of a location; where there is none yet it is made, with what is taken over."""
    if location.source is None:
        return new_run(suite, location.path)
    if not location.is_taken_over:
        return location.source
    copied = f"starts from copies of those results in {location.source.path} that this suite can use"
    say(f"{location.path}: {copied}")
    return take_over(location.source, location.path, suite, now())


class _Session:
    """One process's work on one run directory."""

    def __init__(
        self, suite: Suite, registry: Registry, options: RunOptions, watcher: Watcher, run_dir: RunDirectory
    ) -> None:
        self.suite, self.options, self.watcher, self.run_dir = suite, options, watcher, run_dir
        self.registry = registry
        slot = suite.budget.slot
        self.slots = Slots(slot.cores, slot.memory, slot.gpu, options.jobs)

    def run(self) -> None:
        """Tune every study, name the references, then fit and score the finals."""
        ledger = self.run_dir.ledger()
        try:
            sweep_scratch()
            reap_orphans(ledger)
            adapters = [self.registry[model.use] for model in self.suite.tuned]
            self.run_dir.update(state="running", hardware=hardware(adapters))
            context = self.context(ledger)
            splits = self.splits()
            done = {
                record.final_key for record in ledger.records(ListsRecord) if record.outcome == "complete"
            }
            scored = [study for study in self.run_dir.manifest().studies if study.key in done]
            rows = [
                row
                for data in splits
                for row in lists_rows(self.suite, data, self.options.folders.resolve, scored)
            ]
            ready = self.ready_studies(context, splits, rows)
            with jobs(self.slots.count, context.stop) as side_by_side, closing(context.fork_servers):
                side_by_side.run(partial(self.tune, context, study) for study in ready)
                self.name_references(context, ready)
                side_by_side.run(partial(self.score, context, study) for study in ready)
                lists = [row for row in rows if isinstance(row, ReadyLists)]
                side_by_side.run(partial(self.score_lists, context, row) for row in lists)
            gather(self.run_dir, ledger)
            self.run_dir.update(state="finished", finished=now())
        finally:
            ledger.shut()

    def context(self, ledger: Ledger) -> RunContext:
        """Return what all studies share."""
        hidden = [self.run_dir.path.resolve()]
        if (data := data_directory(self.options.data)) is not None:
            hidden += [data, data.resolve()]
        hidden += hidden_folders(self.suite)
        policy, stop = policy_for(self.suite), threading.Event()
        return RunContext(
            suite=self.suite,
            policy=policy,
            retries=RetryPolicy(),
            ledger=ledger,
            journal=Journal(self.run_dir / "journal.log"),
            watcher=self.watcher,
            log=self.run_dir.log,
            stop=stop,
            fork_servers=ForkServers(
                self.run_dir.log, hidden, stop, policy.ready_s, negatives_per_user(self.suite) is not None
            ),
        )

    def splits(self) -> list[StoredSplit]:
        """Return every split, stored."""
        suite, options = self.suite, self.options
        splits = store_all(
            suite, self.run_dir / "splits", data_directory(options.data), options.base, self.watcher.said
        )
        refuse_undecided(suite, splits)
        self.run_dir.update(datasets={data.label: data.manifest for data in splits})
        return splits

    def ready_studies(
        self,
        context: RunContext,
        splits: Sequence[StoredSplit],
        rows: Sequence[ReadyLists | StudyRecord],
    ) -> list[ReadyStudy]:
        """Plan every study, say so, write down all rows, and return the studies that run.

        Args:
            context: of the run.
            splits: every split.
            rows: of lists made elsewhere.
        """
        studies = Studies.of(self.suite, self.registry, splits, self.slots.device)
        records = studies.records()
        of_lists = [row.record if isinstance(row, ReadyLists) else row for row in rows]
        self.run_dir.update(studies=(*records, *of_lists))
        budget_s, ledger = context.policy.budget_s, context.ledger
        outlook = Outlook.of(self.suite, studies.ready, ledger, self.run_dir)
        for line in outlook.lines() if ledger.records(StudyClosed) else ():
            self.watcher.said(f"{self.run_dir.path.name}: {line}")
        self.watcher.planned(records, budget_s, self.slots.count, self.suite.finals.seeds, outlook.kept)
        for study, data in studies.planned:
            if study.excluded is None and (misfit := self.misfit(study, data)) is not None:
                self.watcher.said(f"{study.name}: {misfit}")
        return list(studies.ready)

    def misfit(self, study: Study, data: StoredSplit) -> str | None:
        """Return why a study's default configuration does not fit into a slot; None if it does."""
        log = log_in(study, data.manifest, self.suite.finals.train_on)
        try:
            return foretold(study, log, Room(self.suite.budget.slot.memory, self.slots.gpu_mb))
        except AdapterError:
            return None  # its study will fail, and say why

    def tune(self, context: RunContext, ready: ReadyStudy) -> None:
        """Run a study, unless an earlier process has closed it."""
        closed = [one for one in context.ledger.records(StudyClosed) if one.study_key == ready.key]
        if not closed:
            with self.slots.take() as slot:
                return StudyRun(context, ready, slot).run()
        best = best_trial(context.ledger.trials(ready.key), maximise=context.maximise)
        value, ending = best.value if best else None, closed[-1]
        self.watcher.study_closed(ready.study.name, ending.status, value, ending.reason)
        return None

    def name_references(self, context: RunContext, ready: Sequence[ReadyStudy]) -> None:
        """Write down, for each data set, which model the others will be compared with."""
        ledger = context.ledger
        opened = {one.split for one in ledger.records(TestOpened)}
        for data in {one.data.label: one.data for one in ready}.values():
            found = [
                (best, one)
                for one in ready
                if one.data.label == data.label
                for best in [best_trial(ledger.trials(one.key), maximise=context.maximise)]
                if best is not None
            ]
            best = best_trial([trial for trial, _ in found], maximise=context.maximise)
            if best is None or best.value is None:
                continue
            model = next(one for trial, one in found if trial is best)
            earlier = [one for one in ledger.records(ReferenceNamed) if one.dataset == data.label]
            if earlier and earlier[-1].study_key in ledger.lineage(model.key):
                continue
            ledger.append(
                ReferenceNamed(
                    dataset=data.label,
                    model=model.study.model,
                    study_key=model.key,
                    value=best.value,
                    at=now(),
                    instead_of=earlier[-1].model if earlier and data.hash in opened else None,
                )
            )

    def score(self, context: RunContext, ready: ReadyStudy) -> None:
        """Fit and score the finals of a study that has a result."""
        trials = context.ledger.trials(ready.key)
        best = best_trial(trials, maximise=context.maximise)
        if best is None:
            return context.fork_servers.drop(ready.study)
        default = default_trial(trials, ready.study, maximise=context.maximise)
        with self.slots.take() as slot:
            return FinalsRun(context, ready, best, default, slot, self.run_dir).run()

    def score_lists(self, context: RunContext, ready: ReadyLists) -> None:
        """Score a row of lists that were made elsewhere, unless an earlier process has."""
        scoring = ListsScoring(
            suite=self.suite,
            run_dir=self.run_dir,
            ledger=context.ledger,
            servers=context.fork_servers,
            retries=context.retries,
        )
        with self.slots.take() as slot:
            self.watcher.said(said_of(scoring.score(ready, slot)))
