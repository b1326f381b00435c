"""The board as LaTeX: one table a data set, to be input in any article."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from benchmark.leaderboard import Board, Row, Table
from benchmark.reporting.columns import decimal, p_value, signed, span, title_of, whole
from benchmark.reporting.extra_tables import TextTable, sides

MOST_ROWS = 40
"""Rows that fit on a page beside a caption; a longer table goes on in another."""
MOST_METRICS = 3
"""Columns of metrics that fit on a page of the article class; the CSV has all."""

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
    parts = [_table(board, table) for table in board.tables]
    parts += [part for side in sides(board) for part in _side(side)]
    return _HEAD + "\n".join(parts)


def escape(text: str) -> str:
    r"""Return text that LaTeX sets as it is; a character that its default fonts lack becomes its code point.

    >>> escape("a_b & 50%"), escape("é\u05d0")
    ('a\\_b \\& 50\\%', "\\'{e}[U+05D0]")
    """
    return "".join(_escape(char) for char in unicodedata.normalize("NFC", text))


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if " " <= char <= "~":
        return char
    apart = unicodedata.normalize("NFD", char)
    if len(apart) == 2 and apart[1] in _ACCENTS and apart[0].isascii() and apart[0].isalpha():
        return f"\\{_ACCENTS[apart[1]]}{{{apart[0]}}}"
    return " " if char.isspace() else f"[U+{ord(char):04X}]"


def _table(board: Board, table: Table) -> str:
    metrics = table.metrics[1:MOST_METRICS]
    titles = [
        "",
        "model",
        table.primary,
        "interval",
        *metrics,
        "difference",
        "interval",
        "$p$",
        "trials",
        "s",
    ]
    label = " Synthetic data." if board.synthetic else ""
    head = _line([title if title == "$p$" else escape(title) for title in titles])
    caption = f"{escape(title_of(table))}.{label} {escape(_legend(table))}"
    body = [_line(_cells(row, table, metrics)) for row in table.rows]
    return _floating(caption, f"rl{'r' * (len(titles) - 2)}", head, body)


def _floating(caption: str, places: str, head: str, body: Sequence[str]) -> str:
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\scriptsize\setlength{\tabcolsep}{2.5pt}",
        rf"\caption{{{caption}}}",
        r"\makebox[\textwidth][c]{%  wider than the narrow text of the article class, so centred on it",
        rf"\begin{{tabular}}{{{places}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _side(side: TextTable) -> Iterator[str]:
    """Yield a table beside the board, in as many parts as it needs pages."""
    places = "".join("l" if title in side.words else "r" for title in side.titles)
    head = _line(["$p$" if title == "p" else escape(title) for title in side.titles])
    for first in range(0, len(side.rows), MOST_ROWS):
        texts = [side.texts(row) for row in side.rows[first : first + MOST_ROWS]]
        notes = "(continued)" if first else " ".join(escape(note) for note in side.notes)
        yield _floating(f"{escape(side.title)}. {notes}", places, head, [_line(_short(row)) for row in texts])


def _short(texts: Sequence[str]) -> list[str]:
    """Return cells as LaTeX, numbers without the zero before their point."""
    return [escape(re.sub(r"(?<!\d)0\.", ".", text)) for text in texts]


def _legend(table: Table) -> str:
    level = f"{1 - table.facts['alpha']:.0%} intervals, unadjusted."
    against = f"Difference: to {table.reference}. " if table.reference else ""
    return f"{against}{level} p: seed-aware, Holm. Bold: in the set of the best. s: charged."


def _cells(row: Row, table: Table, metrics: tuple[str, ...]) -> list[str]:
    primary = table.primary
    if row["status"] != "ok":
        return ["", escape(row["model"]), escape(row["status"]), *[""] * (len(metrics) + 6)]
    texts = [
        decimal(row[primary]),
        span(row[f"{primary}_low"], row[f"{primary}_high"]),
        *(decimal(row[name]) for name in metrics),
        signed(row["diff_to_reference"]),
        span(row["diff_low"], row["diff_high"], signed),
        p_value(row["p_vs_reference"]),
        whole(row["trials"]),
        f"{row['charged_s']:.1f}",
    ]
    value, *others = _short(texts)
    bold = rf"\textbf{{{value}}}" if row["best_set"] else value
    return [whole(row["rank"]), escape(row["model"]), bold, *others]


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
