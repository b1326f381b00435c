"""The board in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from benchmark.leaderboard import Board, Table
from benchmark.reporting.cells import columns_of, title_of


def show(board: Board, console: Console) -> None:
    """Print every table of a board, its notes below it."""
    for table in board.tables:
        console.print(_table(table))
        for note in table.notes:
            console.print(
                Text(f"  {note}", style="yellow" if "WARNING" in note or "synthetic" in note else "dim")
            )
        console.print()


def _table(table: Table) -> RichTable:
    drawn = RichTable(
        title=escape(title_of(table)), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    shown = [column for column in columns_of(table) if any(_says(column.text(row)) for row in table.rows)]
    for column in shown:
        drawn.add_column(Text(column.title), justify="right" if column.numeric else "left", no_wrap=True)
    for row in table.rows:
        style = "bold" if row["model"] == table.reference else "dim" if row["status"] != "ok" else ""
        drawn.add_row(*[Text(column.text(row)) for column in shown], style=style)
    return drawn


def _says(text: str) -> bool:
    return text not in {"", "–"}
