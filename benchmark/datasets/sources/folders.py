"""Where data is looked for: the suite's folder, the data folder, the cache."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_dir

from benchmark.datasets.log import Say, silent
from benchmark.datasets.sources.known import KNOWN
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.specs import expanded
from benchmark.errors import DataError

SHOWN = 60
"""Characters of an impossible path that a message shows."""


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
        """Return a path that a suite names: beside the suite if there, else in the working directory.

        Raises:
            DataError: it is none that any file can have, or has a variable that is not set; or is there and
                no file or folder: a pipe may never end.
        """
        try:
            given = Path(expanded(path)).expanduser()
            beside = self.suite / given
            found = beside if os.path.lexists(beside) or not os.path.lexists(given) else given
            with suppress(FileNotFoundError, NotADirectoryError):
                if stat.S_IFMT(found.stat().st_mode) not in {stat.S_IFREG, stat.S_IFDIR}:
                    raise DataError(f"{found}: is neither a file nor a folder; give a file")
        except (OSError, ValueError, RuntimeError) as error:
            shown = path if len(path) <= SHOWN else f"{path[:SHOWN]}..."
            why = (error.strerror if isinstance(error, OSError) else "") or str(error)
            raise DataError(f"{shown!r}: cannot be a file ({why}); give the path of a file") from error
        return found

    def find(self, known: KnownDataset, say: Say = silent) -> Path | None:
        """Return the data set's folder on this machine; None if it must be downloaded."""
        if self.data and not self.data.is_dir():
            say(f"{self.data}: no such folder; looking elsewhere for {known.name}")
        roots = (self.data, self.cache) if self.data else (self.cache,)
        folders = [root / known.folder for root in roots]
        return next((folder for folder in folders if known.layout.find_main(folder)), None)


@dataclass(frozen=True)
class LocalDataset:
    """A known data set and its folder on this machine; None if it is not here."""

    known: KnownDataset
    folder: Path | None


def local_datasets(folders: DataFolders) -> list[LocalDataset]:
    """Return every known data set, with its folder on this machine."""
    return [LocalDataset(known, folders.find(known)) for known in KNOWN.values()]
