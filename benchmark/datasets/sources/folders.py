"""Where data is looked for: the suite's folder, the data folder, the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_dir

from benchmark.datasets.log import Say, silent
from benchmark.datasets.sources.known import KNOWN, KnownDataset


def data_directory(given: Path | None = None) -> Path | None:
    """Return the folder of publishers' data: the one given, else $BENCH_DATA, else None."""
    named = os.environ.get("BENCH_DATA")
    return given or (Path(named) if named else None)


def default_cache() -> Path:
    """Return the user's own cache folder for data sets."""
    return Path(user_cache_dir("recsys-bench")) / "data"


@dataclass(frozen=True)
class DataFolders:
    """Where data is looked for.

    Attributes:
        suite: relative paths start here, then in the working directory.
        data: contains publishers' folders (``--data`` or ``$BENCH_DATA``); None if there is none.
        cache: contains what was downloaded.
    """

    suite: Path = Path()
    data: Path | None = None
    cache: Path = field(default_factory=default_cache)

    def resolve(self, path: str) -> Path:
        """Return a path that a suite names: beside the suite if there, else in the working directory."""
        given = Path(path).expanduser()
        beside = self.suite / given
        return beside if beside.exists() or not given.exists() else given

    def find(self, known: KnownDataset, say: Say = silent) -> Path | None:
        """Return the data set's folder on this machine; None if it must be downloaded."""
        if self.data and not self.data.is_dir():
            say(f"{self.data}: no such folder; looking elsewhere for {known.name}")
        roots = (self.data, self.cache) if self.data else (self.cache,)
        folders = [root / known.folder for root in roots]
        return next((folder for folder in folders if (folder / known.main).is_file()), None)


@dataclass(frozen=True)
class LocalDataset:
    """A known data set and its folder on this machine; None if it is not here."""

    known: KnownDataset
    folder: Path | None


def local_datasets(folders: DataFolders) -> list[LocalDataset]:
    """Return every known data set, with its folder on this machine."""
    return [LocalDataset(known, folders.find(known)) for known in KNOWN.values()]
