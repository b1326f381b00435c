"""All that a suite would run, and whom its splits can judge, before anything is spent."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.sources.expected import expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import locate
from benchmark.errors import RunError
from benchmark.executors.slots import Slots
from benchmark.ledger import Records
from benchmark.modelkit.footprints import counts_alone
from benchmark.protocol import Interactions
from benchmark.records import StudyRecord, TrainOn
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner.lists_rows import ReadyLists, lists_rows
from benchmark.runner.outlook import Outlook
from benchmark.runner.plan import Study, plan
from benchmark.runner.ready import Studies
from benchmark.runner.room import Room, foretold, log_in
from benchmark.runner.splits import SplitStore, StoredSplit
from benchmark.suite import Suite


@dataclass(frozen=True)
class ExpectedSplit:
    """What decides which models apply to a split, and which fit into a slot.

    Attributes:
        label: of the split.
        rated: whether its values are ratings on a known scale.
        described: which of "users" and "items" have features, and "graph" where there is one.
        repeats: whether its items come again and may be recommended again.
        log: counts of the whole log, where the split is not there to be asked.
        manifest: of the split; None where its log is not on this machine.
    """

    label: str
    rated: bool
    described: tuple[str, ...]
    repeats: bool
    log: Interactions | None = None
    manifest: SplitManifest | None = None

    def learned_by(self, study: Study, train_on: TrainOn) -> Interactions:
        """Return the counts of what a model is trained on."""
        if self.manifest is not None:
            return log_in(study, self.manifest, train_on)
        assert self.log is not None
        return self.log


@dataclass(frozen=True)
class Earlier:
    """An earlier run of a suite.

    Attributes:
        run: its directory.
        changes: what it rests on and has changed since, though the suite does not say so, a line each.
    """

    run: RunDirectory
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Plan(Sequence[StudyRecord]):
    """What a suite would run: the studies, and the splits that they would be tuned and tested on.

    Attributes:
        studies: data set by data set; each fold has its own.
        splits: the manifest of each split of the logs that are on this machine, audits included.
        absent: names of the data sets that are not, so that nothing can be said of their rows.
        misfits: why the default configuration does not fit into a slot, by name of the study; of a data set
            that is not here by the counts that its publisher gives.
        earlier: the run whose results are kept; None where there is none.
        outlook: what becomes of these results; None likewise.
    """

    studies: tuple[StudyRecord, ...]
    splits: tuple[SplitManifest, ...]
    absent: tuple[str, ...]
    misfits: Mapping[str, str] = field(default_factory=dict)
    earlier: Earlier | None = None
    outlook: Outlook | None = None

    @overload
    def __getitem__(self, index: int) -> StudyRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[StudyRecord]: ...
    def __getitem__(self, index: int | slice) -> StudyRecord | Sequence[StudyRecord]:
        """Return one study, or several."""
        return self.studies[index]

    def __len__(self) -> int:
        """How many studies there are."""
        return len(self.studies)


def plan_suite(
    suite: Suite, registry: Registry, data: Path | None, base: Path, earlier: Earlier | None = None
) -> Plan:
    """Return what a suite would run. Logs on this machine are opened and split; nothing is kept or fetched.

    Args:
        suite: what to run.
        registry: where its adapters are.
        data: folder of data sets.
        base: paths of the suite start here.
        earlier: the run that the suite continues, or whose results are taken over; None for a new run.

    Raises:
        DataError: a log cannot be read, prepared or split as the suite says, or nobody could be judged; a
            file of lists cannot be used.
    """
    studies: list[StudyRecord] = []
    splits: list[SplitManifest] = []
    absent: list[str] = []
    misfits: dict[str, str] = {}
    rows: list[StudyRecord | ReadyLists] = []
    every: list[StoredSplit] = []
    room = Room(suite.budget.slot.memory)
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as scratch:
        store = SplitStore(suite, Path(scratch), DataFolders(suite=base, data=data), lambda _: None)
        store.refuse_shared_folders()
        for spec in suite.datasets:
            files = locate(spec, store.folders, suite.split.files)
            if files.known and not files.folder:
                absent.append(spec.name)
                log = expected_log(spec, store.folders, suite.split.files)
                how = suite.prepare.for_log(spec).or_else(log.defaults)
                repeats = how.pairs == "repeat" and how.seen != "hide"
                published = counts_alone(files.known.users, files.known.items, files.known.rows)
                labels = suite.split.labels(spec.name)
                expected = [
                    ExpectedSplit(label, log.rated, log.described, repeats, log=published) for label in labels
                ]
            else:
                stored = store.splits_of(spec)
                every += stored
                splits += [one.manifest for one in stored]
                rows += [row for one in stored for row in lists_rows(suite, one, store.folders.resolve)]
                expected = [
                    ExpectedSplit(one.label, one.rated, one.described, one.repeats, manifest=one.manifest)
                    for one in stored
                ]
            for one in expected:
                planned = plan(
                    suite,
                    registry,
                    one.label,
                    rated=one.rated,
                    described=one.described,
                    repeats=one.repeats,
                )
                studies += [study.record() for study in planned]
                for study in planned:
                    learned = one.learned_by(study, suite.finals.train_on)
                    if not study.excluded and (misfit := foretold(study, learned, room)):
                        misfits[study.name] = misfit
    studies += [row.record if isinstance(row, ReadyLists) else row for row in rows]
    outlook = None if earlier is None else outlook_from(earlier, suite, registry, every)
    return Plan(tuple(studies), tuple(splits), tuple(absent), misfits, earlier, outlook)


def outlook_from(
    earlier: Earlier, suite: Suite, registry: Registry, splits: Sequence[StoredSplit]
) -> Outlook | None:
    """Return what becomes of the results that an earlier run holds; None where no slot fits here."""
    slot = suite.budget.slot
    try:
        device = Slots(slot.cores, slot.memory, slot.gpu, 1).device
    except RunError:
        return None
    ready = Studies.of(suite, registry, splits, device).ready
    return Outlook.of(suite, ready, Records(earlier.run.records()), earlier.run)
