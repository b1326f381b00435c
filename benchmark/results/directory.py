"""One run's directory: its paths, its lock, its manifest, its ledger."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import ValidationError

from benchmark.datasets.manifest import SplitManifest
from benchmark.errors import BenchError, RunError
from benchmark.files import atomic_path, content_hash, known_sha256, write_errors_as_run_error, write_text
from benchmark.ledger import Ledger
from benchmark.records import AdapterCode, Hardware, LedgerRecord, StudyRecord, TestScores, from_json, to_json
from benchmark.suite import Suite

FORMAT = 3
"""Version of the files. Bump when they change: a run of another version is refused, not guessed at."""
FOLDERS = ("splits", "per_user", "models")

RunState: TypeAlias = Literal["running", "finished", "stopped"]


@dataclass(frozen=True, kw_only=True)
class RunManifest:
    """What manifest.json says about a run.

    Attributes:
        format: version of the directory's files.
        suite: name of the suite.
        suite_hash: content hash of the resolved suite.
        started: when, in ISO 8601.
        finished: when; None until it is.
        state: "running" also where the process has died.
        hardware: the machine and the versions; None until the run has looked.
        datasets: the stored splits by label; empty until they are made.
        studies: every study as planned; empty until they are.
        adapters: the code of each adapter that is installed, by name.
        engine: versions of what computes in our own code.
        scored: rows of lists that came to the finished run, by ``bench score``: no resumption changes them.
    """

    format: int
    suite: str
    suite_hash: str
    started: str
    state: RunState
    finished: str | None = None
    hardware: Hardware | None = None
    datasets: Mapping[str, SplitManifest] = field(default_factory=dict)
    studies: tuple[StudyRecord, ...] = ()
    adapters: Mapping[str, AdapterCode] = field(default_factory=dict)
    engine: Mapping[str, str] = field(default_factory=dict)
    scored: tuple[StudyRecord, ...] = ()

    @property
    def rows(self) -> tuple[StudyRecord, ...]:
        """Every row of the board: the suite's, then those that came later."""
        return (*self.studies, *self.scored)


