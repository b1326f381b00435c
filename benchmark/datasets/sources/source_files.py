"""The files that a log is read from: what they hold, and whether they still do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import LogFiles, graph_files, locate
from benchmark.datasets.specs import FilesSpec, LogSpec
from benchmark.datasets.tables.table_file import part_files
from benchmark.errors import DataError
from benchmark.files import file_sha256, state_of
from benchmark.records import SourceFile

SETTLED_S = 2.0
"""A file that was touched later than this before it was read may be written again within one tick of its file
system's clock, and nothing but its content would tell."""


def source_paths(spec: LogSpec, folders: DataFolders, parts: FilesSpec | None = None) -> dict[str, Path]:
    """Return every file of a log that is here, by its role; no file is read.

    Empty for a generated log, and for a known data set that is not on this machine.

    Raises:
        DataError: the log has neither a path nor a known name, or its folder is in no known layout.
    """
    if spec.synthetic:
        return {}
    files = locate(spec, folders, parts)
    found = dict(_of_log(files))
    if parts and parts.negatives:
        found["negatives"] = folders.resolve(parts.negatives)
    for side, table in (("items", spec.item_table), ("users", spec.users)):
        if table:
            path = folders.resolve(table.path)
            found |= dict(_of_folder(side, path)) if path.is_dir() else {side: path}
    for role, path in graph_files(spec, folders).items():
        found |= dict(_of_folder(role, path)) if path.is_dir() else {role: path}
    return {role: path for role, path in found.items() if path.is_file()}


def _of_log(files: LogFiles) -> Iterator[tuple[str, Path]]:
    """Yield the files of the log itself; those below a folder by their names there."""
    if files.folder:
        yield from ((path.relative_to(files.folder).as_posix(), path) for path in files.paths)
        return
    for role, path in zip(files.parts or ("log",), files.paths, strict=False):
        if path.is_dir():
            yield from _of_folder(role, path)
        else:
            yield role, path


def _of_folder(role: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the parts of a table that is a folder."""
    yield from ((f"{role}/{part.relative_to(folder).as_posix()}", part) for part in part_files(folder))


def source_file(role: str, path: Path, written: Callable[[str], str] = str) -> SourceFile:
    """Return what a file holds now; ``written`` says how its path is kept.

    Raises:
        DataError: it cannot be read, or is being written.
    """
    try:
        before = state_of(path)
        digest = file_sha256(path)
        after, seen = state_of(path), path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if before != after:
        raise DataError(f"{path}: is being written; run the same command again once it is whole")
    touched = max(seen.st_mtime, seen.st_ctime)
    settled = datetime.now(UTC).timestamp() - touched > SETTLED_S
    return SourceFile(
        role=role,
        path=written(str(path.resolve())),
        sha256=digest,
        size=seen.st_size,
        modified=datetime.fromtimestamp(seen.st_mtime, UTC).isoformat(timespec="seconds"),
        state=after if settled else "",
    )


def current(
    role: str, recorded: SourceFile | None, path: Path, written: Callable[[str], str] = str
) -> SourceFile:
    """Return what a file holds now; one that was recorded before is read only if it was touched since.

    Raises:
        DataError: it cannot be read.
    """
    if recorded is None or not recorded.state or recorded.path != written(str(path.resolve())):
        return source_file(role, path, written)
    try:
        untouched = recorded.state == state_of(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    return recorded if untouched else source_file(role, path, written)


def difference(before: SourceFile | None, after: SourceFile) -> str | None:
    """Return in words how a file differs from what was recorded; None if it does not."""
    where = f"{after.path} ({after.role})"
    if before is None:
        return f"{where} is new, sha256 {after.sha256[:8]}"
    if before.sha256 == after.sha256:
        return None
    sizes = f"{before.size:,} bytes before, {after.size:,} now"
    return f"{where} was sha256 {before.sha256[:8]}, is {after.sha256[:8]} ({sizes})"
