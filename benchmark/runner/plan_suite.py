"""All that a suite would run, and whom its splits can judge, before anything is spent."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.sources.expected import expected_log
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import locate
from benchmark.records import StudyRecord
from benchmark.registry import Registry
from benchmark.runner.plan import plan
from benchmark.runner.splits import SplitStore, labels_of
from benchmark.suite import Suite


@dataclass(frozen=True)
class Plan(Sequence[StudyRecord]):
    """What a suite would run: the studies, and the splits that they would be tuned and tested on.

    Attributes:
        studies: data set by data set; each fold has its own.
        splits: the manifest of each split of the logs that are on this machine, audits included.
        absent: names of the data sets that are not, so that nothing can be said of their rows.
    """

    studies: tuple[StudyRecord, ...]
    splits: tuple[SplitManifest, ...]
    absent: tuple[str, ...]

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


def plan_suite(suite: Suite, registry: Registry, data: Path | None, base: Path) -> Plan:
    """Return what a suite would run. Logs on this machine are opened and split; nothing is kept or fetched.

    Args:
        suite: what to run.
        registry: where its adapters are.
        data: folder of data sets.
        base: paths of the suite start here.

    Raises:
        DataError: a log cannot be read, prepared or split as the suite says, or nobody could be judged.
    """
    studies: list[StudyRecord] = []
    splits: list[SplitManifest] = []
    absent = []
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
                labels = labels_of(suite, spec.name)
                expected = [(label, log.rated, log.described, repeats) for label in labels]
            else:
                stored = store.splits_of(spec)
                splits += [one.manifest for one in stored]
                expected = [(one.label, one.rated, one.described, one.repeats) for one in stored]
            for label, rated, described, repeats in expected:
                planned = plan(suite, registry, label, rated=rated, described=described, repeats=repeats)
                studies += [study.record() for study in planned]
    return Plan(tuple(studies), tuple(splits), tuple(absent))
