"""The run directory: what a run writes, and how it is read back without trusting anything in it.

suite.yaml         resolved, every default written out
manifest.json      hashes, versions, hardware, how the run ended
ledger.jsonl       device-seconds and outcomes; a close line commits a trial or final
journal.log        the Optuna studies
splits/DATASET/    the stored split
parts/             per-user values of each final, one file each, complete or absent
models/            state of each model's seed 0, as safetensors: what a bundle is made of
trials.parquet     every trial, from the ledger
per_user.parquet   every final's per-user values and lists, from parts/
leaderboard.*      the board
log.txt            what the children printed, and every message
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.budget import Ledger
from benchmark.errors import BenchError, RunError

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.metrics.evaluate import Evaluation
    from benchmark.protocol import Values

FORMAT = 1
"""Version of the directory's layout; another one is refused, not guessed at."""
FOLDERS = ("splits", "parts", "models")


def content_hash(value: Any) -> str:
    """Return SHA-256 of a JSON value, whatever the order of its keys.

    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Return SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the new one, never half of it.

    Raises:
        RunError: the disk is full or the place cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path.parent), _gone_unless_done(temporary):
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)


@contextmanager
def _gone_unless_done(temporary: Path) -> Iterator[None]:
    """Leave no half-written file behind on a disk that is full."""
    try:
        yield
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def room(directory: Path) -> Iterator[None]:
    """Turn a disk that fills up while a run goes on into one clear message.

    Raises:
        RunError: in place of the OSError; any other is let through.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise RunError(
            f"{directory}: the disk is full; what is finished is saved. "
            "Free some space and run the same command again."
        ) from error


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Turn a full disk or a place that cannot be written into one clear message.

    Raises:
        RunError: in place of the OSError.
    """
    try:
        with room(directory):
            yield
    except OSError as error:
        why = error.strerror or error
        raise RunError(
            f"{directory}: cannot be written ({why}); choose another place with --out DIR."
        ) from error


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
        with writing(path):
            for folder in (path, *(path / name for name in FOLDERS)):
                folder.mkdir(parents=True, exist_ok=True)
            probe = path / f".probe-{os.getpid()}"
            with _gone_unless_done(probe):
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


PER_USER_COLUMNS = ("user", "squared_error", "absolute_error", "ratings", "items")


def write_part(path: Path, evaluation: Evaluation, more: Mapping[str, Values] | None = None) -> str:
    """Store a final's per-user values and top-K lists; return the file's SHA-256.

    Columns: user (dense id), one column per ranking metric and per entry of ``more``, the sums that
    rating metrics are made of, and ``items``, the list of K recommended items.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    users = len(evaluation.users)
    columns = {"user": pa.array(evaluation.users)}
    columns |= {name: pa.array(values) for name, values in {**evaluation.per_user, **(more or {})}.items()}
    for name in ("squared_error", "absolute_error", "ratings"):
        values = getattr(evaluation, name)
        columns[name] = pa.array(values if values is not None and len(values) else np.full(users, np.nan))
    lists = np.ascontiguousarray(evaluation.lists, dtype=np.int32)
    offsets = np.arange(0, lists.size + 1, lists.shape[1] if lists.size else 1, dtype=np.int32)
    columns["items"] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(lists.ravel()))
    temporary = path.with_suffix(".tmp")
    with writing(path.parent), _gone_unless_done(temporary):
        pq.write_table(pa.table(columns), temporary)
        digest = file_hash(temporary)
        temporary.replace(path)
    return digest


def write_bytes(path: Path, content: bytes) -> str:
    """Store a file whole or not at all; return its SHA-256."""
    temporary = path.with_suffix(".tmp")
    with writing(path.parent), _gone_unless_done(temporary):
        temporary.write_bytes(content)
        temporary.replace(path)
    return hashlib.sha256(content).hexdigest()


def read_part(path: Path, sha256: str) -> pd.DataFrame:
    """Return a stored part.

    Raises:
        RunError: it is gone, or is not the file that was written.
    """
    import pandas as pd

    if not path.exists() or file_hash(path) != sha256:
        raise RunError(
            f"{path}: is missing or was changed after the run wrote it; run the same command again."
        )
    return pd.read_parquet(path)


def gather(run: RunDirectory, ledger: Ledger) -> None:
    """Write trials.parquet and per_user.parquet from the ledger and the parts."""
    import pandas as pd

    with writing(run.path):
        trials = pd.DataFrame([_trial_row(line) for line in ledger.lines("close", role="trial")])
        _replace(trials, run / "trials.parquet")
        rows = _from_parts(run, ledger.lines("close", role="final", outcome="complete"))
        if len(rows):
            _replace(rows, run / "per_user.parquet")


def read_per_user(run: RunDirectory, finals: list[dict[str, Any]]) -> pd.DataFrame:
    """Return every final's per-user rows; of a run that was stopped, those of the finals it completed.

    Args:
        run: the directory.
        finals: close lines of its complete finals.

    Raises:
        RunError: a file is gone or damaged.
    """
    import pandas as pd

    path = run / "per_user.parquet"
    if not path.exists():
        return _from_parts(run, finals)
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error


def _from_parts(run: RunDirectory, finals: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frames = [
        read_part(run / line["part"], line["sha256"]).assign(
            dataset=line["dataset"], model=line["model"], seed=line["seed"], train_on=line["train_on"]
        )
        for line in latest(finals)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def latest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last close line of each final, of each study's last key: what changed is fitted again."""
    keys = {line["study"]: line.get("study_key") for line in lines}
    fresh = [line for line in lines if line.get("study_key") == keys[line["study"]]]
    return list({(line["study"], line["seed"], line["train_on"]): line for line in fresh}.values())


def _trial_row(line: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in line.items() if not isinstance(value, dict | list)}
    return row | {key: json.dumps(value) for key, value in line.items() if isinstance(value, dict | list)}


def _replace(frame: pd.DataFrame, path: Path) -> None:
    temporary = path.with_name(f".{path.name}")
    with _gone_unless_done(temporary):
        frame.to_parquet(temporary, index=False)
        temporary.replace(path)


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
