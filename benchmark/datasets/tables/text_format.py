"""How a text file is written, as a suite's entry says it for the log, its tables and its split files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from benchmark.datasets.specs import LayoutOfLines, LogSpec, Separator, TableSpec

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
SEPARATORS = ("::", "\t", ";", "|", ",", " ")


@dataclass(frozen=True)
class TextFormat:
    """How a text file is written.

    Attributes:
        columns: names of all columns; None if a header line names them; () if they have numbers, from 1.
        separator: between two columns; "auto" looks at the first line.
        encoding: of the text; "auto" is UTF-8, or what a byte order mark says.
        quoted: whether a field in quotes may contain the separator.
        multiline: whether such a field may run over lines.
        decimal: decimal mark of numbers.
        comment: lines that begin with it are left out.
        missing_values: entries that stand for nothing, besides :data:`MISSING`.
        layout: rows, or a user and all of the user's items a line.
    """

    columns: tuple[str, ...] | None = None
    separator: str = "auto"
    encoding: str = "auto"
    quoted: bool = True
    multiline: bool = False
    decimal: Literal[".", ","] = "."
    comment: str | None = None
    missing_values: tuple[str, ...] = ()
    layout: LayoutOfLines = "rows"

    @classmethod
    def of(cls, spec: LogSpec, table: TableSpec | None = None) -> TextFormat:
        """Return how the log of an entry is written, or a table of users or items beside it."""
        rows = table or spec
        return cls(
            columns=rows.columns,
            separator=separator_of(rows.separator),
            encoding=spec.encoding,
            quoted=spec.quoted,
            multiline=spec.multiline,
            decimal=spec.decimal,
            comment=spec.comment,
            missing_values=spec.missing_values,
            layout="rows" if table else spec.layout,
        )

    def with_table(self, columns: tuple[str, ...] | None, separator: Separator) -> TextFormat:
        """Return how another table is written that differs in its columns and what separates them."""
        return replace(self, columns=columns, separator=separator_of(separator), layout="rows")

    @property
    def has_header(self) -> bool:
        """Whether the first line names the columns."""
        return self.columns is None


def separator_of(given: Separator) -> str:
    """Return a separator as a character; suites may write "tab"."""
    return "\t" if given == "tab" else given
