"""One data set of a finished run, ranked: what a pick, a bundle and a comparison of runs are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import RunError, did_you_mean
from benchmark.leaderboard.build import Ranking
from benchmark.leaderboard.dataset_results import DatasetResults, read, read_together
from benchmark.leaderboard.table import Table
from benchmark.metrics.register import Metric, parse_metric
from benchmark.protocol import Values
from benchmark.records import FinalRecord
from benchmark.results import RunDirectory


@dataclass(frozen=True)
class RankedResults:
    """One data set of a finished run, or of several that are ranked as one.

    Attributes:
        runs: where it is stored.
        stored: what the runs hold of it.
        table: its board.
        scores: (S, U) for every model with a result: contributions whose mean over users is the primary
            value of a seed; for RMSE the MSE.
        finals: seed 0 of each such model, trained as the board ranks it.
    """

    runs: tuple[RunDirectory, ...]
    stored: DatasetResults
    table: Table
    scores: Mapping[str, Values]
    finals: Mapping[str, FinalRecord]

    @property
    def where(self) -> str:
        """The directories, for a message."""
        return ", ".join(str(run.path) for run in self.runs)

    def run_of(self, model: str) -> RunDirectory:
        """Return the run that a model comes from."""
        return self.stored.folders[model]

    @property
    def processors(self) -> Mapping[str, str]:
        """The processor that each run was measured on, by its directory; what is not known is left out."""
        runs = {
            str(run.path): self.stored.runs[model]
            for model, run in self.stored.folders.items()
            if model in self.stored.runs
        }
        return {path: one.hardware.processor for path, one in runs.items() if one.hardware is not None}

    @property
    def times_compare(self) -> bool:
        """Whether latencies and seconds of all models were measured on one kind of processor."""
        return len(set(self.processors.values())) <= 1

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return parse_metric(self.table.primary)

    @property
    def alpha(self) -> float:
        """Level of the family of verdicts."""
        return self.table.facts.alpha

    @property
    def margin(self) -> float:
        """How much worse than the reference a pick may be, relative to it."""
        return self.table.facts.margin

    def is_fixed(self, model: str) -> bool:
        """Return whether seeds add no chance: they change nothing, or there is but one."""
        return self.stored.studies[model].deterministic or len(self.scores[model]) == 1

    @property
    def split_folder(self) -> Path:
        """The folder of the stored split.

        Raises:
            RunError: it is gone, or is not the split of this run.
        """
        if self.stored.split_folder is not None:
            return self.stored.split_folder
        raise RunError(
            f"{self.where}: holds no split of {self.table.dataset} with hash "
            f"{self.stored.split.hash[:8]}; the splits folder was changed after the run wrote it."
        )


def dataset_names(run: RunDirectory) -> list[str]:
    """Return the labels of a run's data sets, in the order of its suite.

    Raises:
        RunError: it has no results yet.
    """
    return [stored.dataset for stored in read(run)]


def ranked_results(*runs: RunDirectory, dataset: str | None = None) -> RankedResults:
    """Return one data set of a finished run, or of several as one, ranked; the only one if none is named.

    Raises:
        RunError: a run is not finished, there is no such data set, or there are several and none was named;
            the runs do not belong on one board.
    """
    for run in runs:
        if (state := run.manifest().state) != "finished":
            raise RunError(
                f"{run.path}: is not finished ({state}), so models may be missing; run the same command "
                "again."
            )
    where = ", ".join(str(run.path) for run in runs)
    found = {stored.dataset: stored for stored in read_together(runs)}
    if dataset is None and len(found) > 1:
        raise RunError(
            f"{where}: has {len(found)} data sets; name one: --dataset {' | --dataset '.join(found)}"
        )
    if dataset is not None and dataset not in found:
        raise RunError(
            f"--dataset {dataset}: {where} has no such data set{did_you_mean(dataset, found)}; "
            f"it has {', '.join(found)}"
        )
    stored = next(iter(found.values())) if dataset is None else found[dataset]
    ranking = Ranking(stored)
    table = ranking.table()
    models = [row.model for row in table.ranked]
    return RankedResults(
        runs,
        stored,
        table,
        {model: ranking.finals.seeds_by_users(model) for model in models},
        {
            final.model: final
            for model in models
            for final in stored.complete_finals(model)
            if final.seed == 0
        },
    )
