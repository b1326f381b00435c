"""Files that are either whole or absent, their hashes, and one clear message when a disk is full."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import RunError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def content_hash(value: Any) -> str:
    """Return the SHA-256 of a JSON value, whatever the order of its keys.

    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_of(path: Path) -> str:
    """Return a text that changes whenever a file is touched: even where its size and time are set back.

    No program can set back the time at which the kernel saw a file change.
    """
    seen = os.stat(path)  # noqa: PTH116 - follows links, as open does
    return f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"


def known_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; in one process they are read again only if it was touched."""
    return _sha256_in_state(path, state_of(path))


@cache
def _sha256_in_state(path: Path, _: str) -> str:
    """Return the SHA-256 of a file that is in this state."""
    return file_sha256(path)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Lend a temporary name; the file written there takes the place of ``path`` once it is whole.

    On any error the temporary file is removed and ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the new one, never half of it.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> str:
    """Store a file whole or not at all; return its SHA-256.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    with write_errors_as_run_error(path.parent), atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@contextmanager
def disk_full_as_run_error(directory: Path) -> Iterator[None]:
    """Turn a disk that fills up during a run into one clear message.

    Raises:
        RunError: in place of the OSError; any other passes through.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise RunError(
            f"{directory}: the disk is full; everything finished is saved. "
            "Free some space and run the same command again."
        ) from error


@contextmanager
def write_errors_as_run_error(
    directory: Path, cure: str = "make it writable, or choose another"
) -> Iterator[None]:
    """Turn a full disk or a folder that cannot be written into one clear message.

    Args:
        directory: that is written to.
        cure: what to do. It names an option only where every command that leads here has it.

    Raises:
        RunError: in place of the OSError.
    """
    try:
        with disk_full_as_run_error(directory):
            yield
    except OSError as error:
        why = error.strerror or error
        raise RunError(f"{directory}: cannot be written ({why}); {cure}.") from error
