"""What a file is, by its first bytes and never by its name, and its bytes without compression."""

from __future__ import annotations

import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, cast

from benchmark.errors import DataError, did_you_mean

FileKind: TypeAlias = Literal["text", "json", "parquet", "feather", "orc"]

HEAD = 4096
LAYERS = 3  # a compressed file in a zip is read; nobody packs deeper on purpose
TABLES: tuple[tuple[bytes, FileKind], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "feather"),
    (b"FEA1", "feather"),
    (b"ORC", "orc"),
)
STREAMS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
XZ = b"\xfd7zXZ\x00"
ZIP = b"PK\x03\x04"
FOREIGN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"SQLite format 3\x00", "an SQLite database; export the table as CSV or Parquet"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of before 2007; save the sheet as CSV (UTF-8)"),
    (b"\x89HDF", "an HDF5 file; write the table as Parquet"),
    (b"\x93NUMPY", "a NumPy array; write rows of user, item and value as CSV or Parquet"),
    (b"%PDF", "a PDF document; give a table"),
    (b"Obj\x01", "an Avro file; write it as Parquet"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the data; run: git lfs pull"),
)
WEB_PAGE = (b"<!doctype html", b"<html")
PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))


def require_file(path: Path, key: str = "") -> None:
    """Check that a path is a regular file; nothing is opened, so a pipe is never waited for.

    Args:
        path: what a suite names.
        key: the key that names it, for the message.

    Raises:
        DataError: it is missing, a folder, a pipe or a device, or no path at all.
    """
    of_key = f"{key}: " if key else ""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        near = did_you_mean(path.name, names_beside(path))
        raise DataError(
            f"{of_key}{path}: no such file{near}; give the path of a CSV, TSV, JSON lines, Parquet, "
            "Feather or ORC file"
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(
            f"{of_key}{str(path)[:100]!r}: not a path that can be opened: {reason}; give the path of a file"
        ) from None
    if stat.S_ISDIR(mode):
        raise DataError(f"{of_key}{path}: a folder; give the path of a file")
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"
        raise DataError(f"{of_key}{path}: {kind}, not a file; write the data to a file and give its path")


def names_beside(path: Path) -> list[str]:
    """Return the names of the files in a path's folder, none if it is not there."""
    try:
        return sorted(os.listdir(path.parent))
    except OSError:
        return []


def kind_of(path: Path) -> FileKind:
    """Return what a file is, by its first bytes.

    Raises:
        DataError: it is empty, damaged, or nothing that is read here; the message says what it is.
    """
    with open_bytes(path) as file:
        start = file.read(HEAD)
    if not start:
        raise DataError(f"{path}: the file is empty; it must contain one line per row")
    kind = next((kind for mark, kind in TABLES if start.startswith(mark)), None)
    if kind == "orc" and path.suffix != ".orc" and b"\x00" not in start:
        kind = None  # a header may begin with ORC
    if kind:
        with path.open("rb") as file:
            packed = file.read(4) != start[:4]
        if packed:
            raise DataError(f"{path}: {kind.title()} within a compressed file; unpack it first")
        return kind
    if path.suffix in {".parquet", ".pq"}:
        raise DataError(
            f"{path}: not a Parquet file: it does not begin with PAR1; give a Parquet file this name, "
            "or name this one .csv"
        )
    refuse_foreign(path, start)
    return "json" if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b'{"', b"{ ", b"{}", b"[{")) else "text"


def refuse_foreign(path: Path, start: bytes) -> None:
    """Check that a file is not of a kind that is known and not read.

    Raises:
        DataError: it is.
    """
    what = next((what for mark, what in FOREIGN if start.startswith(mark)), None)
    if start[257:262] == b"ustar":
        what = "a tar archive; unpack it and give the path of one file"
    elif start.lstrip().lower().startswith(WEB_PAGE):
        what = "a web page and not the data, such as a form to log in; download it again"
    elif start.startswith(PICKLES):
        what = "a Python pickle, which may run code when it is opened; write the table as Parquet"
    if what:
        raise DataError(f"{path}: {what}")


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file; gzip, bz2, zstd, lz4, xz and a zip with one member are unpacked as it is read.

    Raises:
        DataError: it is no regular file, or it is damaged or cut off, also while it is read.
    """
    require_file(path)
    try:
        with path.open("rb") as file:
            yield unpacked(path, file)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> DataError:
    """Return the complaint about a file that cannot be read to its end."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(f"{path}: damaged or cut off: {reason.rstrip('.')}; copy or write it again")


def unpacked(path: Path, file: BinaryIO) -> BinaryIO:
    """Return the bytes of a file without the compression around it."""
    import pyarrow as pa

    for _ in range(LAYERS):
        buffered = (
            file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", file))
        )
        mark, file = buffered.peek(8)[:8], cast("BinaryIO", buffered)
        codec = next((codec for start, codec in STREAMS if mark.startswith(start)), None)
        if codec:
            file = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec)
        elif mark.startswith(XZ):
            file = cast("BinaryIO", lzma.LZMAFile(file))  # noqa: SIM115 - ends with the file beneath it
        elif mark.startswith(ZIP):
            file = only_member(path, file)
        else:
            break
    return file


def only_member(path: Path, file: BinaryIO) -> BinaryIO:
    """Open the one file in a zip.

    Raises:
        DataError: it contains none or several, or one with a password; or it is a workbook.
    """
    archive = zipfile.ZipFile(file)
    names = [
        info.filename
        for info in archive.infolist()
        if not (info.is_dir() or info.filename.startswith("__MACOSX/") or info.filename.endswith(".DS_Store"))
    ]
    if "[Content_Types].xml" in names:
        raise DataError(f"{path}: an Excel workbook; save the sheet as CSV (UTF-8) and give its path")
    if len(names) != 1:
        raise DataError(
            f"{path}: a zip with {len(names)} files{': ' if names else ''}{', '.join(names[:5])}"
            f"{' ...' if len(names) > 5 else ''}; it must have one: unpack it and give the path of one file"
        )
    if names[0].endswith(".npy"):
        raise DataError(f"{path}: a NumPy array; write rows of user, item and value as CSV or Parquet")
    try:
        return cast("BinaryIO", archive.open(names[0]))
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path}: {names[0]} in it cannot be read ({error}); unpack it first") from error
