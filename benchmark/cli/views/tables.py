"""A table in a terminal of any width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

WRAPPED = 60
"""Characters that a long column may be narrowed to; below that it becomes hard to read."""


def show_table(
    console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], *, long: int = 0
) -> None:
    """Print rows below their titles; the last ``long`` columns get a table each where all is too wide."""
    cells = [[Text(cell) for cell in row] for row in rows]
    longest = [max((cell.cell_len for cell in column), default=0) for column in zip(*cells, strict=True)]
    short = len(titles) - long
    if sum(longest[:short]) + sum(min(cell, WRAPPED) for cell in longest[short:]) <= console.width:
        console.print(table(titles, cells))
        return
    console.print(table(titles[:short], [row[:short] for row in cells]))
    for column in range(short, len(titles)):
        console.print()
        console.print(table([titles[0], titles[column]], [[row[0], row[column]] for row in cells]))


def table(titles: Sequence[str], cells: Sequence[Sequence[Text]]) -> Table:
    """Return a table without lines; the first column is never wrapped."""
    drawn = Table(box=None, pad_edge=False)
    for index, title in enumerate(titles):
        drawn.add_column(title, overflow="fold", no_wrap=index == 0)
    for row in cells:
        drawn.add_row(*row)
    return drawn
