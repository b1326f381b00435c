"""The board as LaTeX: one table a data set, to be input in any article."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from benchmark.leaderboard import Board, TextTable
from benchmark.leaderboard.board_columns import printed_table
from benchmark.leaderboard.text_tables import labelled

MOST_ROWS = 40
"""Rows that fit on a page beside a caption; a longer table is continued in another."""

_HEAD = """% Made by bench. With the package booktabs rules have its weights; without it they are plain lines.
\\providecommand{\\toprule}{\\hline}
\\providecommand{\\midrule}{\\hline}
\\providecommand{\\bottomrule}{\\hline}
"""

_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{char: f"\\{char}" for char in "{}$&#%_"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # its own sign needs another font encoding than the article class has
    "×": r"$\times$",
    "–": "--",
    "−": "$-$",
    "≤": r"$\leq$",
    "•": r"$\bullet$",
    "²": r"$^2$",
    "±": r"$\pm$",
    "ß": r"\ss{}",
    "ø": r"\o{}",
    "ł": r"\l{}",
    "…": r"\ldots{}",
    "’": "'",
    "“": "``",
    "”": "''",
}
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030c": "v",
    "\u0327": "c",
    "\u030a": "r",
}


def latex(board: Board) -> str:
    """Return all tables of a board as LaTeX that needs no package."""
    boards = [printed_table(table) for table in board.tables]
    others = [table for table in board.text_tables() if table.kind != "board"]
    return _HEAD + "\n".join(part for table in [*boards, *others] for part in latex_table(table))


def latex_table(table: TextTable) -> Iterator[str]:
    """Yield a table with its notes as the caption, split into as many tables as it needs pages."""
    sides = "".join("r" if column.numeric else "l" for column in table.columns)
    head = " & ".join("$p$" if title == "p" else escape(title) for title in table.titles)
    for first in range(0, len(table.rows), MOST_ROWS) or [0]:
        notes = "(continued)" if first else " ".join(escape(labelled(note)) for note in table.notes)
        lines = [
            r"\begin{table}[htbp]",
            r"\centering\scriptsize\setlength{\tabcolsep}{2.5pt}",
            rf"\caption{{{escape(table.title)}. {notes}}}",
            r"\makebox[\textwidth][c]{%  wider than the narrow text of the article class, so centred on it",
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            rf"{head} \\",
            r"\midrule",
            *(latex_line(table, row) for row in table.rows[first : first + MOST_ROWS]),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
        ]
        yield "\n".join(lines) + "\n"


def latex_line(table: TextTable, row: object) -> str:
    """Return one row; numbers lose the zero before the decimal point, since the page is narrow."""
    cells = []
    for column in table.columns:
        text = column.text(row)
        cell = escape(re.sub(r"(?<!\d)0\.", ".", text) if column.numeric else text)
        cells.append(rf"\textbf{{{cell}}}" if column.is_bold(row) else cell)
    return " & ".join(cells) + r" \\"


def escape(text: str) -> str:
    r"""Return text that LaTeX sets as it is; a character that its default fonts lack becomes its code point.

    >>> escape("a_b & 50%"), escape("é\u05d0")
    ('a\\_b \\& 50\\%', "\\'{e}[U+05D0]")
    """
    written = []
    for char in unicodedata.normalize("NFC", text):
        apart = unicodedata.normalize("NFD", char)
        if char in _ESCAPES:
            written.append(_ESCAPES[char])
        elif " " <= char <= "~":
            written.append(char)
        elif len(apart) == 2 and apart[1] in _ACCENTS and apart[0].isascii() and apart[0].isalpha():
            written.append(f"\\{_ACCENTS[apart[1]]}{{{apart[0]}}}")
        else:
            written.append(" " if char.isspace() else f"[U+{ord(char):04X}]")
    return "".join(written)
