"""One run's directory: its paths, its lock, its manifest."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.budget import Ledger
from benchmark.errors import BenchError, RunError
from benchmark.results.files import removed_on_error, write_atomically, write_errors_as_run_error

FORMAT = 1
"""Version of the directory's layout; another one is refused, not guessed at."""
FOLDERS = ("splits", "parts", "models")


class RunDirectory:
    """One run's directory: its paths, its lock, its manifest."""

    def __init__(self, path: Path) -> None:
        """Name the directory; nothing is made or read yet."""
        self.path = path

    def __truediv__(self, name: str) -> Path:
        """Return a file of the run, absolute: children work in folders of their own."""
        return self.path.absolute() / name

    @classmethod
    def create(cls, path: Path) -> RunDirectory:
        """Make the directory.

        Raises:
            RunError: it cannot be written.
        """
        with write_errors_as_run_error(path):
            for folder in (path, *(path / name for name in FOLDERS)):
                folder.mkdir(parents=True, exist_ok=True)
            probe = path / f".probe-{os.getpid()}"
            with removed_on_error(probe):
                probe.write_text("x")
            probe.unlink()
        return cls(path)

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """Open the directory of an earlier run.

        Raises:
            RunError: there is none, or it is of another format.
        """
        if not os.path.isfile(path / "manifest.json"):  # noqa: PTH113 - false, not an error, for a name too long
            raise RunError(
                f"{path}: is no run directory (no manifest.json); `bench runs` lists those there are."
            )
        found = cls(path)
        if (version := found.manifest().get("format")) != FORMAT:
            raise RunError(
                f"{path}: has format {version}, this bench reads format {FORMAT}; run the suite again."
            )
        return found

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
        """Whether a live process holds the directory."""
        try:
            with (self / ".lock").open("a+") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; empty if there is none yet.

        Raises:
            RunError: it is no JSON object.
        """
        path = self / "manifest.json"
        if not path.exists():
            return {}
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error
        if not isinstance(content, dict):
            raise RunError(f"{path}: is no JSON object; the run directory is damaged.")
        return content

    def suite(self) -> dict[str, Any]:
        """Return the suite as this run resolved it.

        Raises:
            RunError: it is gone or is not JSON.
        """
        path = self / "suite.json"
        try:
            content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error
        return content

    def note(self, **entries: Any) -> None:
        """Set entries of the manifest."""
        content = {"format": FORMAT} | self.manifest() | entries
        write_atomically(self / "manifest.json", json.dumps(content, indent=2, default=str) + "\n")

    def log(self, text: str) -> None:
        """Append one line to log.txt."""
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        with (self / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {text}\n")

    def ledger(self) -> Ledger:
        """Open the ledger.

        Raises:
            RunError: a line in its middle is not JSON.
        """
        try:
            return Ledger(self / "ledger.jsonl")
        except ValueError as error:
            raise RunError(
                f"{self / 'ledger.jsonl'}: is damaged ({error}); the run cannot be continued."
            ) from error


def runs_under(root: Path) -> list[RunDirectory]:
    """Return every readable run below a results folder, newest first."""
    found = []
    for manifest in sorted(root.glob("*/*/manifest.json")) + sorted(root.glob("*/manifest.json")):
        if manifest.parent.is_symlink():
            continue
        try:
            found.append(RunDirectory.existing(manifest.parent))
        except BenchError:
            continue
    return sorted(found, key=lambda run: run.manifest().get("started", ""), reverse=True)
