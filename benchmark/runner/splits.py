"""Each data set of a suite as stored splits: made once, then trusted by their content hash."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.datasets.log import Log
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.open_log import fingerprint, open_log
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.split import Split, folds, split
from benchmark.datasets.store.candidates import COLD_ITEMS, has_negatives, store_candidates, store_negatives
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import load_manifest, save_split
from benchmark.errors import DataError, MetricError
from benchmark.metrics import register as metrics
from benchmark.results import RunDirectory
from benchmark.suite import Suite


@dataclass(frozen=True)
class StoredSplit:
    """One split of a data set, as the run keeps it; every fold is a data set of its own."""

    label: str
    directory: Path
    manifest: dict[str, Any]

    @property
    def rated(self) -> bool:
        """Whether the values are ratings on a known scale."""
        return self.manifest["scale"] is not None

    @property
    def described(self) -> tuple[str, ...]:
        """Which of "users" and "items" have features."""
        return tuple(side for side, found in self.manifest.get("features", {}).items() if found)

    @property
    def hash(self) -> str:
        """Content hash of the split."""
        return str(self.manifest["hash"])

    @property
    def beside(self) -> dict[str, Any]:
        """What results depend on beside the rows: features of users and items, and who is a candidate."""
        keys = ("features_sha256", "candidates", "candidates_sha256")
        return {key: self.manifest.get(key) for key in keys}


def labels_of(suite: Suite, name: str) -> list[str]:
    """Return a data set's label, or one for each of its folds: name#1, name#2, ..."""
    count = folds(suite.split)
    return [name] if count == 1 else [f"{name}#{number}" for number in range(1, count + 1)]


def store_all(
    suite: Suite, run: RunDirectory, data_dir: Path | None, base: Path, say: Callable[[str], None]
) -> list[StoredSplit]:
    """Return every split of every data set of the suite, stored under the run's splits.

    Raises:
        DataError: a log cannot be had, prepared or split as the suite says, or it is another one than
            the run began with.
    """
    shelf = SplitStore(suite, run / "splits", data_dir, base, say)
    shelf.refuse_shared_folders()
    return [stored for spec in suite.datasets for stored in shelf.splits_of(spec)]


