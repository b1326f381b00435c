"""Files that are either whole or absent, and one clear message when a disk is full."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import RunError


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
    with write_errors_as_run_error(path.parent), removed_on_error(temporary):
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)


@contextmanager
def removed_on_error(temporary: Path) -> Iterator[None]:
    """Leave no half-written file behind on a disk that is full."""
    try:
        yield
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_full_as_run_error(directory: Path) -> Iterator[None]:
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
def write_errors_as_run_error(directory: Path) -> Iterator[None]:
    """Turn a full disk or a place that cannot be written into one clear message.

    Raises:
        RunError: in place of the OSError.
    """
    try:
        with disk_full_as_run_error(directory):
            yield
    except OSError as error:
        why = error.strerror or error
        raise RunError(
            f"{directory}: cannot be written ({why}); choose another place with --out DIR."
        ) from error


def write_bytes(path: Path, content: bytes) -> str:
    """Store a file whole or not at all; return its SHA-256."""
    temporary = path.with_suffix(".tmp")
    with write_errors_as_run_error(path.parent), removed_on_error(temporary):
        temporary.write_bytes(content)
        temporary.replace(path)
    return hashlib.sha256(content).hexdigest()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Lend the name of a file that takes the place of ``path`` once it is whole."""
    temporary = path.with_name(f".{path.name}")
    with removed_on_error(temporary):
        yield temporary
        temporary.replace(path)
