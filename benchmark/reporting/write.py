"""The board's files in a run directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmark.files import write_bytes, write_errors_as_run_error, write_text
from benchmark.leaderboard import Board
from benchmark.leaderboard.figures import Figure, all_figures
from benchmark.reporting.csv_json import as_csv, as_json, side_csvs
from benchmark.reporting.html import html, page
from benchmark.reporting.latex import latex
from benchmark.reporting.markdown import markdown

FORMATS: Mapping[str, Callable[[Board], str]] = {
    "md": markdown,
    "csv": as_csv,
    "json": as_json,
    "latex": latex,
    "html": html,
}
SUFFIXES = {"latex": "tex"}


def write_all(board: Board, folder: Path) -> None:
    """Write leaderboard.csv, .json, .md, .tex and .html, and figures/ as SVG and PNG, into a folder.

    Beside leaderboard.csv go folds.csv, groups.csv, pairs.csv and across.csv, those that have rows.

    Raises:
        RunError: it cannot be written.
    """
    figures = all_figures(board)
    for name, write in FORMATS.items():
        text = page(board, figures) if name == "html" else write(board)
        write_text(folder / f"leaderboard.{SUFFIXES.get(name, name)}", text)
    write_sides(board, folder)
    write_figures(figures, folder / "figures")


def write_csvs(board: Board, folder: Path) -> None:
    """Write leaderboard.csv and the CSV of every table beside it.

    Raises:
        RunError: they cannot be written.
    """
    write_text(folder / "leaderboard.csv", as_csv(board))
    write_sides(board, folder)


def write_sides(board: Board, folder: Path) -> None:
    """Write the CSV of every table beside the board.

    Raises:
        RunError: they cannot be written.
    """
    for kind, text in side_csvs(board).items():
        write_text(folder / f"{kind}.csv", text)


def write_figures(figures: Mapping[str, Sequence[Figure]], folder: Path) -> None:
    """Write each figure as SVG and PNG, in a folder of its data set where there are several.

    Raises:
        RunError: they cannot be written.
    """
    several = len([label for label in figures if label]) > 1
    for label, made in figures.items():
        target = folder / label if several and label else folder
        with write_errors_as_run_error(folder):
            target.mkdir(parents=True, exist_ok=True)
        for figure in made:
            write_text(target / f"{figure.name}.svg", figure.svg())
            write_bytes(target / f"{figure.name}.png", figure.png())
