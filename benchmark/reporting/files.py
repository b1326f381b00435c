"""The board's files in a run directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmark.leaderboard import Board
from benchmark.reporting.figures import Figure, all_figures
from benchmark.reporting.html import html, page
from benchmark.reporting.latex import latex
from benchmark.reporting.markdown import markdown
from benchmark.reporting.tabular import as_csv, as_json
from benchmark.results import RunDirectory, write_atomically, write_bytes, writing

FORMATS: Mapping[str, Callable[[Board], str]] = {
    "md": markdown,
    "csv": as_csv,
    "json": as_json,
    "latex": latex,
    "html": html,
}
SUFFIXES = {"latex": "tex"}


def write_all(board: Board, run: RunDirectory) -> None:
    """Write leaderboard.csv, .json, .md, .tex and .html, and figures/ as SVG and PNG, into a run directory.

    Raises:
        RunError: it cannot be written.
    """
    figures = all_figures(board)
    for name, write in FORMATS.items():
        text = page(board, figures) if name == "html" else write(board)
        write_atomically(run / f"leaderboard.{SUFFIXES.get(name, name)}", text)
    write_figures(figures, run / "figures")


def write_figures(figures: Mapping[str, Sequence[Figure]], folder: Path) -> None:
    """Write each figure as SVG and PNG, in a folder of its data set where there are several.

    Raises:
        RunError: they cannot be written.
    """
    several = len([label for label in figures if label]) > 1
    for label, made in figures.items():
        place = folder / label if several and label else folder
        with writing(folder):
            place.mkdir(parents=True, exist_ok=True)
        for figure in made:
            write_atomically(place / f"{figure.name}.svg", figure.svg())
            write_bytes(place / f"{figure.name}.png", figure.png())
