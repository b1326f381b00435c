"""What runs have stored of each data set, put together without opening anything for writing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.budget import Line
from benchmark.datasets.store.save import load_manifest
from benchmark.errors import RunError
from benchmark.results import RunDirectory, read_per_user


class Records:
    """The lines of one or more ledgers, for reading."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """Keep the lines."""
        self._lines = lines

    def lines(self, event: str, **match: Any) -> list[Line]:
        """Return the lines of one kind whose entries equal all of ``match``."""
        return [
            line
            for line in self._lines
            if line["event"] == event and all(line.get(key) == value for key, value in match.items())
        ]


@dataclass(frozen=True)
class DatasetResults:
    """All that is stored of one data set.

    Attributes:
        dataset: its label.
        data: its part of the manifest.
        suite: the resolved suite.
        studies: the manifest's studies on it, each with the hashes of the suite and environment it ran in.
        records: the ledger's lines.
        per_user: rows of per_user.parquet.
        references: the model that each run named before it opened test.
        split: the folder of the stored split; None where the run no longer holds it.
    """

    dataset: str
    data: dict[str, Any]
    suite: dict[str, Any]
    studies: list[dict[str, Any]]
    records: Records
    per_user: pd.DataFrame
    references: list[Line]
    split: Path | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, the primary one first."""
        wanted = self.suite["metrics"]
        return tuple(dict.fromkeys([wanted["primary"], *wanted["also"]]))

    @property
    def train_on(self) -> str:
        """Which finals the board ranks."""
        return str(self.suite["finals"]["train_on"])


def read(run: RunDirectory) -> list[DatasetResults]:
    """Return what a run has stored, data set by data set.

    Raises:
        RunError: it has no results yet, or its ledger is damaged.
    """
    manifest = run.manifest()
    if "datasets" not in manifest or "studies" not in manifest:
        raise RunError(f"{run.path}: has no results yet; run the same command again.")
    suite = run.suite()
    lines = _read_ledger(run / "ledger.jsonl")
    finals = Records(lines).lines("close", role="final", outcome="complete")
    hashes = {
        "suite_hash": manifest.get("suite_hash"),
        "environment_hash": manifest.get("environment", {}).get("hash"),
    }
    per_user = read_per_user(run, finals)
    return [
        DatasetResults(
            label,
            data,
            suite,
            [study | hashes for study in manifest["studies"] if study["dataset"] == label],
            Records([line for line in lines if label in (line.get("dataset"), _dataset_of(line, manifest))]),
            per_user[per_user["dataset"] == label] if len(per_user) else per_user,
            [line for line in lines if line["event"] == "reference" and line["dataset"] == label][-1:],
            split_folder(run, label, data["hash"]),
        )
        for label, data in manifest["datasets"].items()
    ]


def split_folder(run: RunDirectory, dataset: str, split_hash: str) -> Path | None:
    """Return the folder of a stored split; None if it is gone, or is not the split with this hash."""
    for path in sorted((run / "splits").glob("*/manifest.json")):
        manifest = load_manifest(path.parent)
        if manifest.dataset == dataset and manifest.hash == split_hash:
            return path.parent
    return None


def _dataset_of(line: Line, manifest: dict[str, Any]) -> str | None:
    """Return the data set of a line that names a study only."""
    study = line.get("study", "")
    return next((label for label in manifest["datasets"] if study.startswith(f"{label}/")), None)


def _read_ledger(path: Path) -> list[Line]:
    """Return every whole line; one that is being written, or was torn by a crash, is not there yet."""
    try:
        text = path.read_text("utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error


def together(runs: Sequence[RunDirectory]) -> list[DatasetResults]:
    """Return what several runs have stored; what they hold of the same data set becomes one.

    Raises:
        RunError: split hashes, metrics or settings differ, or two runs hold the same model.
    """
    found: dict[str, tuple[DatasetResults, RunDirectory]] = {}
    for run in runs:
        for stored in read(run):
            if stored.dataset in found:
                earlier, where = found[stored.dataset]
                stored = _joined(earlier, stored, f"{where.path} and {run.path}")  # noqa: PLW2901 - the same thing, grown
            found[stored.dataset] = stored, run
    primaries = {stored.metrics[0] for stored, _ in found.values()}
    if len(primaries) > 1:
        raise RunError(
            f"{', '.join(str(run.path) for run in runs)}: rank by {' and '.join(sorted(primaries))}; "
            "one board has one primary metric. Report them one by one."
        )
    return [stored for stored, _ in found.values()]


def _joined(one: DatasetResults, other: DatasetResults, where: str) -> DatasetResults:
    if one.data["hash"] != other.data["hash"]:
        raise RunError(
            f"{where}: {one.dataset} was split differently ({one.data['hash'][:8]} and "
            f"{other.data['hash'][:8]}); such scores are not comparable. Report them one by one."
        )
    for key in ("metrics", "finals", "verdict", "budget"):
        if one.suite[key] != other.suite[key]:
            raise RunError(
                f"{where}: have different {key} ({one.suite[key]} and {other.suite[key]}); "
                "a board needs the same for all models. Report them one by one."
            )
    names = {study["model"] for study in one.studies}
    if both := sorted(names & {study["model"] for study in other.studies}):
        raise RunError(
            f"{where}: both hold {', '.join(both)} on {one.dataset}; a board has one row a model. "
            "Report them one by one, or leave the model out of one run."
        )
    lines = [*one.records._lines, *other.records._lines]  # noqa: SLF001 - of the same class
    return DatasetResults(
        one.dataset,
        one.data,
        one.suite,
        one.studies + other.studies,
        Records(lines),
        pd.concat([one.per_user, other.per_user], ignore_index=True),
        one.references + other.references,
        one.split or other.split,
    )
