"""The first line of a text file: which separator cuts it, and which columns it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from benchmark.datasets.tables.encodings import encoding_of, not_text
from benchmark.datasets.tables.text_format import MISSING, SEPARATORS, TextFormat
from benchmark.datasets.tables.text_lines import UNIT_SEPARATOR, Dialect, Record, records, unquoted
from benchmark.errors import DataError, did_you_mean

TYPED = re.compile(r"(.+):(token|token_seq|float|float_seq)")
"""A column of RecBole's atomic files: its name and how it is read."""
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")
HEADER_WORD = re.compile(
    r"(?:user|item|customer|visitor|member|product|movie|film|book|artist|track|song|video|article|session)s?"
    r"[ _-]?(?:id|name|index|no)?(?::token)?|uid|iid|sku|asin|isbn|ratings?|stars|timestamp|event"
)
"""A cell, in lower case, that names a column rather than being an entry of it."""
WIDE = 12
"""From how many columns on a table of numbers is taken for a matrix of users and items."""
SHOWN = 12
SAMPLE = 20
MOST_LINES = 100
"""Lines that are looked at for the separator of a file without a header."""


@dataclass(frozen=True)
class TextHeader:
    """What the first line of a text file says.

    Attributes:
        dialect: how its lines are cut.
        names: of all columns.
        types: RecBole's type of each column, by name; empty if they have none.
        lines: lines up to the first row; the header, and what precedes it.
        first: the first record, header or not.
    """

    dialect: Dialect
    names: list[str]
    types: dict[str, str]
    lines: int
    first: Record


def read_header(path: Path, text_format: TextFormat, wanted: Sequence[str]) -> TextHeader:
    """Return how a text file is cut into columns; ``wanted`` are columns that its header should name.

    Raises:
        DataError: it is not text in its encoding, or has no line.
    """
    encoding = encoding_of(path, text_format.encoding)
    base = Dialect(encoding, quoted=text_format.quoted, multiline=text_format.multiline)
    base = replace(base, comment=text_format.comment, sparse=True)
    try:
        first = next(records(path, base), None)  # a comma stands in for the separator, not known yet
    except UnicodeError:
        raise not_text(path, encoding) or DataError(f"{path}: not text in {encoding}") from None
    if first is None:
        raise DataError(f"{path}: no rows; it must contain one line per row")
    if first.fields is None:
        raise DataError(
            f"{path}:{first.line}: a quoted field runs over lines: {first.text[:60]!r}; correct the line, or "
            "say quoted: false if quotes are characters, multiline: true if it is one field"
        )
    if text_format.columns and text_format.separator == "auto":
        separator = separator_between(path, len(text_format.columns), base)
    else:
        separator = find_separator(first.text, wanted, text_format, base)
    dialect = with_separator(base, separator)
    if separator == " ":
        dialect = replace(dialect, aligned=bool(re.search("^ |  ", first.text)))
    found = next(records(path, dialect))
    fields = found.fields or found.text.split(dialect.separator)
    dialect = replace(dialect, sparse=False)
    if text_format.columns is not None:
        names = list(text_format.columns) or [str(number + 1) for number in range(len(fields))]
        return TextHeader(dialect, names, {}, found.line - 1, found)
    names = [unquoted(field.strip()).strip() for field in fields]
    lines = found.line + len(re.findall("\r\n|\r|\n", found.text))
    typed = [TYPED.fullmatch(name) for name in names]
    if all(typed) and names:
        types = {match[1]: match[2] for match in typed if match}
        return TextHeader(dialect, [match[1] for match in typed if match], types, lines, found)
    return TextHeader(dialect, names, {}, lines, found)


def with_separator(dialect: Dialect, separator: str) -> Dialect:
    """Return a dialect with a separator as a suite writes it."""
    return replace(dialect, separator=UNIT_SEPARATOR if separator == "::" else separator)


def find_separator(first: str, wanted: Sequence[str], text_format: TextFormat, dialect: Dialect) -> str:
    """Return the separator given, or the one that cuts the first line into the columns expected."""
    if text_format.separator != "auto":
        return text_format.separator
    cut = {mark: names_in(first, mark, dialect) for mark in SEPARATORS}
    best = max(cut, key=lambda mark: len(set(wanted) & set(cut[mark])))
    if text_format.has_header and set(wanted) & set(cut[best]):
        return best
    if text_format.columns is not None and max(map(len, cut.values())) == len(cut[" "]):
        return " " if len(cut[" "]) > max(len(cut[mark]) for mark in SEPARATORS[:-1]) else best_of(cut)
    typed = next(
        (mark for mark, names in cut.items() if len(names) > 1 and all(map(TYPED.fullmatch, names))), None
    )
    return typed or best_of(cut)


