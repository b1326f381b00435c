"""The board as GitHub-flavoured Markdown."""

from __future__ import annotations

from benchmark.leaderboard import Board, Table
from benchmark.reporting.columns import columns_of, plain, title_of
from benchmark.reporting.extra_tables import TextTable, sides

_SPECIAL = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "<": "&lt;", ">": "&gt;", "`": "\\`", "*": "\\*", "_": "\\_", "[": "\\["}
)


def markdown(board: Board) -> str:
    """Return the whole board as Markdown text."""
    label = " (synthetic data)" if board.synthetic else ""
    parts = [f"# {escape(board.suite)}{label}", *(_table(table) for table in board.tables)]
    parts += [_side(side) for side in sides(board)]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    r"""Return text that Markdown shows as it is, whatever it holds.

    >>> escape("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    return plain(text).translate(_SPECIAL)


def _table(table: Table) -> str:
    columns = columns_of(table)
    lines = [
        f"## {escape(title_of(table))}\n",
        _line([column.title for column in columns]),
        _line(["--:" if column.numeric else ":--" for column in columns], escaped=True),
        *(_line([column.text(row) for column in columns]) for row in table.rows),
        "",
        *(f"- {escape(note)}" for note in table.notes),
    ]
    return "\n".join(lines)


def _side(side: TextTable) -> str:
    lines = [
        f"## {escape(side.title)}\n",
        _line(side.titles),
        _line([":--" if title in side.words else "--:" for title in side.titles], escaped=True),
        *(_line(side.texts(row)) for row in side.rows),
        "",
        *(f"- {escape(note)}" for note in side.notes),
    ]
    return "\n".join(lines).rstrip()


def _line(cells: list[str], *, escaped: bool = False) -> str:
    return "| " + " | ".join(cell if escaped else escape(cell) for cell in cells) + " |"
