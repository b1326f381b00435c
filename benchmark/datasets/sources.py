"""Where a log comes from: the suite's path, the data folder, the cache, the publisher; else a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd
from platformdirs import user_cache_dir

from benchmark.datasets.catalogue import KNOWN, PUBLISHER, Known
from benchmark.datasets.download import TIMEOUT_S, NotReachedError, fetch_known, md5_of
from benchmark.datasets.log import Log, hash_files
from benchmark.datasets.publishers import find_layout, read_folder
from benchmark.datasets.readers import read_log, read_parts, read_titles
from benchmark.datasets.specs import FilesSpec, LogSpec, PlantedSpec
from benchmark.datasets.synthetic import planted
from benchmark.errors import DataError, SourceError, did_you_mean

Say: TypeAlias = Callable[[str], None]

YOUR_OWN = "your own"
STAND_IN = " (synthetic stand-in)"
"""What the name of a stand-in ends with."""
STAND_IN_SEED = 20_200_101


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
        return planted(spec.synthetic, name=spec.name)
    if files:
        return _open_parts(spec, files, base_dir)
    if spec.path:
        path = _resolve(spec.path, base_dir)
        return _open_folder(spec, path) if path.is_dir() else _open_file(spec, path, base_dir)
    known = find_known(spec.name)
    try:
        folder = find_folder(known, data_dir, cache_dir, say) or fetch(
            known.name, cache_dir, say, base_url=base_url, timeout_s=timeout_s
        )
        return _published(known, folder, spec)
    except SourceError as error:
        if not stand_in:
            raise
        say(f"{error}\n  {known.name}: a synthetic stand-in of the same shape takes its place")
        return _stand_in(known)


def find_known(name: str) -> Known:
    """Return what is known of a data set.

    Raises:
        SourceError: no data set has this name.
    """
    if name not in KNOWN:
        raise SourceError(
            f"no data set is called {name!r}{did_you_mean(name, KNOWN)}\n"
            f"  Known: {', '.join(KNOWN)}. For a file of your own give its path"
        )
    return KNOWN[name]


def find_folder(
    known: Known, data_dir: Path | None = None, cache_dir: Path | None = None, say: Say = _silent
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
class KnownHere:
    """A known data set and where it lies on this machine (None: not here)."""

    known: Known
    url: str
    folder: Path | None


def known(data_dir: Path | None = None, cache_dir: Path | None = None) -> list[KnownHere]:
    """Return every known data set, with the folder where it lies on this machine."""
    return [
        KnownHere(one, f"{PUBLISHER}/{one.archive}", find_folder(one, data_dir, cache_dir))
        for one in KNOWN.values()
    ]


def _resolve(path: str, base_dir: Path) -> Path:
    """Return the path, a relative one from ``base_dir`` if it is there, else from the working directory."""
    given = Path(path).expanduser()
    beside = base_dir / given
    return beside if beside.exists() or not given.exists() else given


def _published(known: Known, folder: Path, spec: LogSpec) -> Log:
    """Return a publisher's log; its origin says so if the file is not the published one."""
    read = read_folder(folder, known.layout)
    exact = md5_of(folder / known.main) == known.main_md5
    return Log(
        name=spec.name,
        frame=read.frame,
        items=read.items,
        scale=spec.scale or known.scale,
        licence=known.licence,
        origin=str(folder) + ("" if exact else f" ({known.main} differs from the published file)"),
        synthetic=False,
        sha256=hash_files(read.files),
    )


def _open_folder(spec: LogSpec, folder: Path) -> Log:
    layout = find_layout(folder)
    if spec.name in KNOWN and KNOWN[spec.name].layout == layout:
        return _published(KNOWN[spec.name], folder, spec)
    read = read_folder(folder, layout)
    return _own(spec, read.frame, read.items, folder, hash_files(read.files))


def _open_file(spec: LogSpec, path: Path, base_dir: Path) -> Log:
    if not path.is_file():
        raise DataError(
            f"{spec.name}: {path}: no such file; path is looked up from {base_dir.resolve()} "
            f"and from {Path.cwd()}"
        )
    items, titles = _items(spec, base_dir)
    return _own(spec, read_log(path, spec), items, path, hash_files([path, *titles]))


def _open_parts(spec: LogSpec, files: FilesSpec, base_dir: Path) -> Log:
    paths = [_resolve(path, base_dir) for path in (files.train, files.valid, files.test)]
    items, titles = _items(spec, base_dir)
    return _own(spec, read_parts(paths, spec), items, paths[0].parent, hash_files([*paths, *titles]))


def _items(spec: LogSpec, base_dir: Path) -> tuple[pd.DataFrame | None, list[Path]]:
    if spec.titles is None:
        return None, []
    path = _resolve(spec.titles.path, base_dir)
    return read_titles(path, spec.titles), [path]


def _own(spec: LogSpec, frame: pd.DataFrame, items: pd.DataFrame | None, origin: Path, sha256: str) -> Log:
    return Log(spec.name, frame, items, spec.scale, YOUR_OWN, str(origin), synthetic=False, sha256=sha256)


def _stand_in(known: Known) -> Log:
    """Return a generated log with the number of users, items and rows of the real one."""
    shape = PlantedSpec(users=known.users, items=known.items, interactions=known.rows, seed=STAND_IN_SEED)
    return planted(shape, name=f"{known.name}{STAND_IN}")
