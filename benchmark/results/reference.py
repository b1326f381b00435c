"""Reference boards: results that were committed on purpose, as evidence of what a model can do."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BeforeValidator, Json

from benchmark.records import Params, from_json
from benchmark.suite import Suite

EMPTY_IS_NONE = BeforeValidator(lambda cell: cell or None)


@dataclass(frozen=True, kw_only=True)
class ReferenceRow:
    """One row of a reference board; what its leaderboard.csv leaves empty is None.

    Attributes:
        adapter: the adapter behind the model's name.
        dataset: label of the data set.
        model: name on the board.
        status: "ok" for a row with a result.
        rank: its rank on the data set.
        is_reference: whether the others were compared with it.
        best_set: whether it may be the best.
        metrics: every metric on test, the primary one first.
        low: lower end of its 95 % interval.
        high: upper end.
        trials: number of trials.
        charged_s: device-seconds of tuning.
        at_edge: best values at an edge of their search range, as "lr=0.01, dim=8".
        config: the tuned configuration; older boards have none.
    """

    adapter: str
    dataset: str
    model: str
    status: str
    rank: Annotated[int | None, EMPTY_IS_NONE] = None
    is_reference: Annotated[bool | None, EMPTY_IS_NONE] = None
    best_set: Annotated[bool | None, EMPTY_IS_NONE] = None
    metrics: Mapping[str, Annotated[float | None, EMPTY_IS_NONE]]
    low: Annotated[float | None, EMPTY_IS_NONE] = None
    high: Annotated[float | None, EMPTY_IS_NONE] = None
    trials: Annotated[int | None, EMPTY_IS_NONE] = None
    charged_s: Annotated[float | None, EMPTY_IS_NONE] = None
    at_edge: Annotated[str | None, EMPTY_IS_NONE] = None
    config: Annotated[Json[Params] | None, EMPTY_IS_NONE] = None

    @property
    def value(self) -> float | None:
        """The primary metric on test."""
        return next(iter(self.metrics.values()))

    @property
    def interval(self) -> str:
        """Its 95 % interval, for people; empty where there is none."""
        return "" if self.low is None or self.high is None else f"{self.low:.4f} to {self.high:.4f}"


@dataclass(frozen=True)
class ReferenceBoard:
    """One folder under ``results/reference``: a suite as it ran, and the board that came out."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @cached_property
    def suite(self) -> Suite:
        """The suite, every default written out."""
        return Suite.model_validate(yaml.safe_load((self.folder / "suite.yaml").read_text("utf-8")))

    @property
    def primary(self) -> str:
        """The metric that chose and ranked."""
        return self.suite.metrics.primary

    @cached_property
    def rows(self) -> tuple[ReferenceRow, ...]:
        """Every row of the board."""
        adapters = {model.label: model.use for model in self.suite.tuned}
        with (self.folder / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
            return tuple(self._row(cells, adapters) for cells in csv.DictReader(file))

    def _row(self, cells: Mapping[str, str], adapters: Mapping[str, str]) -> ReferenceRow:
        """Return one line of leaderboard.csv."""
        metrics = {name: cells.get(name) for name in self.suite.metrics.all}
        ends = {end: cells.get(f"{self.primary}_{end}") for end in ("low", "high")}
        row = from_json(ReferenceRow, {"adapter": "", **cells, **ends, "metrics": metrics})
        return replace(row, adapter=adapters.get(row.model, row.model))

    def rows_of(self, adapter: str) -> list[ReferenceRow]:
        """Return the rows of an adapter that have a result."""
        return [row for row in self.rows if row.adapter == adapter and row.status == "ok"]

    def ranked(self, dataset: str) -> int:
        """Return how many rows have a rank on a data set."""
        return sum(row.dataset == dataset and row.rank is not None for row in self.rows)


def reference_boards(folder: Path | None = None) -> list[ReferenceBoard]:
    """Return the reference boards by name: those of a folder, or those that ship with bench."""
    here = Path(__file__).parents[1]
    folders = [folder] if folder else [here / "reference", here.parent / "results" / "reference"]
    found = {
        path.parent.name: path.parent for one in folders for path in sorted(one.glob("*/leaderboard.csv"))
    }
    return [ReferenceBoard(found[name]) for name in sorted(found) if (found[name] / "suite.yaml").is_file()]
