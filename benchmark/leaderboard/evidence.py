"""What verdicts on one data set are made from: its board, and the values of every user behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.budget import Line
from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard.build import Ranking
from benchmark.leaderboard.dataset_results import DatasetResults, read, split_folder
from benchmark.leaderboard.table import Table
from benchmark.metrics.register import Metric
from benchmark.protocol import Values
from benchmark.results import RunDirectory, latest


@dataclass(frozen=True)
class Evidence:
    """One data set of a finished run.

    Attributes:
        run: where it is stored.
        table: its board.
        metric: the primary metric.
        scores: (S, U) for every model with a result: contributions whose mean over users is the primary
            value of a seed; for RMSE the MSE.
        deterministic: whether seeds add no chance: they change nothing, or there is but one.
        finals: the close line of each such model's seed 0, trained as the board ranks it.
        suite: the resolved suite.
        data: what the manifest says of the data set and its split.
        per_user: stored rows of every final.
    """

    run: RunDirectory
    table: Table
    metric: Metric
    scores: Mapping[str, Values]
    deterministic: Mapping[str, bool]
    finals: Mapping[str, Line]
    suite: dict[str, Any]
    data: dict[str, Any]
    per_user: pd.DataFrame

    @property
    def alpha(self) -> float:
        """Level of the family of verdicts."""
        return float(self.suite["verdict"]["alpha"])

    @property
    def margin(self) -> float:
        """How much worse than the reference a pick may be, relative to it."""
        return float(self.suite["verdict"]["margin"])

    @property
    def split(self) -> Path:
        """The folder of the stored split.

        Raises:
            RunError: it is gone, or is not the split of this run.
        """
        if (found := split_folder(self.run, self.table.dataset, self.data["hash"])) is not None:
            return found
        raise RunError(
            f"{self.run.path}: holds no split of {self.table.dataset} with hash {self.data['hash'][:8]}; "
            "the splits folder was changed after the run wrote it."
        )


def datasets_of(run: RunDirectory) -> list[str]:
    """Return the labels of a run's data sets, in the order of its suite.

    Raises:
        RunError: it has no results yet.
    """
    return [stored.dataset for stored in read(run)]


def evidence(run: RunDirectory, dataset: str | None = None) -> Evidence:
    """Return what a run knows of one data set; the only one if none is named.

    Raises:
        RunError: it is not finished, has no such data set, or has several and none was named.
    """
    if (state := run.manifest().get("state")) != "finished":
        raise RunError(
            f"{run.path}: is not finished ({state}), so models may be missing; run the same command again."
        )
    found = {stored.dataset: stored for stored in read(run)}
    if dataset is None and len(found) > 1:
        raise RunError(
            f"{run.path}: has {len(found)} data sets; name one: --dataset {' | --dataset '.join(found)}"
        )
    if dataset is not None and dataset not in found:
        raise RunError(
            f"--dataset {dataset}: {run.path} has no such data set{did_you_mean(dataset, found)}; "
            f"it has {', '.join(found)}"
        )
    return _of(run, found[dataset] if dataset is not None else next(iter(found.values())))


def _of(run: RunDirectory, stored: DatasetResults) -> Evidence:
    ranking = Ranking(stored)
    table = ranking.table()
    models = [row["model"] for row in table.ranked]
    scores = {model: ranking.finals.seeds_by_users(model) for model in models}
    fixed = {study["model"]: bool(study["deterministic"]) for study in stored.studies}
    return Evidence(
        run,
        table,
        ranking.primary,
        scores,
        {model: fixed[model] or len(scores[model]) == 1 for model in models},
        {model: _seed_0(stored, model) for model in models},
        stored.suite,
        stored.data,
        stored.per_user,
    )


def _seed_0(stored: DatasetResults, model: str) -> Line:
    study = f"{stored.dataset}/{model}"
    opened = stored.records.lines("open", study=study, role="trial")
    wanted = {"role": "final", "outcome": "complete", "seed": 0, "train_on": stored.train_on}
    return latest(stored.records.lines("close", study=study, study_key=opened[-1]["key"], **wanted))[0]
