"""A table as people read it: titled columns, rows as text, notes; it shows itself in a terminal and as HTML.

Every other format is made from the same table, see :mod:`benchmark.reporting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from benchmark.leaderboard.formatting import NONE, plain
from benchmark.leaderboard.rows import Cell, Row, TableKind
from benchmark.records import Note

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

RowType_contra = TypeVar("RowType_contra", contravariant=True)
Emphasis: TypeAlias = Literal["", "reference", "failed"]

GAP = 2
"""Blanks between two columns in a terminal."""
STYLES: dict[Emphasis, str] = {"": "", "reference": "bold", "failed": "dim"}


@dataclass(frozen=True)
class Column(Generic[RowType_contra]):
    """One column.

    Attributes:
        title: its heading.
        text: what it says of a row.
        numeric: whether it is set to the right.
        key: the column of the CSV that it is sorted by; empty where it is not sorted.
        names: whether it tells rows apart: repeated in every part of a table that is wider than the terminal.
        more: whether it is for a second look: shown on the page, on request.
        wraps: whether it holds long text, which may take several lines.
        is_bold: whether a cell is set in bold where the format has it.
        meaning: what it says, for readers of the page; empty where its title says it.
    """

    title: str
    text: Callable[[RowType_contra], str]
    numeric: bool = True
    key: str = ""
    names: bool = False
    more: bool = False
    wraps: bool = False
    is_bold: Callable[[RowType_contra], bool] = lambda _: False
    meaning: str = ""


@dataclass(frozen=True)
class TextTable:
    """One table.

    Attributes:
        kind: what its rows are.
        dataset: the data set that it belongs to; empty for a table over several.
        title: its heading.
        columns: what it says of each row.
        rows: what it shows.
        notes: what a reader must know of it.
        emphasis: how a row is set apart.
    """

    kind: TableKind | Literal["searches", "importance", "log"]
    dataset: str
    title: str
    columns: tuple[Column[Any], ...]
    rows: tuple[Any, ...]
    notes: tuple[Note, ...] = ()
    emphasis: Callable[[Any], Emphasis] = lambda _: ""

    @property
    def titles(self) -> list[str]:
        """The headings."""
        return [column.title for column in self.columns]

    def texts(self, row: Any) -> list[str]:
        """Return what a row shows."""
        return [column.text(row) for column in self.columns]

    @property
    def filled(self) -> TextTable:
        """The same table without the columns that are empty in every row."""
        kept = [
            column for column in self.columns if any(column.text(row) not in {"", NONE} for row in self.rows)
        ]
        return replace(self, columns=tuple(kept))

    def parts(self, width: int) -> Iterator[TextTable]:
        """Yield the table in parts that fit into a width; each repeats the columns that tell rows apart."""
        from rich.cells import cell_len

        def needed(column: Column[Any]) -> int:
            texts = [column.title, *(column.text(row) for row in self.rows)]
            return GAP + max(cell_len(plain(text)) for text in texts)

        names = [column for column in self.columns if column.names]
        part, used, title = list(names), sum(map(needed, names)), self.title
        for column in self.columns:
            if column.names:
                continue
            if used + needed(column) > width + GAP and len(part) > len(names):
                yield replace(self, columns=tuple(part), title=title)
                part, used, title = list(names), sum(map(needed, names)), ""
            part.append(column)
            used += needed(column)
        yield replace(self, columns=tuple(part), title=title)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the table, in parts where it is wider than the terminal, and its notes below it."""
        from rich.markup import escape as escape_markup
        from rich.table import Table as RichTable
        from rich.text import Text

        for number, part in enumerate(self.filled.parts(options.max_width)):
            if number:
                yield Text()
            title = escape_markup(plain(part.title)) or None
            drawn = RichTable(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
            for column in part.columns:
                side: Literal["left", "right"] = "right" if column.numeric else "left"
                drawn.add_column(Text(column.title), justify=side, no_wrap=not column.wraps)
            for row in part.rows:
                texts = [Text(plain(text)) for text in part.texts(row)]
                drawn.add_row(*texts, style=STYLES[self.emphasis(row)])
            yield drawn
        for note in self.notes:
            yield Text(f"  {plain(labelled(note))}", style="yellow" if note.is_warning else "dim")
        yield Text()

    def to_html(self, *, sortable: bool = False) -> str:
        """Return the table as HTML without notes, style or script, every text escaped.

        Args:
            sortable: with the value of each cell, a button in each heading and a class for each column behind
                the chooser, for a page; rows must be of this package's kinds.
        """
        lines = ["<table>", "<thead><tr>"]
        places: list[tuple[int | None, Column[Any]]]
        places = [(number if sortable else None, column) for number, column in enumerate(self.columns)]
        for number, column in places:
            title = escape(column.title)
            hint = f' title="{escape(column.meaning)}"' if column.meaning else ""
            head = f'<button type="button"{hint}>{title}</button>' if sortable else title
            lines.append(f'<th scope="col"{_css(column, number)}>{head}</th>')
        lines.append("</tr></thead>\n<tbody>")
        header = next((column for column in self.columns if not column.numeric), None)
        for row in self.rows:
            values = row.as_dict() if sortable and isinstance(row, Row) else {}
            style = self.emphasis(row)
            lines.append(f'<tr class="{style}">' if style else "<tr>")
            for number, column in places:
                value = f' data-v="{escape(sort_text(values[column.key]))}"' if column.key in values else ""
                text = f"<bdi>{escape(column.text(row))}</bdi>"
                if column is header:
                    lines.append(f'<th scope="row"{value}>{text}</th>')
                else:
                    lines.append(f"<td{_css(column, number)}{value}>{text}</td>")
            lines.append("</tr>\n")
        return "".join([*lines, "</tbody></table>"])


def _css(column: Column[Any], number: int | None) -> str:
    classes = {"more": column.more, "number": column.numeric, "wrap": column.wraps}
    names = [name for name, holds in classes.items() if holds]
    if column.more and number is not None:
        names.append(f"c{number}")  # by which a reader's choice of columns finds it
    return f' class="{" ".join(names)}"' if names else ""


def sort_text(value: Cell) -> str:
    """Return what a cell is sorted by; nothing where there is no value.

    >>> sort_text(0.25), sort_text(True), sort_text(None), sort_text(float("nan"))
    ('0.25', '1', '', '')
    """
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - nan is not itself


def labelled(note: Note) -> str:
    """Return a note as plain text; a warning starts with the word.

    >>> labelled(Note("mind this.", "warning"))
    'WARNING: mind this.'
    """
    return f"WARNING: {note.text}" if note.is_warning else note.text


def notes_html(notes: Sequence[Note]) -> str:
    """Return notes as HTML, the warnings first, every text escaped."""
    warnings = [
        f'<p class="warn"><bdi>{escape(labelled(note))}</bdi></p>' for note in notes if note.is_warning
    ]
    others = [f"<li><bdi>{escape(note.text)}</bdi></li>" for note in notes if not note.is_warning]
    return "\n".join([*warnings, *(['<ul class="notes">', *others, "</ul>"] if others else [])])