class RunDirectory:
    """One run's directory: its paths, its lock, its manifest, its ledger."""

    def __init__(self, path: Path) -> None:
        """Name the directory; nothing is made or read yet."""
        self.path = path

    def __truediv__(self, name: str) -> Path:
        """Return a file of the run, absolute: children work in folders of their own."""
        return self.path.absolute() / name

    @classmethod
    def create(cls, path: Path, suite: Suite, started: str) -> RunDirectory:
        """Make the directory of a new run: its folders, the resolved suite, its manifest.

        Raises:
            RunError: it cannot be written.
        """
        run = cls(path)
        content = resolved(suite)
        with write_errors_as_run_error(path, "choose another with --out DIR"):
            for folder in (path, *(path / name for name in FOLDERS)):
                folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(path / ".probe") as probe:
                probe.write_text("x")
            (path / ".probe").unlink()
        run.write_suite(suite)
        run._write(
            RunManifest(
                format=FORMAT,
                suite=suite.name,
                suite_hash=content_hash(content),
                started=started,
                state="running",
            )
        )
        return run

    def renew(self, suite: Suite, datasets: Mapping[str, SplitManifest]) -> None:
        """Make this the directory of a changed suite; what was found so far stays in the ledger.

        Args:
            suite: resolved.
            datasets: the stored splits that it keeps.
        """
        # The manifest comes first: a run that was interrupted here is not finished, with either suite.
        self.update(
            suite_hash=content_hash(resolved(suite)),
            state="running",
            finished=None,
            datasets=datasets,
            studies=(),
        )
        self.write_suite(suite)

    def write_suite(self, suite: Suite) -> None:
        """Write down the suite, every default written out."""
        content = resolved(suite)
        write_text(self / "suite.json", json.dumps(content, indent=2) + "\n")
        write_text(self / "suite.yaml", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """Open the directory of an earlier run.

        Raises:
            RunError: there is none, or another version of bench wrote it.
        """
        if not os.path.isfile(path / "manifest.json"):  # noqa: PTH113 - false, not an error, for a name too long
            raise RunError(
                f"{path}: not a run directory (no manifest.json); `bench runs` lists the runs here."
            )
        run = cls(path)
        version = run._content("manifest.json").get("format")
        if version != FORMAT:
            raise RunError(
                f"{path}: has format {version}, this version of bench reads format {FORMAT}. "
                "Run the suite again, or read the run with the version that made it."
            )
        return run

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory; the kernel lets go when this process dies, however it dies.

        Raises:
            RunError: another live process holds it.
        """
        with (self / ".lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise RunError(
                    f"{self.path}: process {file.read().strip() or '?'} is running in this directory; "
                    "wait for it or choose another with --out DIR."
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    @property
    def is_held(self) -> bool:
        """Whether a live process holds the directory; nothing is written to find out."""
        try:
            with (self / ".lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def manifest(self) -> RunManifest:
        """Return the manifest.

        Raises:
            RunError: it is gone or damaged.
        """
        try:
            return from_json(RunManifest, self._content("manifest.json"))
        except ValidationError as error:
            raise self._damaged("manifest.json", error) from error

    def suite(self) -> Suite:
        """Return the suite as this run resolved it.

        Raises:
            RunError: it is gone or damaged.
        """
        try:
            return Suite.model_validate(self._content("suite.json"))
        except ValidationError as error:
            raise self._damaged("suite.json", error) from error

    def update(self, **changes: Any) -> RunManifest:
        """Write entries of the manifest, by the names of :class:`RunManifest`; return it."""
        manifest = replace(self.manifest(), **changes)
        self._write(manifest)
        return manifest

    def holds(self, scores: TestScores) -> bool:
        """Return whether the per-user file of a final is here, as it was written."""
        path = self / scores.path
        return path.exists() and known_sha256(path) == scores.sha256

    def log(self, text: str) -> None:
        """Append one line to log.txt."""
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        with (self / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {text}\n")

    def ledger(self) -> Ledger:
        """Open the ledger for appending.

        Raises:
            RunError: a line in its middle is damaged.
        """
        try:
            return Ledger(self / "ledger.jsonl")
        except ValueError as error:
            raise self._damaged("ledger.jsonl", error) from error

    def records(self) -> list[LedgerRecord]:
        """Return the records of the ledger, opening nothing for writing.

        Raises:
            RunError: it is gone or damaged.
        """
        try:
            return Ledger.read(self / "ledger.jsonl")
        except (OSError, ValueError) as error:
            raise self._damaged("ledger.jsonl", error) from error

    def _write(self, manifest: RunManifest) -> None:
        write_text(self / "manifest.json", json.dumps(to_json(manifest), indent=2) + "\n")

    def _content(self, name: str) -> dict[str, Any]:
        """Return the JSON object of a file."""
        try:
            content = json.loads((self / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise self._damaged(name, error) from error
        if not isinstance(content, dict):
            raise self._damaged(name, "not a JSON object")
        return content

    def _damaged(self, name: str, why: object) -> RunError:
        """Return the complaint about a file that cannot be read."""
        reason = str(why).partition("\n")[0]
        return RunError(f"{self / name}: cannot be read ({reason}); the run directory is damaged.")


def resolved(suite: Suite) -> dict[str, Any]:
    """Return a suite with every default, as JSON holds it."""
    content: dict[str, Any] = suite.model_dump(mode="json")
    return content


def runs_under(root: Path) -> list[RunDirectory]:
    """Return every readable run below a results folder, newest first."""
    found: list[tuple[str, RunDirectory]] = []
    if not os.path.isdir(root):  # noqa: PTH112 - false, not an error, for a name too long
        return []
    for path in sorted(root.glob("*/*/manifest.json")) + sorted(root.glob("*/manifest.json")):
        if path.parent.is_symlink():
            continue
        try:
            run = RunDirectory.existing(path.parent)
            found.append((run.manifest().started, run))
        except BenchError:
            continue
    return [run for _, run in sorted(found, key=lambda pair: pair[0], reverse=True)]
