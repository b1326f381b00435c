"""Arrays of a stored split, one ``.npy`` file each: written, mapped by whoever reads them, and checked."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import zlib
from pathlib import Path

import numpy as np

from benchmark.errors import DataError
from benchmark.protocol import Array

CHECKSUMS = "checksums.json"
SUFFIX = ".npy"


def write_column(path: Path, array: Array) -> None:
    """Write an array; its folder is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def mapped(path: Path) -> Array:
    """Return a stored array, mapped for reading: its pages are the file's, and all processes share them.

    It is opened by a second name in the folder for temporary files, gone at once, where both are on one
    file system: so what a process has mapped does not say where the run is, nor what lies beside it there.

    Raises:
        DataError: it is missing, damaged, or holds objects.
    """
    alias = Path(tempfile.gettempdir()) / f".{secrets.token_hex(8)}{SUFFIX}"
    try:
        try:
            os.link(path, alias)
        except OSError:  # another file system, or one without links; what is missing is said below
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        try:
            return np.asarray(np.load(alias, mmap_mode="r", allow_pickle=False))
        finally:
            alias.unlink()
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: damaged or missing ({error}); run the suite anew with --fresh") from error


def write_checksums(folder: Path) -> None:
    """Write the CRC-32 of every array in a folder and below."""
    sums = {str(path.relative_to(folder)): crc32(path) for path in sorted(folder.rglob(f"*{SUFFIX}"))}
    (folder / CHECKSUMS).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")


def check_columns(folder: Path) -> None:
    """Check every array of a stored split: once when a run goes on, since who maps one sees no damage.

    Raises:
        DataError: one is missing, or is not what was written.
    """
    path = folder / CHECKSUMS
    try:
        sums = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name, expected in sums.items() if crc32(folder / name) != expected]
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: damaged or missing ({error}); run the suite anew with --fresh") from error
    if changed:
        raise DataError(
            f"{folder / changed[0]}: damaged, its checksum differs; run the suite anew with --fresh"
        )


def crc32(path: Path) -> int:
    """Return the CRC-32 of a file's bytes."""
    found = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found = zlib.crc32(block, found)
    return found
