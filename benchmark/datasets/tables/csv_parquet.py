"""Columns of CSV, TSV and Parquet files as they are written; a complaint names file, line and column."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from benchmark.datasets.tables.arrow_frame import to_frame
from benchmark.errors import DataError, did_you_mean

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
SEPARATORS = ("::", "\t", ";", "|", ",", " ")
UNIT_SEPARATOR = "\x1f"  # stands in for "::", which pandas can only read slowly
PARQUET = {".parquet", ".pq"}


@dataclass(frozen=True)
class TextFormat:
    """How a text file is written.

    Attributes:
        columns: names of all columns; None if a header line names them.
        separator: between two columns; "auto" looks at the first line.
        encoding: of the text.
        quoted: whether a field in quotes may contain the separator.
    """

    columns: tuple[str, ...] | None = None
    separator: str = "auto"
    encoding: str = "utf-8-sig"
    quoted: bool = True

    @property
    def header_lines(self) -> int:
        """Lines before the first row."""
        return 0 if self.columns else 1


@dataclass(frozen=True)
class Location:
    """A file and how it is written: what a message needs to name a line."""

    path: Path
    text_format: TextFormat

    def row(self, index: int) -> str:
        """Return ``"FILE:LINE"`` of a row (from 0), or ``"FILE: row N"`` (from 1) for a Parquet file."""
        if self.path.suffix in PARQUET:
            return f"{self.path}: row {index + 1}"
        with open_text(self.path, self.text_format.encoding) as file:
            reader = csv.reader(file)
            lines = (reader.line_num for fields in reader if any(fields))
            first = self.text_format.header_lines
            line = next(line for number, line in enumerate(lines) if number == index + first)
        return f"{self.path}:{line}"


def read_columns(path: Path, wanted: Sequence[str], text_format: TextFormat, *, ids: int) -> pd.DataFrame:
    """Return the wanted columns of a file; in text files the first ``ids`` of them stay as written.

    Raises:
        DataError: the file is missing, empty, cut off, not text in its encoding or not a table; a column
            is missing.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the path of a CSV, TSV or Parquet file")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; it must contain one line per row")
    if path.suffix in PARQUET:
        frame = read_parquet(path, wanted, ids)
    else:
        frame = read_text(path, wanted, text_format, ids)
    if frame.empty:
        raise DataError(f"{path}: no rows; it must contain one line per row")
    return frame[list(wanted)]


def read_parquet(path: Path, wanted: Sequence[str], ids: int) -> pd.DataFrame:
    """Return the wanted columns of a Parquet file; nested ones are refused, and booleans as ids.

    Raises:
        DataError: see :func:`read_columns`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    import pyarrow.types as kinds

    try:
        require_columns(path, wanted, pq.read_schema(path).names)
        table = pq.read_table(path, columns=list(wanted))
        for index, name in enumerate(wanted):
            kind = table.schema.field(name).type
            if kinds.is_nested(kind) or (kinds.is_boolean(kind) and index < min(ids, 2)):
                raise DataError(
                    f"{path}: column {name!r} contains {kind}; it must contain numbers, text or dates"
                )
        return to_frame(table, path)
    except (pa.ArrowException, OSError) as error:
        with path.open("rb") as file:
            damaged = file.read(4) == b"PAR1"
        first_sentence = str(error).split(". ")[0].splitlines()[0].rstrip(".")
        raise DataError(
            f"{path}: {'damaged or cut off' if damaged else 'not a Parquet file'}: {first_sentence}; "
            + (
                "copy or write it again"
                if damaged
                else "give a Parquet file this name, or name this one .csv"
            )
        ) from error


def read_text(path: Path, wanted: Sequence[str], text_format: TextFormat, ids: int) -> pd.DataFrame:
    """Return at least the wanted columns of a text file; the first ``ids`` of them stay as written.

    Raises:
        DataError: see :func:`read_columns`.
    """
    try:
        with open_text(path, text_format.encoding) as file:
            line = file.readline()
            blank_lines = not line.strip()
            while line and not line.strip():
                line = file.readline()
        first = line.rstrip("\r\n")
        separator = find_separator(first, wanted, text_format)
        names = list(text_format.columns) if text_format.columns else split_line(first, separator)
        require_columns(path, wanted, names)
        # Arrow skips exactly one line as the header: it must be the very first line, and one line.
        if text_format.columns or not (blank_lines or first.count('"') % 2):
            frame = parse_with_arrow(path, separator, names, text_format, list(wanted), ids)
            if frame is not None:
                return frame
        return parse_with_pandas(path, separator, names, text_format, wanted[:ids])
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.object[error.start]:#04x} is not text in UTF-8; convert the file, for "
            "example: iconv -f latin1 -t utf-8 OLD > NEW"
        ) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        detail = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(
            f"{path}: not the same number of columns in every line: {detail}; put fields that contain the "
            "separator in quotes, or name another separator"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or cut off: {error}; copy or write it again") from error


def parse_with_arrow(
    path: Path, separator: str, names: list[str], text_format: TextFormat, wanted: list[str], ids: int
) -> pd.DataFrame | None:
    """Return the wanted columns, ids as categories of text; None if Arrow cannot read the file.

    25 M rows take seconds and no Python object a row. Whatever Arrow refuses is left to
    :func:`parse_with_pandas`, which can say where the fault is.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    if separator == "::":  # two colons make an empty column between two
        separator, names = ":", [part for name in names for part in (name, f"\x00{name}")][:-1]
    try:
        table = arrow.read_csv(
            path,
            arrow.ReadOptions(
                column_names=names,
                skip_rows=text_format.header_lines,
                encoding="utf-8" if text_format.encoding == "utf-8-sig" else text_format.encoding,
            ),
            arrow.ParseOptions(
                delimiter=separator,
                quote_char='"' if text_format.quoted else False,
                newlines_in_values=text_format.quoted,
            ),
            arrow.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted[:ids], pa.dictionary(pa.int32(), pa.string())),
                null_values=list(MISSING),
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError):
        return None
    if any(pa.types.is_time(field.type) for field in table.schema):
        return None  # hours without a day are not a moment
    return to_frame(table, path)


