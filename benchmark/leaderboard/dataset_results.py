"""What runs have stored of each data set, put together without opening anything for writing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.datasets.log import Part
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.store.save import load_manifest
from benchmark.errors import RunError
from benchmark.ledger import select
from benchmark.metrics.register import METRICS_VERSION
from benchmark.records import (
    LOST,
    Exclusion,
    FinalRecord,
    LedgerRecord,
    ListsOpened,
    ListsRecord,
    Opened,
    ProbeRecord,
    ReferenceNamed,
    StudyClosed,
    StudyEvent,
    StudyRecord,
    TestOpened,
    TrainOn,
    TrialRecord,
)
from benchmark.results import (
    PerUserPart,
    RunDirectory,
    RunManifest,
    current_records,
    latest,
    primary_grows,
)
from benchmark.suite import Suite

ANOTHER_SPLIT = "its lists were scored on a split that was replaced since: score them again with bench score"
OTHER_FORMULAS = "its lists were measured with formulas of another version: score them again with bench score"
LEARNED_PARTS: Mapping[TrainOn, tuple[Part, ...]] = {"train": ("train",), "train+valid": ("train", "valid")}
"""The parts that a final learned from."""


@dataclass(frozen=True)
class EarlierRow:
    """A model as it was once scored on test: it has no row now, or another configuration.

    Attributes:
        model: its name then.
        study_key: of its study then.
        trial: that its finals refitted.
    """

    model: str
    study_key: str
    trial: int


@dataclass(frozen=True)
class DatasetResults:
    """All that is stored of one data set.

    Attributes:
        dataset: its label.
        split: what the manifest says of its split.
        suite: the resolved suite.
        studies: every study on it as planned, by model, in the order of the suite.
        runs: manifest of the run that each model comes from.
        folders: directory of the run that each model comes from.
        records: the ledger's records of these studies.
        parts: the stored per-user values of every complete final; none is read yet.
        references: the model that each run named before it opened test.
        looks: each opening of this split's test for lists made elsewhere.
        split_folder: the stored split; None where the run no longer holds it.
        earlier: what was scored on this split's test and has no row now.
    """

    dataset: str
    split: SplitManifest
    suite: Suite
    studies: Mapping[str, StudyRecord]
    runs: Mapping[str, RunManifest]
    folders: Mapping[str, RunDirectory]
    records: tuple[StudyEvent, ...]
    parts: tuple[PerUserPart, ...]
    references: tuple[ReferenceNamed, ...]
    looks: tuple[ListsOpened, ...] = ()
    split_folder: Path | None = None
    earlier: tuple[EarlierRow, ...] = ()

    def study_key(self, model: str) -> str | None:
        """Return the key of a model's latest study; None if nothing of it was started."""
        opened = [one for one in select(self.records, Opened) if one.model == model]
        return opened[-1].study_key if opened else None

    def trials(self, model: str) -> list[TrialRecord]:
        """Return the trials of a model's latest study, in the order they ended."""
        key = self.study_key(model)
        return [
            one for one in select(self.records, TrialRecord) if one.model == model and one.study_key == key
        ]

    def probe(self, model: str) -> ProbeRecord | None:
        """Return the first look of a model's latest study; None if it had none."""
        key = self.study_key(model)
        found = [
            one for one in select(self.records, ProbeRecord) if one.model == model and one.study_key == key
        ]
        return next((one for one in reversed(found) if one.outcome != LOST), None)

    def study_closed(self, model: str) -> StudyClosed | None:
        """Return how a model's study ended; None if it has not."""
        closed = [one for one in select(self.records, StudyClosed) if one.model == model]
        return closed[-1] if closed else None

    def finals(self, model: str) -> list[FinalRecord]:
        """Return the finals of a model's latest study that the board ranks, complete or not.

        They refit the chosen configuration on the parts that the suite names.
        """
        key, train_on = self.study_key(model), self.suite.finals.train_on
        return [
            one
            for one in select(self.records, FinalRecord)
            if one.model == model and one.study_key == key
            if one.config_source == "tuned" and one.train_on == train_on
        ]

    def complete_finals(self, model: str) -> list[FinalRecord]:
        """Return the last complete final of each seed of those that the board ranks."""
        return latest(self.finals(model), self.suite.metrics.all)


