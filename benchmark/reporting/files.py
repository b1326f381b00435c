"""The board's files in a run directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmark.leaderboard import Board
from benchmark.reporting.markdown import markdown
from benchmark.reporting.tabular import as_csv, as_json
from benchmark.results import RunDirectory, write_atomically

FORMATS: Mapping[str, Callable[[Board], str]] = {"md": markdown, "csv": as_csv, "json": as_json}


def write_all(board: Board, run: RunDirectory) -> None:
    """Write leaderboard.md, .csv and .json into the run directory.

    Raises:
        RunError: it cannot be written.
    """
    for suffix, write in FORMATS.items():
        write_atomically(run / f"leaderboard.{suffix}", write(board))
