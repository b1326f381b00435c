"""How a suite is run, beyond what it says itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.sources.folders import DataFolders, data_directory


@dataclass(frozen=True)
class RunOptions:
    """How a suite is run, beyond what it says itself.

    Attributes:
        results: folder under which runs are made.
        out: this run's directory, if not a new one under ``results``.
        data: folder of publishers' data; $BENCH_DATA if None.
        base: folder that relative paths of the suite start from.
        jobs: studies side by side; as many slots as fit if None.
        fresh: start anew even where an unfinished run waits.
        follow: make anew what depends on data or code that changed since, and keep the rest.
        skip_missing: keep a row with the reason for models whose library is not installed.
    """

    results: Path = Path("results")
    out: Path | None = None
    data: Path | None = None
    base: Path = Path()
    jobs: int | None = None
    fresh: bool = False
    follow: bool = False
    skip_missing: bool = False

    @property
    def folders(self) -> DataFolders:
        """Where data is looked for."""
        return DataFolders(suite=self.base, data=data_directory(self.data))
