"""The board in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from benchmark.leaderboard import Board, Table
from benchmark.reporting.columns import Column, columns_of, plain, title_of
from benchmark.reporting.extra_tables import TextTable, sides

GAP = 2
"""Blanks between two columns."""
NAMES = frozenset({"rank", "model"})
"""Columns that every part of a wide table starts with."""


def show(board: Board, console: Console) -> None:
    """Print every table of a board, its notes below it."""
    for table in board.tables:
        for place, block in enumerate(_blocks(table, console.width)):
            if place:
                console.print()
            console.print(block)
        for note in table.notes:
            console.print(
                Text(
                    f"  {plain(note)}", style="yellow" if "WARNING" in note or "synthetic" in note else "dim"
                )
            )
        console.print()
    for side in sides(board):
        _show_side(side, console)


def _show_side(side: TextTable, console: Console) -> None:
    drawn = RichTable(
        title=escape(plain(side.title)), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for title in side.titles:
        drawn.add_column(Text(title), justify="left" if title in side.words else "right")
    for row in side.rows:
        drawn.add_row(*[Text(plain(text)) for text in side.texts(row)])
    console.print(drawn)
    for note in side.notes:
        console.print(Text(f"  {plain(note)}", style="yellow" if "WARNING" in note else "dim"))
    console.print()


def _blocks(table: Table, width: int) -> Iterator[RichTable]:
    """Return the table; where it is wider than the terminal, in parts that each name the models."""
    shown = [column for column in columns_of(table) if any(_says(column.text(row)) for row in table.rows)]
    names = [column for column in shown if column.key in NAMES]
    title, part, used = title_of(table), list(names), sum(_width(column, table) for column in names)
    for column in shown:
        if column.key in NAMES:
            continue
        if used + _width(column, table) > width + GAP and len(part) > len(names):
            yield _block(table, part, title)
            title, part, used = "", list(names), sum(_width(column, table) for column in names)
        part.append(column)
        used += _width(column, table)
    yield _block(table, part, title)


def _width(column: Column, table: Table) -> int:
    return GAP + max(
        cell_len(plain(text)) for text in (column.title, *(column.text(row) for row in table.rows))
    )


def _block(table: Table, shown: list[Column], title: str) -> RichTable:
    drawn = RichTable(
        title=escape(plain(title)) or None, title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for column in shown:
        drawn.add_column(Text(column.title), justify="right" if column.numeric else "left", no_wrap=True)
    for row in table.rows:
        style = "bold" if row["model"] == table.reference else "dim" if row["status"] != "ok" else ""
        drawn.add_row(*[Text(plain(column.text(row))) for column in shown], style=style)
    return drawn


def _says(text: str) -> bool:
    return text not in {"", "–"}