@dataclass(frozen=True)
class SplitStore:
    """Where a run keeps its splits, and how they are made."""

    suite: Suite
    place: Path
    data_dir: Path | None
    base: Path
    say: Callable[[str], None]

    def refuse_shared_folders(self) -> None:
        """Raise if two data sets would be stored in one folder."""
        owners: dict[str, str] = {}
        for spec in self.suite.datasets:
            folder = folder_name(spec.name)
            if folder in owners:
                raise DataError(
                    f"datasets: {owners[folder]!r} and {spec.name!r} would both lie in splits/{folder}; "
                    "give one of them another name"
                )
            owners[folder] = spec.name

    def splits_of(self, spec: LogSpec) -> list[StoredSplit]:
        """Return the stored splits of one data set; what is missing is made."""
        labels = labels_of(self.suite, spec.name)
        folders = [self.place / folder_name(label) for label in labels]
        if all((folder / "manifest.json").exists() for folder in folders):
            self._refuse_changed(spec, load_manifest(folders[0]))
        else:
            self._make(spec, folders)
        return [self._ready(spec, folder) for folder in folders]

    def _make(self, spec: LogSpec, folders: Sequence[Path]) -> None:
        seen, log = self._seen(spec), self._open(spec)
        self.say(f"{log.name}: {log.origin} ({log.licence})")
        prepared = prepare(log, self.suite.prepare)
        for fold, folder in enumerate(folders):
            cut = split(prepared, self.suite.split, fold)
            save_split(_labelled(cut, fold, len(folders), source_fingerprint=seen), folder)

    def _open(self, spec: LogSpec) -> Log:
        return open_log(
            spec,
            data_dir=self.data_dir,
            base_dir=self.base,
            stand_in=self.suite.stand_in,
            files=self.suite.split.files,
            say=self.say,
        )

    def _seen(self, spec: LogSpec) -> str:
        return fingerprint(spec, data_dir=self.data_dir, base_dir=self.base, files=self.suite.split.files)

    def _refuse_changed(self, spec: LogSpec, manifest: dict[str, Any]) -> None:
        """Raise if the source is another one than the run began with; one that has gone is not needed."""
        try:
            if manifest["synthetic"] or self._seen(spec) == manifest.get("source_fingerprint"):
                return
            now = self._open(spec).sha256
        except DataError:
            return
        if now != manifest["source_sha256"]:
            raise DataError(
                f"{spec.name}: {manifest['origin']} has changed since this run split it "
                f"({manifest['source_sha256'][:8]} is now {now[:8]}); one run is one data set: "
                "put the old file back, or start another run with --fresh or --out DIR"
            )

    def _ready(self, spec: LogSpec, folder: Path) -> StoredSplit:
        manifest = load_manifest(folder)
        _fits(self.suite, manifest)
        manifest |= self._candidates(folder, manifest)
        if count := sampled_of(self.suite):
            draw_negatives(folder, count, self.suite.split.seed)
        if manifest["synthetic"] and spec.synthetic is None:
            self.say(f"{manifest['dataset']}: NOT REAL DATA, a synthetic stand-in; labelled so throughout.")
        for flag in manifest["audit"]["flags"]:
            self.say(f"{manifest['dataset']}: {flag}")
        return StoredSplit(manifest["dataset"], folder, manifest)

    def _candidates(self, folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
        """Return what is said of candidates; a split by cold items asks for them by itself."""
        wanted = self.suite.metrics.candidates
        if manifest.get("candidates") == COLD_ITEMS:
            return {"candidates": COLD_ITEMS}
        if isinstance(wanted, str):
            return {"candidates": wanted}
        beside = self.base / wanted.items
        return store_candidates(beside if beside.exists() else Path(wanted.items), folder)


def draw_negatives(folder: Path, count: int, seed: int) -> None:
    """Draw what sampled metrics rank, once, for validation and for test; what is stored stays.

    Validation knows nothing of test: a row of test may be a negative there.
    """
    from benchmark.metrics.negatives import draw
    from benchmark.metrics.relevance import union

    for part, known in (("valid", ("train", "valid")), ("test", ("train", "valid", "test"))):
        if not has_negatives(folder, part, count):
            held_out = load_parts(folder, part)
            users = np.flatnonzero(np.bincount(held_out.users)).astype(np.int32)
            store_negatives(
                folder, part, draw(users, union([load_parts(folder, *known)], held_out), count, seed)
            )


def folder_name(label: str) -> str:
    """Return the folder that a data set is stored in.

    >>> folder_name("my shop/2024#1"), folder_name("..")
    ('my-shop-2024#1', 'data')
    """
    return re.sub(r"[^A-Za-z0-9._#-]+", "-", label).lstrip(".") or "data"


def sampled_of(suite: Suite) -> int | None:
    """Return how many negatives the sampled metrics of a suite draw; None if it has none."""
    drawn = [metrics.parse_metric(name).sampled for name in suite.metrics.all]
    return max([count for count in drawn if count is not None], default=None)


def _labelled(cut: Split, fold: int, count: int, **more: Any) -> Split:
    """Return a split whose manifest says which fold of what it is."""
    manifest = cut.manifest | more
    if count > 1:
        name = manifest["dataset"]
        of = {**manifest.get("fold", {}), "of": name, "number": fold + 1, "count": count}
        manifest |= {"dataset": f"{name}#{fold + 1}", "fold": of}
    return replace(cut, manifest=manifest)


def _fits(suite: Suite, manifest: dict[str, Any]) -> None:
    for name in suite.metrics.all:
        try:
            metrics.parse_metric(name, manifest["n_items"])
        except MetricError as error:
            raise DataError(f"{manifest['dataset']}: {error}") from error


def data_directory(given: Path | None) -> Path | None:
    """Return the folder of publishers' data: the one given, else $BENCH_DATA."""
    named = os.environ.get("BENCH_DATA")
    return given or (Path(named) if named else None)
