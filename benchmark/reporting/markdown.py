"""The board as GitHub-flavoured Markdown."""

from __future__ import annotations

from benchmark.leaderboard import Across, Board, Table
from benchmark.reporting.cells import OVER, columns_of, p_value, plain, signed, title_of

_SPECIAL = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "<": "&lt;", ">": "&gt;", "`": "\\`", "*": "\\*", "_": "\\_", "[": "\\["}
)


def markdown(board: Board) -> str:
    """Return the whole board as Markdown text."""
    label = " (synthetic data)" if board.synthetic else ""
    parts = [f"# {escape(board.suite)}{label}", *(_table(table) for table in board.tables)]
    if board.across is not None:
        parts.append(_across(board.across))
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
        *_pairs(table),
    ]
    return "\n".join(lines)


def _pairs(table: Table) -> list[str]:
    if not table.pairs:
        return []
    return [
        "\n### All pairs, p corrected over all of them\n",
        _line(["pair", "difference", "p"]),
        _line([":--", "--:", "--:"], escaped=True),
        *(
            _line([f"{pair['a']} − {pair['b']}", signed(pair["difference"]), p_value(pair["p"])])
            for pair in table.pairs
        ),
    ]


def _across(over: Across) -> str:
    lines = [
        "## All data sets\n",
        _line([title for title, _ in OVER]),
        _line([":--", *["--:"] * (len(OVER) - 1)], escaped=True),
        *(_line([text(row) for _, text in OVER]) for row in over.rows),
        "",
        *(f"- {escape(note)}" for note in over.notes),
    ]
    return "\n".join(lines)


def _line(cells: list[str], *, escaped: bool = False) -> str:
    return "| " + " | ".join(cell if escaped else escape(cell) for cell in cells) + " |"
