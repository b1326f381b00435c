"""The board as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.leaderboard import Board, TextTable
from benchmark.leaderboard.formatting import plain
from benchmark.leaderboard.log_table import log_table
from benchmark.leaderboard.text_tables import labelled

_SPECIAL = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "<": "&lt;", ">": "&gt;", "`": "\\`", "*": "\\*", "_": "\\_", "[": "\\["}
)


def markdown(board: Board) -> str:
    """Return the whole board as Markdown text."""
    label = " (synthetic data)" if board.synthetic else ""
    logs = [made for table in board.tables if (made := log_table(table.facts.split)) is not None]
    parts = [f"# {escape(board.suite)}{label}", *map(markdown_table, (*board.text_tables(), *logs))]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: TextTable) -> str:
    """Return one table with its heading and notes."""
    lines = [
        f"## {escape(table.title)}\n",
        table_line(table.titles),
        "| " + " | ".join("--:" if column.numeric else ":--" for column in table.columns) + " |",
        *(table_line(table.texts(row)) for row in table.rows),
        "",
        *(f"- {escape(labelled(note))}" for note in table.notes),
    ]
    return "\n".join(lines).rstrip()


def table_line(cells: Sequence[str]) -> str:
    """Return one line of a table, every cell shown as it is."""
    return "| " + " | ".join(map(escape, cells)) + " |"


def escape(text: str) -> str:
    r"""Return text that Markdown shows as it is, whatever it holds.

    >>> escape("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    return plain(text).translate(_SPECIAL)
