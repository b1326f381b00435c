"""Committed boards: what earlier runs, kept on purpose, say of a model."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class ReferenceBoard:
    """One folder under ``results/reference``: a suite as it ran, and the board that came out."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @cached_property
    def suite(self) -> Mapping[str, Any]:
        """The suite, every default written out."""
        loaded: Mapping[str, Any] = yaml.safe_load((self.folder / "suite.yaml").read_text(encoding="utf-8"))
        return loaded

    @property
    def primary(self) -> str:
        """The metric that chose and ranked."""
        return str(self.suite["metrics"]["primary"])

    @cached_property
    def rows(self) -> tuple[Mapping[str, str], ...]:
        """The rows of the board, each with ``use``: the adapter behind the model's name."""
        uses = {model["name"] or model["use"]: model["use"] for model in self.suite["models"]}
        text = (self.folder / "leaderboard.csv").read_text(encoding="utf-8")
        read = csv.DictReader(io.StringIO(text))
        return tuple({**row, "use": uses.get(row["model"], row["model"])} for row in read)

    def of(self, adapter: str) -> list[Mapping[str, str]]:
        """Return the rows of an adapter that have a result."""
        return [row for row in self.rows if row["use"] == adapter and row["status"] == "ok"]


def reference_boards(folder: Path | None = None) -> list[ReferenceBoard]:
    """Return the committed boards, by name: those of a folder, or those that ship with bench."""
    here = Path(__file__).parents[1]
    folders = [folder] if folder else [here / "reference", here.parent / "results" / "reference"]
    found = {
        path.parent.name: path.parent for one in folders for path in sorted(one.glob("*/leaderboard.csv"))
    }
    return [ReferenceBoard(found[name]) for name in sorted(found) if (found[name] / "suite.yaml").is_file()]