def read(run: RunDirectory) -> list[DatasetResults]:
    """Return what a run has stored, data set by data set.

    Raises:
        RunError: it has no results yet, or its ledger is damaged.
    """
    manifest = run.manifest()
    if not manifest.datasets or not manifest.studies:
        raise RunError(f"{run.path}: has no results yet; run the same command again.")
    suite, everything = run.suite(), run.records()
    written = select(everything, StudyEvent)
    records = current_records(written, manifest, maximise=primary_grows(suite))
    finals = latest(select(records, FinalRecord), suite.metrics.all)
    found = []
    for label, split in manifest.datasets.items():
        studies = {study.model: valid_row(study, split) for study in manifest.rows if study.dataset == label}
        own = tuple(record for record in records if record.dataset == label)
        found.append(
            DatasetResults(
                label,
                split,
                suite,
                studies,
                dict.fromkeys(studies, manifest),
                dict.fromkeys(studies, run),
                own,
                tuple(PerUserPart(run, final) for final in finals if final.dataset == label),
                tuple(select(own, ReferenceNamed)[-1:]),
                tuple(
                    look
                    for look in select(written, ListsOpened)
                    if look.dataset == label and look.split == split.hash
                ),
                split_folder(run, label, split.hash),
                earlier_rows(everything, records, split.hash),
            )
        )
    return found


def earlier_rows(
    everything: Sequence[LedgerRecord], current: Sequence[StudyEvent], split_hash: str
) -> tuple[EarlierRow, ...]:
    """Return what was scored on the test of a split and is no longer shown, each once.

    Args:
        everything: the ledger.
        current: what the rows of now rest on.
        split_hash: of the split.
    """
    opened = {one.entry for one in select(everything, TestOpened) if one.split == split_hash}
    shown = {one.entry for one in select(current, FinalRecord)}
    found: dict[tuple[str, int], EarlierRow] = {}
    kept: set[tuple[str, int]] = set()
    for final in select(everything, FinalRecord):
        if isinstance(final, ListsRecord) or final.config_source != "tuned" or final.entry not in opened:
            continue
        if final.outcome == "complete":
            identity = (final.study_key, final.trial)
            found[identity] = EarlierRow(final.model, *identity)
            if final.entry in shown:
                kept.add(identity)
    return tuple(row for identity, row in found.items() if identity not in kept)


def valid_row(study: StudyRecord, split: SplitManifest) -> StudyRecord:
    """Return a row; one of lists as excluded, if what it was scored on is no longer what the run has."""
    if study.lists is None or study.excluded is not None:
        return study
    if study.lists.split != split.hash:
        return replace(study, excluded=Exclusion("n/a", ANOTHER_SPLIT))
    if study.lists.metrics_version != METRICS_VERSION:
        return replace(study, excluded=Exclusion("n/a", OTHER_FORMULAS))
    return study


def split_folder(run: RunDirectory, dataset: str, split_hash: str) -> Path | None:
    """Return the folder of a stored split; None if it is gone, or is not the split with this hash."""
    for path in sorted((run / "splits").glob("*/manifest.json")):
        manifest = load_manifest(path.parent)
        if manifest.dataset == dataset and manifest.hash == split_hash:
            return path.parent
    return None


