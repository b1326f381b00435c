"""The board in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from benchmark.leaderboard import Across, Board, Table
from benchmark.reporting.cells import OVER, Column, columns_of, p_value, plain, signed, title_of

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
        if table.pairs:
            console.print(_pairs(table))
        console.print()
    if board.across is not None:
        _show_across(board.across, console)


def _pairs(table: Table) -> RichTable:
    drawn = RichTable(title="All pairs, p corrected over all of them", title_justify="left", box=None)
    for title in ("pair", "difference", "p"):
        drawn.add_column(title, justify="left" if title == "pair" else "right")
    for pair in table.pairs:
        drawn.add_row(
            Text(plain(f"{pair['a']} − {pair['b']}")), signed(pair["difference"]), p_value(pair["p"])
        )
    return drawn


def _show_across(over: Across, console: Console) -> None:
    drawn = RichTable(
        title="All data sets", title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for title, _ in OVER:
        drawn.add_column(title, justify="left" if title in {"model", "imputed"} else "right")
    for row in over.rows:
        drawn.add_row(*[Text(plain(text(row))) for _, text in OVER])
    console.print(drawn)
    for note in over.notes:
        console.print(Text(f"  {plain(note)}", style="dim"))


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
