"""Each data set of a suite as a stored split: made once, then trusted by its content hash."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.datasets.prepare import prepare
from benchmark.datasets.sources import open_log
from benchmark.datasets.split import split
from benchmark.datasets.store import load_manifest, save_split
from benchmark.errors import DataError, MetricError
from benchmark.metrics import names as metrics
from benchmark.results import RunDirectory
from benchmark.suite import Suite


@dataclass(frozen=True)
class Stored:
    """A data set as the run keeps it."""

    label: str
    directory: Path
    manifest: dict[str, Any]

    @property
    def rated(self) -> bool:
        """Whether the values are ratings on a known scale."""
        return self.manifest["scale"] is not None

    @property
    def hash(self) -> str:
        """Content hash of the split."""
        return str(self.manifest["hash"])


def store_all(
    suite: Suite, run: RunDirectory, data_dir: Path | None, base: Path, say: Callable[[str], None]
) -> list[Stored]:
    """Return every data set of the suite, stored under the run's splits.

    Raises:
        DataError: a log cannot be had, prepared or split as the suite says.
    """
    return [_store(suite, index, run, data_dir, base, say) for index in range(len(suite.datasets))]


def _store(
    suite: Suite, index: int, run: RunDirectory, data_dir: Path | None, base: Path, say: Callable[[str], None]
) -> Stored:
    spec = suite.datasets[index]
    folder = run / "splits" / re.sub(r"[^A-Za-z0-9._-]+", "-", spec.name)
    if not (folder / "manifest.json").exists():
        log = open_log(
            spec, data_dir=data_dir, base_dir=base, stand_in=suite.stand_in, files=suite.split.files, say=say
        )
        say(f"{log.name}: {log.origin} ({log.licence})")
        save_split(split(prepare(log, suite.prepare), suite.split), folder)
    manifest = load_manifest(folder)
    _fits(suite, manifest)
    if manifest["synthetic"] and spec.synthetic is None:
        say(f"{manifest['dataset']}: NOT REAL DATA, a synthetic stand-in; labelled so throughout.")
    for flag in manifest["audit"]["flags"]:
        say(f"{manifest['dataset']}: {flag}")
    return Stored(manifest["dataset"], folder, manifest)


def _fits(suite: Suite, manifest: dict[str, Any]) -> None:
    for name in suite.metrics.all:
        try:
            metrics.parse(name, manifest["n_items"])
        except MetricError as error:
            raise DataError(f"{manifest['dataset']}: {error}") from error


def data_directory(given: Path | None) -> Path | None:
    """Return the folder of publishers' data: the one given, else $BENCH_DATA."""
    named = os.environ.get("BENCH_DATA")
    return given or (Path(named) if named else None)