def read_together(runs: Sequence[RunDirectory]) -> list[DatasetResults]:
    """Return what several runs have stored; what they hold of the same data set becomes one.

    A model that several of them hold is called ``name@run`` by each, after the folder of the run.

    Raises:
        RunError: split hashes, metrics or settings differ, or a run is named twice.
    """
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise RunError(f"{', '.join(str(run.path) for run in runs)}: names a run twice; name each once.")
    each = [(run, read(run)) for run in runs]
    held = Counter((one.dataset, model) for _, several in each for one in several for model in one.studies)
    found: dict[str, tuple[DatasetResults, RunDirectory]] = {}
    for (run, several), name in zip(each, short_names(runs), strict=True):
        for one in several:
            shared = [model for model in one.studies if held[one.dataset, model] > 1]
            results = joined = renamed(one, {model: f"{model}@{name}" for model in shared})
            if results.dataset in found:
                earlier, other = found[results.dataset]
                joined = _joined(earlier, results, f"{other.path} and {run.path}")
            found[results.dataset] = joined, run
    primaries = {results.suite.metrics.primary for results, _ in found.values()}
    if len(primaries) > 1:
        raise RunError(
            f"{', '.join(str(run.path) for run in runs)}: rank by {' and '.join(sorted(primaries))}; "
            "one board has one primary metric. Report them one by one."
        )
    return [results for results, _ in found.values()]


def _joined(one: DatasetResults, other: DatasetResults, where: str) -> DatasetResults:
    """Return the results of two runs on one split as one; ``where`` names the runs.

    Raises:
        RunError: they do not belong on one board.
    """
    if one.split.hash != other.split.hash:
        raise RunError(
            f"{where}: {one.dataset} was split differently ({one.split.hash[:8]} and "
            f"{other.split.hash[:8]}); such scores are not comparable. Report them one by one."
        )
    for part, mine, its in (
        ("validation", one.split.valid_sample, other.split.valid_sample),
        ("test", one.split.test_sample, other.split.test_sample),
    ):
        if mine != its:
            raise RunError(
                f"{where}: {one.dataset} has another sample of {part} users ({mine or 'all users'} and "
                f"{its or 'all users'}); such scores are not comparable. Report them one by one."
            )
    for key in ("metrics", "finals", "verdict", "budget"):
        mine, its = getattr(one.suite, key), getattr(other.suite, key)
        if mine != its:
            raise RunError(
                f"{where}: have different {key} ({mine} and {its}); "
                "a board needs the same for all models. Report them one by one."
            )
    shown = {(final.study_key, final.trial) for part in (*one.parts, *other.parts) for final in [part.final]}
    earlier = dict.fromkeys((*one.earlier, *other.earlier))
    return replace(
        one,
        studies={**one.studies, **other.studies},
        runs={**one.runs, **other.runs},
        folders={**one.folders, **other.folders},
        records=one.records + other.records,
        parts=one.parts + other.parts,
        references=one.references + other.references,
        looks=one.looks + other.looks,
        split_folder=one.split_folder or other.split_folder,
        earlier=tuple(row for row in earlier if (row.study_key, row.trial) not in shown),
    )


def short_names(runs: Sequence[RunDirectory]) -> list[str]:
    """Return a name for each run: its folder, or as much of its path as tells it from the others.

    >>> short_names([RunDirectory(Path("a/1")), RunDirectory(Path("b/1")), RunDirectory(Path("b/2"))])
    ['a/1', 'b/1', '2']
    """
    paths = [run.path.resolve() for run in runs]
    names = []
    for run, path in zip(runs, paths, strict=True):
        parts = path.parts
        length = next(
            n for n in range(1, len(parts) + 1) if sum(other.parts[-n:] == parts[-n:] for other in paths) == 1
        )
        names.append("/".join(parts[-length:]) if length > 1 else run.path.resolve().name)
    return names


def renamed(results: DatasetResults, names: Mapping[str, str]) -> DatasetResults:
    """Return the same results with some models under other names."""
    if not names:
        return results
    new = {model: names.get(model, model) for model in results.studies}
    return replace(
        results,
        studies={new[model]: replace(study, model=new[model]) for model, study in results.studies.items()},
        runs={new[model]: manifest for model, manifest in results.runs.items()},
        folders={new[model]: run for model, run in results.folders.items()},
        records=tuple(replace(one, model=new.get(one.model, one.model)) for one in results.records),
        parts=tuple(
            replace(part, final=replace(part.final, model=new.get(part.final.model, part.final.model)))
            for part in results.parts
        ),
        references=tuple(replace(one, model=new.get(one.model, one.model)) for one in results.references),
    )
