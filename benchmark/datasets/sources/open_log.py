"""Where a log comes from: the suite's path, the data folder, the cache, the publisher; else a stand-in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import pandas as pd
from platformdirs import user_cache_dir

from benchmark.datasets.log import Log, Role, Roles, hash_files
from benchmark.datasets.sources.download import (
    TIMEOUT_S,
    NotReachedError,
    Receipt,
    fetch_known,
    md5_of,
    receipt_of,
)
from benchmark.datasets.sources.known import KNOWN, PUBLISHER, KnownDataset
from benchmark.datasets.sources.layouts import (
    ITEM_ROLES,
    USER_ROLES,
    PublishedLog,
    files_of,
    find_layout,
    read_folder,
)
from benchmark.datasets.sources.synthetic import planted
from benchmark.datasets.specs import FilesSpec, LogSpec, SyntheticSpec
from benchmark.datasets.tables.read import read_log, read_parts, read_table
from benchmark.datasets.tables.side_tables import TableSpec
from benchmark.errors import DataError, SourceError, did_you_mean

Say: TypeAlias = Callable[[str], None]

YOUR_OWN = "your own"
STAND_IN = " (synthetic stand-in)"
"""What the name of a stand-in ends with."""
STAND_IN_SEED = 20_200_101
STAND_IN_ROWS = 1_000_000
"""Most rows of a stand-in; that of a larger log has users and items in proportion."""


def _silent(_: str) -> None:
    """Say nothing."""


def open_log(  # noqa: PLR0913 (options, by keyword only)
    spec: LogSpec,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    base_dir: Path = Path(),
    stand_in: bool = False,
    files: FilesSpec | None = None,
    base_url: str = PUBLISHER,
    timeout_s: float = TIMEOUT_S,
    say: Say = _silent,
) -> Log:
    """Return the log that ``spec`` names.

    Args:
        spec: which log.
        data_dir: folder with publishers' folders (``--data`` or ``$BENCH_DATA``); None if there is none.
        cache_dir: where downloads are kept; the user's own cache by default.
        base_dir: relative paths start here (the suite's folder), then in the working directory.
        stand_in: if a known data set cannot be had, return a generated log of the same shape, labelled
            so in its name, licence and origin.
        files: the three parts of a split of your own; the log is then their rows together.
        base_url: address of the publisher.
        timeout_s: longest silence of the publisher that is borne.
        say: takes one line of progress.

    Raises:
        SourceError: the name is unknown, or the data set cannot be had.
        DataError: the file is not what the spec says.
    """
    if spec.synthetic:
        log = planted(spec.synthetic, name=spec.name)
    elif files:
        log = _open_parts(spec, files, base_dir, say)
    elif spec.path:
        path = _resolve(spec.path, base_dir)
        log = _open_folder(spec, path) if path.is_dir() else _open_file(spec, path, base_dir, say)
    else:
        known = find_known(spec.name)
        try:
            folder = find_folder(known, data_dir, cache_dir, say) or fetch(
                known.name, cache_dir, say, base_url=base_url, timeout_s=timeout_s
            )
            log = _published(known, folder, spec)
        except SourceError as error:
            if not stand_in:
                raise
            say(f"{error}\n  {known.name}: a synthetic stand-in of the same shape takes its place")
            log = _stand_in(known)
    return _showing(_with_own_tables(log, spec, base_dir), spec)


def fingerprint(
    spec: LogSpec,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    base_dir: Path = Path(),
    files: FilesSpec | None = None,
) -> str:
    """Return a text that changes when a file of the log is touched: its place, size and time of change.

    Reads no file, so it is cheap; equal texts mean that nothing needs to be read again, different ones that
    the content hash must decide. A known data set that is not on this machine has the text "absent".
    """
    digest = hashlib.sha256(spec.model_dump_json().encode())
    paths = [_resolve(table.path, base_dir) for table in (spec.users, spec.item_table) if table]
    if files:
        paths += [_resolve(path, base_dir) for path in (files.train, files.valid, files.test)]
    elif spec.path:
        path = _resolve(spec.path, base_dir)
        paths += files_of(path, find_layout(path)) if path.is_dir() else [path]
    elif not spec.synthetic:
        known = find_known(spec.name)
        folder = find_folder(known, data_dir, cache_dir)
        if folder is None:
            return "absent"
        paths += files_of(folder, known.layout)
    for path in paths:
        seen = path.stat() if path.is_file() else None
        state = f"{seen.st_size}:{seen.st_mtime_ns}" if seen else "absent"
        digest.update(f"|{path.resolve()}|{state}".encode())
    return digest.hexdigest()


def find_known(name: str) -> KnownDataset:
    """Return what is known of a data set.

    Raises:
        SourceError: no data set has this name.
    """
    if name not in KNOWN:
        raise SourceError(
            f"no data set is called {name!r}{did_you_mean(name, KNOWN)}\n"
            f"  KnownDataset: {', '.join(KNOWN)}. For a file of your own give its path"
        )
    return KNOWN[name]


def find_folder(
    known: KnownDataset, data_dir: Path | None = None, cache_dir: Path | None = None, say: Say = _silent
) -> Path | None:
    """Return the data set's folder on this machine; None if it must be downloaded."""
    if data_dir and not data_dir.is_dir():
        say(f"{data_dir}: no such folder; looking elsewhere for {known.name}")
    roots = [root for root in (data_dir, cache_dir or default_cache()) if root]
    return next((root / known.folder for root in roots if (root / known.folder / known.main).is_file()), None)


def default_cache() -> Path:
    """Return the user's own cache folder for data sets."""
    return Path(user_cache_dir("recsys-bench")) / "data"


def fetch(
    name: str,
    cache_dir: Path | None = None,
    say: Say = _silent,
    *,
    base_url: str = PUBLISHER,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Return the folder of a known data set in the cache, downloaded there if need be.

    Raises:
        SourceError: it cannot be had; the message says why and what to do.
    """
    known = find_known(name)
    try:
        return fetch_known(known, cache_dir or default_cache(), say, base_url=base_url, timeout_s=timeout_s)
    except NotReachedError as error:
        raise SourceError(
            f"{known.name} is not on this machine and {error}.\n"
            f"  Put the unpacked {known.folder} folder under $BENCH_DATA, allow stand_in: true in the suite, "
            "or run: bench run quickstart"
        ) from error


@dataclass(frozen=True)
class LocalDataset:
    """A known data set and where it lies on this machine (None: not here)."""

    known: KnownDataset
    url: str
    folder: Path | None


def known(data_dir: Path | None = None, cache_dir: Path | None = None) -> list[LocalDataset]:
    """Return every known data set, with the folder where it lies on this machine."""
    return [
        LocalDataset(one, f"{PUBLISHER}/{one.archive}", find_folder(one, data_dir, cache_dir))
        for one in KNOWN.values()
    ]


def _resolve(path: str, base_dir: Path) -> Path:
    """Return the path, a relative one from ``base_dir`` if it is there, else from the working directory."""
    given = Path(path).expanduser()
    beside = base_dir / given
    return beside if beside.exists() or not given.exists() else given


def _published(known: KnownDataset, folder: Path, spec: LogSpec) -> Log:
    """Return a publisher's log; its origin says so if the file is not the published one.

    Raises:
        SourceError: the file is not the one that was fetched.
    """
    receipt, found = receipt_of(folder), md5_of(folder / known.main)
    if receipt and found != receipt.main_md5:
        raise SourceError(
            f"{folder / known.main}: not the file that was fetched on {receipt.fetched}: md5 {found}, then "
            f"{receipt.main_md5}; delete {folder} and fetch it again: bench data fetch {known.name}"
        )
    log = _publishers_own(spec.name, read_folder(folder, known.layout), folder)
    return replace(
        log,
        scale=spec.scale or known.scale,
        licence=known.licence,
        origin=str(folder) + _doubt(known, found, receipt),
        acknowledged=f"shown when it was fetched, {receipt.fetched}" if receipt else log.acknowledged,
    )


def _doubt(known: KnownDataset, found: str, receipt: Receipt | None) -> str:
    """Return what keeps a file from being known as the published one, or ""."""
    if known.main_md5:
        return "" if found == known.main_md5 else f" ({known.main} differs from the published file)"
    if receipt and receipt.checked:
        return ""
    return f" ({known.main}: no published checksum, md5 {found})"


def _open_folder(spec: LogSpec, folder: Path) -> Log:
    layout = find_layout(folder)
    if spec.name in KNOWN and KNOWN[spec.name].layout == layout:
        return _published(KNOWN[spec.name], folder, spec)
    return replace(_publishers_own(spec.name, read_folder(folder, layout), folder), scale=spec.scale)


def _publishers_own(name: str, read: PublishedLog, folder: Path) -> Log:
    return Log(
        name=name,
        frame=read.frame,
        items=read.items,
        scale=None,
        licence=YOUR_OWN,
        origin=str(folder),
        synthetic=False,
        sha256=hash_files(read.files),
        users=read.users,
        item_roles=ITEM_ROLES,
        user_roles=USER_ROLES,
    )


def _open_file(spec: LogSpec, path: Path, base_dir: Path, say: Say) -> Log:
    if not path.is_file():
        raise DataError(
            f"{spec.name}: {path}: no such file; path is looked up from {base_dir.resolve()} "
            f"and from {Path.cwd()}"
        )
    return _own(spec, read_log(path, spec, say), path, [path], base_dir)


def _open_parts(spec: LogSpec, files: FilesSpec, base_dir: Path, say: Say) -> Log:
    paths = [_resolve(path, base_dir) for path in (files.train, files.valid, files.test)]
    return _own(spec, read_parts(paths, spec, say), paths[0].parent, paths, base_dir)


def _own(spec: LogSpec, frame: pd.DataFrame, origin: Path, read: list[Path], base_dir: Path) -> Log:
    tables = [_resolve(table.path, base_dir) for table in (spec.item_table, spec.users) if table]
    return Log(
        name=spec.name,
        frame=frame,
        items=None,
        scale=spec.scale,
        licence=YOUR_OWN,
        origin=str(origin),
        synthetic=False,
        sha256=hash_files([*read, *tables]),
    )


def _with_own_tables(log: Log, spec: LogSpec, base_dir: Path) -> Log:
    """Return the log with the tables that the spec names, which take the place of a publisher's."""
    if spec.item_table:
        items = read_table(_resolve(spec.item_table.path, base_dir), spec.item_table, "item")
        log = replace(log, items=items, item_roles=_roles(spec.item_table))
    if spec.users:
        users = read_table(_resolve(spec.users.path, base_dir), spec.users, "user")
        log = replace(log, users=users, user_roles=_roles(spec.users))
    return log


def _roles(table: TableSpec) -> Roles:
    """Return the role of each column; one that is cut into bands is shown as bands only."""
    columns: dict[Role, tuple[str, ...]] = {
        "category": (*table.categories, *(f"{column}_band" for column in table.bands)),
        "list": table.lists,
        "number": table.numbers,
        "text": table.texts,
    }
    return {column: role for role, named in columns.items() for column in named}


def _showing(log: Log, spec: LogSpec) -> Log:
    """Return the log with the roles of those columns only that models may be shown."""
    if spec.features is True:
        return log
    if spec.features is False:
        return replace(log, item_roles=None, user_roles=None)
    given = {**(log.user_roles or {}), **(log.item_roles or {})}
    for name in spec.features:
        if name not in given and not log.synthetic:
            raise DataError(
                f"{log.name}: features names {name!r}{did_you_mean(name, given)}; its tables have "
                f"{', '.join(given) or 'no features'}: name columns that are there"
            )
    kept = [
        {column: role for column, role in (roles or {}).items() if column in spec.features}
        for roles in (log.user_roles, log.item_roles)
    ]
    return replace(log, user_roles=kept[0], item_roles=kept[1])


def _stand_in(known: KnownDataset) -> Log:
    return planted(shape_of(known), name=f"{known.name}{STAND_IN}")


def shape_of(known: KnownDataset) -> SyntheticSpec:
    """Return the shape of a stand-in: users, items and rows of the real log, or fewer in proportion."""
    shrink = max(1.0, known.rows / STAND_IN_ROWS)
    users, items, rows = (int(size / shrink) for size in (known.users, known.items, known.rows))
    return SyntheticSpec(users=users, items=items, interactions=rows, seed=STAND_IN_SEED)
