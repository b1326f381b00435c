"""What a run rests on that is no longer as it was: data, tables, candidates, adapters, libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from benchmark.datasets.log import Say
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.source_files import current, difference, source_paths
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.store.save import MANIFEST, load_manifest
from benchmark.errors import DataError, RunError
from benchmark.files import write_errors_as_run_error
from benchmark.metrics.register import METRICS_VERSION
from benchmark.records import AdapterCode, SourceFile
from benchmark.registry import Registry
from benchmark.results import RunDirectory, RunManifest
from benchmark.runner.following import SplitChanges, clear, labels_of, put_away, set_aside
from benchmark.runner.hardware import engine_versions
from benchmark.runner.plan import ENGINE_VERSION
from benchmark.runner.splits import folder_name
from benchmark.runner.written_paths import WrittenPaths
from benchmark.suite import Suite

MOST_MODELS = 4
"""Models that a line about a library names."""


def engine_code() -> dict[str, str]:
    """Return the versions of what computes in our own code, and of the results that it makes."""
    made = {"results of the engine": str(ENGINE_VERSION), "results of the metrics": str(METRICS_VERSION)}
    return {**engine_versions(), **made}


def adapter_code(suite: Suite, registry: Registry) -> dict[str, AdapterCode]:
    """Return the code of each adapter of a suite that is installed, by name."""
    adapters = [registry[name] for name in dict.fromkeys(model.use for model in suite.tuned)]
    return {adapter.name: adapter.code for adapter in adapters if not adapter.lack}


@dataclass
class Foundations:
    """What a run rests on, compared with what is here now; a file is read only where it was touched since.

    Attributes:
        run_dir: the run.
        suite: as resolved.
        folders: where data is looked for.
        adapters: the code of the adapters now, by name.
        before: the suite as the run had it; what it says otherwise now is not compared.
        files: of each data set as they are now, by its name; those that are gone as they were.
        changed_data: what differs in the files of each data set that differs, by its name.
        changed_rest: what differs in the list of candidates, the adapters, their libraries, the engine.
    """

    run_dir: RunDirectory
    suite: Suite
    folders: DataFolders
    adapters: Mapping[str, AdapterCode]
    before: Suite
    files: dict[str, tuple[SourceFile, ...]] = field(default_factory=dict)
    changed_data: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changed_rest: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Learn how the suite writes its paths."""
        self.written = WrittenPaths.of(self.suite, self.folders.resolve).in_text
        self.anew = SplitChanges.between(self.before, self.suite).anew

    def compare(self, say: Say) -> None:
        """Look at everything; tell ``say`` of files that are gone, which a stored split does without.

        Raises:
            DataError: a file cannot be read.
        """
        manifest = self.run_dir.manifest()
        if manifest.datasets and not manifest.adapters:
            say(f"{self.run_dir.path}: made before runs kept the hashes of what they rest on: not compared")
        lists = set()
        for spec in self.suite.datasets:
            if spec.name not in self.anew and (split := self.stored(spec, manifest)):
                self.compare_files(spec, split, say)
                lists |= {split.candidates.file} - {None}
        self.changed_rest = (
            *(line for one in lists if one is not None for line in self.candidates_changes(one)),
            *self.lists_changes(manifest),
            *adapter_changes(manifest.adapters, self.adapters),
            *(
                f"{name} was {manifest.engine[name]}, is {now} (all models)"
                for name, now in engine_code().items()
                if manifest.engine.get(name, now) != now
            ),
        )

    def stored(self, spec: LogSpec, manifest: RunManifest) -> SplitManifest | None:
        """Return what the run says of the first split of a data set; None if it has made none."""
        label = self.suite.split.labels(spec.name)[0]
        folder = self.run_dir / "splits" / folder_name(label)
        if label not in manifest.datasets and (folder / MANIFEST).exists():
            return load_manifest(folder)
        by_dataset = {
            split.fold.dataset if split.fold else split.dataset: split for split in manifest.datasets.values()
        }
        return manifest.datasets.get(label, by_dataset.get(spec.name))

    def compare_files(self, spec: LogSpec, split: SplitManifest, say: Say) -> None:
        """Compare the files of one data set."""
        if split.synthetic:
            return
        try:
            paths = source_paths(spec, self.folders, self.suite.split.files)
        except DataError:
            paths = {}
        recorded = {file.role: file for file in split.files}
        if gone := [file.path for role, file in recorded.items() if role not in paths]:
            say(f"{spec.name}: no longer here: {', '.join(gone)}; the rows that this run stored are used")
        now = {
            role: current(role, recorded.get(role), path, self.written)
            for role, path in paths.items()
            if recorded
        }
        lines = [difference(recorded.get(role), file) for role, file in now.items()]
        self.files[spec.name] = tuple({**recorded, **now}.values())
        if changes := tuple(line for line in lines if line):
            self.changed_data[spec.name] = changes

    def candidates_changes(self, recorded: SourceFile) -> Iterator[str]:
        """Yield how the list of candidates differs; one that is gone is not needed."""
        wanted = self.suite.metrics.candidates
        if wanted != self.before.metrics.candidates:
            return
        path = None if isinstance(wanted, str) else self.folders.resolve(wanted.items)
        if path is not None and path.is_file():
            line = difference(recorded, current("candidates", recorded, path, self.written))
            yield from [line] if line else []

    def lists_changes(self, manifest: RunManifest) -> Iterator[str]:
        """Yield how the files of the suite's lists differ; those that are gone have been scored."""
        rows = {row.label: row.lists for row in self.suite.lists_rows if row in self.before.lists_rows}
        for study in manifest.studies:
            files, source = rows.get(study.model), study.lists
            if files is None or source is None:
                continue
            for recorded, named in ((source.test, files.test), (source.valid, files.valid)):
                path = None if named is None else self.folders.resolve(named)
                if recorded is not None and path is not None and path.is_file():
                    line = difference(recorded, current(recorded.role, recorded, path, self.written))
                    yield from [f"{study.model}: {line}"] if line else []

    @property
    def changes(self) -> list[str]:
        """What differs, a line each."""
        data = [f"{name}: {line}" for name, lines in self.changed_data.items() for line in lines]
        return [*data, *self.changed_rest]

    def refuse_changes(self) -> None:
        """Check that nothing differs.

        Raises:
            RunError: something does; names all of it, and both ways on.
        """
        if self.changes:
            what = "\n  ".join(self.changes)
            raise RunError(
                f"{self.run_dir.path}: data, code or versions are not those of this run any more:\n  {what}\n"
                "  Change it back; or run with --follow, which repeats what depends on it and keeps the\n"
                "  rest; or start another run with --fresh (and another --out DIR, if you named one)."
            )

    def follow(self, say: Say) -> None:
        """Make anew what rests on something else than what is here; results of all the rest stay.

        Studies are told apart by the hash of what they rest on, so it is enough that splits are made anew.
        """
        if not self.changes:
            return
        manifest = self.run_dir.manifest()
        kept = dict(manifest.datasets)
        anew = labels_of(self.suite, self.changed_data)
        with write_errors_as_run_error(self.run_dir.path):
            put_away(self.run_dir)
            set_aside(self.run_dir, anew, keep=False)
        for label in anew:
            kept.pop(label, None)
        self.run_dir.update(
            state="running",
            finished=None,
            datasets=kept,
            adapters={**manifest.adapters, **self.adapters},
            engine=engine_code(),
        )
        clear(self.run_dir)
        changed = "; ".join(self.changes)
        say(f"{self.run_dir.path}: repeating what depends on {changed}; all other results are kept")

    def remember(self) -> None:
        """Note that files which were only touched are the same, so that they are not read each time."""
        datasets = self.run_dir.manifest().datasets
        now = {
            label: replace(split, files=self.files.get(name, split.files))
            for label, split in datasets.items()
            for name in [split.fold.dataset if split.fold else label]
        }
        if now != datasets:
            with suppress(RunError, OSError), self.run_dir.locked():  # a run that cannot be written is read
                self.run_dir.update(datasets=now)


def adapter_changes(before: Mapping[str, AdapterCode], now: Mapping[str, AdapterCode]) -> Iterator[str]:
    """Yield each adapter whose code differs, then each library of another version with its adapters."""
    both = {name: (before[name], code) for name, code in now.items() if name in before}
    libraries: dict[str, list[str]] = {}
    for name, (old, new) in both.items():
        if old.source_sha256 != new.source_sha256:
            yield f"{name}: its code was {old.source_sha256[:8]}, is {new.source_sha256[:8]}"
        for library, version in new.versions.items():
            if old.versions.get(library, version) != version:
                line = f"{library} was {old.versions[library]}, is {version}"
                libraries.setdefault(line, []).append(name)
    for line, names in libraries.items():
        more = f" and {len(names) - MOST_MODELS} more" if len(names) > MOST_MODELS else ""
        yield f"{line} ({', '.join(names[:MOST_MODELS])}{more})"