def parse_with_pandas(
    path: Path, separator: str, names: list[str], text_format: TextFormat, ids: Sequence[str]
) -> pd.DataFrame:
    """Return all columns; ids as they are written, the rest as pandas understands it."""
    source: Path | io.StringIO = path
    if separator == "::":
        with open_text(path, text_format.encoding) as file:
            source, separator = io.StringIO(file.read().replace("::", UNIT_SEPARATOR)), UNIT_SEPARATOR
    with warnings.catch_warnings():
        # pandas only warns when it cuts fields off a line that is too long.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            source,
            sep=separator,
            header=None if text_format.columns else 0,
            names=names,
            dtype=dict.fromkeys(ids, "str"),  # "007" is not 7
            encoding=text_format.encoding,
            quoting=csv.QUOTE_MINIMAL if text_format.quoted else csv.QUOTE_NONE,
            na_values=[""],
            keep_default_na=False,
            index_col=False,
            low_memory=False,
        )


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file, compressed by gzip or not."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def split_line(line: str, separator: str) -> list[str]:
    """Return the fields of a line."""
    if separator == "::":
        return line.split("::")
    return [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]


def find_separator(first: str, wanted: Sequence[str], text_format: TextFormat) -> str:
    """Return the separator given, or the one that cuts the first line into the columns expected."""
    if text_format.separator != "auto":
        return text_format.separator
    if text_format.columns:
        count = len(text_format.columns)
        return next((mark for mark in SEPARATORS if len(split_line(first, mark)) == count), ",")
    best = max(SEPARATORS, key=lambda mark: len(set(wanted) & set(split_line(first, mark))))
    if set(wanted) & set(split_line(first, best)):
        return best
    return max(SEPARATORS[:-1], key=lambda mark: len(split_line(first, mark)))


def require_columns(path: Path, wanted: Iterable[str], found: Sequence[str]) -> None:
    """Check that a file has every wanted column, and once.

    Raises:
        DataError: it lacks one, or has it twice.
    """
    for name in wanted:
        if name not in found:
            raise DataError(
                f"{path}: there is no column {name!r}{did_you_mean(name, found)}\n"
                f"  The file has: {', '.join(map(repr, found))}. Name yours with the keys of the data set, "
                "such as user, item, value and time; or give columns if it has no header line"
            )
        if list(found).count(name) > 1:
            raise DataError(f"{path}: {list(found).count(name)} columns are called {name!r}; rename one")
