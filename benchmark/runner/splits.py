"""Each data set of a suite as stored splits: made once, then trusted by their content hash."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import starmap
from pathlib import Path

from benchmark.datasets.audit.judged import judged_findings, judged_users
from benchmark.datasets.audit.log_audit import audit_log
from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.log import Log, Say
from benchmark.datasets.manifest import Candidates, SplitManifest
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.source_files import source_file, source_paths
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.split import Split, split
from benchmark.datasets.split.stored_negatives import read_negatives, with_negatives
from benchmark.datasets.store.candidates import store_candidates, store_negatives
from benchmark.datasets.store.columns import check_columns
from benchmark.datasets.store.save import MANIFEST, load_manifest, manifest_text, save_split
from benchmark.errors import DataError, MetricError
from benchmark.files import state_of, write_text
from benchmark.metrics import register as metrics
from benchmark.metrics.constant import constant_metrics
from benchmark.records import Finding, LogAudit
from benchmark.runner.draw_samples import with_samples
from benchmark.runner.written_paths import WrittenPaths
from benchmark.suite import Suite


@dataclass(frozen=True)
class StoredSplit:
    """One split of a data set, as the run keeps it; every fold is a data set of its own."""

    label: str
    directory: Path
    manifest: SplitManifest

    @property
    def rated(self) -> bool:
        """Whether the values are ratings on a known scale."""
        return self.manifest.rated

    @property
    def described(self) -> tuple[str, ...]:
        """Which of "users" and "items" have features, and "graph" where there is one."""
        return self.manifest.described

    @property
    def repeats(self) -> bool:
        """Whether items come again and may be recommended again."""
        return self.manifest.pairs == "repeat" and self.manifest.seen != "hide"

    @property
    def hash(self) -> str:
        """Content hash of the split."""
        return self.manifest.hash

    @property
    def key_inputs(self) -> Mapping[str, str | None]:
        """What results depend on besides the rows: features, graph, candidates, the sample of validation."""
        candidates, seen, valid = self.manifest.candidates, self.manifest.seen, self.manifest.valid_sample
        given = self.manifest.negatives
        return {
            **({} if seen == "hide" else {"seen": seen}),  # keys of earlier runs stay what they were
            **({} if valid is None else {"valid_users_sha256": valid.sha256}),
            **({} if given is None else {"negatives_sha256": given.sha256}),
            **({} if self.manifest.graph is None else {"graph_sha256": self.manifest.graph.sha256}),
            "features_sha256": self.manifest.features.sha256,
            "candidates": candidates.rule,
            "candidates_sha256": candidates.sha256,
        }


def negatives_per_user(suite: Suite) -> int | None:
    """Return how many negatives the sampled metrics of a suite draw for each user; None if it has none."""
    counts = [metrics.parse_metric(name).sampled for name in suite.metrics.all]
    return max([count for count in counts if count is not None], default=None)


def store_all(
    suite: Suite, directory: Path, data_dir: Path | None, base: Path, say: Say
) -> list[StoredSplit]:
    """Return every split of every data set of the suite, stored in ``directory``, a folder each.

    Raises:
        DataError: a log cannot be obtained, prepared or split as the suite says.
    """
    store = SplitStore(suite, directory, DataFolders(suite=base, data=data_dir), say)
    store.refuse_shared_folders()
    return [stored for spec in suite.datasets for stored in store.splits_of(spec)]


def undecided(suite: Suite, log: LogAudit) -> Iterator[Finding]:
    """Yield why the primary metric cannot tell models apart on a split: it has one value, or none."""
    primary = suite.metrics.primary
    cure = "choose another metrics.primary or another split, or say with positive which rows count"
    for reason in constant_metrics([primary], log).values():
        yield Finding(found=f"{primary}, which ranks, is the same for every model: {reason}", cure=cure)
    if metrics.parse_metric(primary).kind == "ranking" and log.judged and not log.judged.tuned_on:
        found = f"no user has anything to find in validation, so nothing can be tuned for {primary}"
        yield Finding(found=found, cure=cure)


def refuse_undecided(suite: Suite, stored: Sequence[StoredSplit]) -> None:
    """Check that the primary metric can tell models apart on every split, before anything is spent.

    Raises:
        DataError: on one it cannot.
    """
    for one in stored:
        for finding in undecided(suite, one.manifest.log_audit) if one.manifest.log_audit else ():
            raise DataError(f"{one.label}: {finding.text}")


def refuse_other_negatives(manifest: SplitManifest, count: int) -> None:
    """Check that as many negatives were given as the sampled metrics rank among.

    Raises:
        DataError: there are more or fewer.
    """
    if manifest.negatives and manifest.negatives.count != count:
        found = manifest.negatives.count
        raise DataError(
            f"{manifest.dataset}: split.files.negatives has {found} a user, and metrics name {count}; write "
            f"hit@10/{found}neg and the like"
        )


@dataclass(frozen=True)
class SplitStore:
    """The splits of a run: where they are kept, and how they are made.

    Attributes:
        suite: says which data sets, how they are prepared and split.
        directory: one folder a split.
        folders: where logs are looked for.
        say: takes one line of progress.
    """

    suite: Suite
    directory: Path
    folders: DataFolders
    say: Say

    def refuse_shared_folders(self) -> None:
        """Check that every data set has a folder to itself.

        Raises:
            DataError: two would be stored in one folder.
        """
        owners: dict[str, str] = {}
        for spec in self.suite.datasets:
            folder = folder_name(spec.name)
            if folder in owners:
                raise DataError(
                    f"datasets: {owners[folder]!r} and {spec.name!r} would both go to splits/{folder}; "
                    "give one of them another name"
                )
            owners[folder] = spec.name

    def splits_of(self, spec: LogSpec) -> list[StoredSplit]:
        """Return the stored splits of one data set; what is missing is made.

        Raises:
            DataError: one that an earlier run stored is damaged.
        """
        labels = self.suite.split.labels(spec.name)
        directories = [self.directory / folder_name(label) for label in labels]
        if not all((directory / MANIFEST).exists() for directory in directories):
            self.make(spec, directories)
        else:
            for directory in directories:
                check_columns(directory)
        return [self.ready(spec, directory) for directory in directories]

    def make(self, spec: LogSpec, directories: Sequence[Path]) -> None:
        """Read, prepare, split, audit and store a data set, one directory a fold."""
        before = {path: state_of(path) for path in self.paths_of(spec).values()}
        parts = self.suite.split.files
        lines = read_negatives(self.folders.resolve(parts.negatives)) if parts and parts.negatives else None
        log = self.open(spec)
        if changed := [path for path, state in before.items() if state_of(path) != state]:
            raise DataError(f"{changed[0]}: was written while it was read; run the same command again")
        files = () if log.provenance.synthetic else tuple(starmap(source_file, self.paths_of(spec).items()))
        self.say(f"{log.name}: {log.provenance.origin} ({log.provenance.licence})")
        prepared = prepare(log, self.suite.prepare.for_log(spec))
        whole = audit_log(log, prepared)
        for fold, directory in enumerate(directories):
            made = split(prepared, self.suite.split, fold)
            made = made if lines is None else with_negatives(made, lines)
            audited = self.with_judged(whole, made)
            manifest = self.written.in_record(replace(made.manifest, files=files, log_audit=audited))
            save_split(replace(made, manifest=manifest), directory, audit(made))

    def with_judged(self, whole: LogAudit, made: Split) -> LogAudit:
        """Return the audit of a log with whom one of its splits can judge."""
        wanted = self.suite.metrics.candidates
        judged = judged_users(made, wanted if isinstance(wanted, str) else "given")
        audited = replace(whole, judged=judged)
        found = [*judged_findings(judged, made.manifest), *undecided(self.suite, audited)]
        return replace(audited, findings=(*whole.findings, *found))

    def open(self, spec: LogSpec) -> Log:
        """Return the log of a data set."""
        return open_log(
            self.suite.prepare.told(spec),
            self.folders,
            parts=self.suite.split.files,
            stand_in=self.suite.stand_in,
            say=self.say,
        )

    @cached_property
    def written(self) -> WrittenPaths:
        """How the suite writes its paths."""
        return WrittenPaths.of(self.suite, self.folders.resolve)

    def paths_of(self, spec: LogSpec) -> dict[str, Path]:
        """Return the files of a data set that are here, by their roles."""
        return source_paths(spec, self.folders, self.suite.split.files)

    def ready(self, spec: LogSpec, directory: Path) -> StoredSplit:
        """Return a stored split with candidates, negatives and samples; say what is unusual about its data.

        Raises:
            DataError: a metric does not fit the number of items, the list of candidates cannot be used, or
                nobody drawn for validation has anything to find.
        """
        manifest = load_manifest(directory)
        for name in self.suite.metrics.all:
            try:
                metrics.parse_metric(name, manifest.n_items)
            except MetricError as error:
                raise DataError(f"{manifest.dataset}: {error}") from error
        manifest = replace(manifest, candidates=self.candidates(spec, directory, manifest))
        if count := negatives_per_user(self.suite):
            refuse_other_negatives(manifest, count)
            from benchmark.metrics.negatives import draw  # not at import: it compiles

            store_negatives(directory, count, self.suite.split.seed, draw, manifest.seen)
        sampled = with_samples(manifest, directory, self.suite)
        if sampled != manifest:
            write_text(directory / MANIFEST, manifest_text(sampled))
        manifest = sampled
        if manifest.synthetic and spec.synthetic is None:
            self.say(f"{manifest.dataset}: NOT REAL DATA, a synthetic stand-in; labelled so throughout.")
        for flag in manifest.audited.flags:
            self.say(f"{manifest.dataset}: {flag}")
        for finding in manifest.log_audit.warnings if manifest.log_audit else ():
            self.say(f"{manifest.dataset}: {finding.text}")
        return StoredSplit(manifest.dataset, directory, manifest)

    def candidates(self, spec: LogSpec, directory: Path, manifest: SplitManifest) -> Candidates:
        """Return which items may be recommended; a split by cold items decides that by itself."""
        wanted = self.suite.metrics.candidates
        if manifest.candidates.rule == "cold-items":
            return manifest.candidates
        if isinstance(wanted, str):
            return Candidates(rule=wanted)
        path = self.folders.resolve(wanted.items)
        found = store_candidates(path, directory, spec.missing_values)
        return replace(found, file=source_file("candidates", path, self.written.in_text))


def folder_name(label: str) -> str:
    """Return the folder that a data set is stored in.

    >>> folder_name("my shop/2024#1"), folder_name("..")
    ('my-shop-2024#1', 'data')
    """
    return re.sub(r"[^A-Za-z0-9._#-]+", "-", label).lstrip(".") or "data"