def separator_between(path: Path, count: int, dialect: Dialect) -> str:
    """Return the separator that cuts the first lines of a file without a header into so many columns.

    Raises:
        DataError: more than one does.
    """
    fits, first = list(SEPARATORS), None
    for record in islice(records(path, dialect), MOST_LINES):
        first = first or record
        fits = [mark for mark in fits if len(names_in(record.text, mark, dialect)) == count]
    if len(fits) > 1:
        fits = [mark for mark in fits if mark != " "]  # blanks stand within dates and names
    if count > 1 and len(fits) > 1 and first is not None:
        raise DataError(
            f"{path}:{first.line}: {first.text[:60]!r} has {count} columns by each of the separators "
            f"{' and '.join(map(repr, fits))}; say which it is with separator"
        )
    return fits[0] if fits else ","


def best_of(cut: dict[str, list[str]]) -> str:
    """Return the separator with most columns; a blank stands within names too often."""
    return max(SEPARATORS[:-1], key=lambda mark: len(cut[mark]))


def names_in(line: str, separator: str, dialect: Dialect) -> list[str]:
    """Return the names in a header line that is cut by a separator."""
    own = replace(with_separator(dialect, separator), aligned=separator == " ")
    fields = own.fields(line) or line.split(own.separator)
    return [unquoted(field.strip()).strip() for field in fields]


def require_columns(path: Path, wanted: Iterable[str], found: Sequence[str], hint: str = "") -> None:
    """Check that a file has every wanted column, and once.

    Raises:
        DataError: it lacks one, or has it twice.
    """
    for name in wanted:
        if name not in found:
            shown = ", ".join(map(repr, found[:SHOWN]))
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise DataError(
                f"{path}: there is no column {name!r}{did_you_mean(name, found[:1000])}\n"
                f"  The file has: {shown}{more}. "
                + (
                    hint
                    or "Name yours with the keys of the data set, such as user, item, value and time; or "
                    "give columns if it has no header line"
                )
            )
        if list(found).count(name) > 1:
            raise DataError(f"{path}: {list(found).count(name)} columns are called {name!r}; rename one")


def require_header(path: Path, wanted: Sequence[str], header: TextHeader) -> None:
    """Check that a text file has every wanted column; where it lacks some, say what its first line may be.

    Raises:
        DataError: it lacks one, or has it twice; or it is a matrix of users and items.
    """
    names = header.names
    if set(wanted) <= set(names):
        require_columns(path, wanted, names)
        return
    refuse_matrix(path, header)
    text = header.first.text
    where = f"{path}:{header.first.line}"
    mark = text.lstrip()[:1]
    hint = ""
    if mark in {"#", "%"} and header.dialect.comment is None and names[0].lstrip(f"{mark} ") not in wanted:
        hint = f"{where} begins with {mark!r}: if it is a comment, say comment: {mark!r}"
    elif any(map(TYPED.fullmatch, names)):
        untyped = next(name for name in names if not TYPED.fullmatch(name))
        hint = (
            f"{where}: {untyped!r} is no name:type of RecBole's, whose types are token, token_seq, float and "
            "float_seq; correct the line"
        )
    elif any(NUMBER.fullmatch(name) for name in names) or len(names) == 1:
        shown = text if len(text) <= 60 else f"{text[:60]}..."
        of_each = f" with a name for each of the {len(names)} columns" if len(names) > 1 else ""
        hint = (
            f"{where} is {shown!r}; if that is a row and no header, say columns: [user, item, "
            f"...]{of_each}, or "
            "their numbers: user: 1, item: 2; if every line is a user and then that user's items, "
            "say layout: lists"
        )
    require_columns(path, wanted, names, hint)


def refuse_header(path: Path, wanted: Sequence[str], header: TextHeader) -> None:
    """Check that the first row of a file without a header line is none.

    Raises:
        DataError: each cell in a wanted column is the column's name or a word that headers have.
    """
    cells = {
        name: unquoted(cell.strip()).strip().lower()
        for name, cell in zip(header.names, header.first.fields or [], strict=False)
        if name in wanted
    }
    if cells and all(cell == name.lower() or HEADER_WORD.fullmatch(cell) for name, cell in cells.items()):
        raise DataError(
            f"{path}:{header.first.line}: {header.first.text[:60]!r} looks like a header line, and the "
            "suite says that there is none; name the columns as it does, without columns, or remove the line"
        )


def refuse_matrix(path: Path, header: TextHeader) -> None:
    """Check that a file is no matrix with a row for each user and a column for each item.

    Raises:
        DataError: it has many columns, all numbers or empty but the first.
    """
    if len(header.names) < WIDE:
        return
    dialect = replace(header.dialect, sparse=True)
    rows = [one.fields for one in islice(records(path, dialect, "replace"), 1, SAMPLE) if one.fields]
    cells = [unquoted(cell.strip()) for fields in rows for cell in fields[1:]]
    numeric = sum(not cell or cell in MISSING or bool(NUMBER.fullmatch(cell)) for cell in cells)
    if rows and numeric == len(cells) and all(len(fields) == len(header.names) for fields in rows):
        raise matrix(path, len(header.names))


def matrix(path: Path, columns: int) -> DataError:
    """Return the complaint about a matrix of users and items."""
    return DataError(
        f"{path}: {columns:,} columns, all numbers but the first: this looks like a matrix with a row "
        "for each "
        f"user and a column for each item; one row per interaction is wanted: bench data melt {path} OUT.csv "
        "makes it"
    )
