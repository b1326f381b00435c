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
from typing import Any, TextIO, cast

import pandas as pd

from benchmark.errors import DataError, did_you_mean

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
SEPARATORS = ("::", "\t", ";", "|", ",", " ")
UNIT = "\x1f"  # stands in for "::", which pandas can only read slowly
PARQUET = {".parquet", ".pq"}


@dataclass(frozen=True)
class TextFormat:
    """How a text file is written: columns (None: a header line names them), separator, encoding."""

    columns: tuple[str, ...] | None = None
    separator: str = "auto"
    encoding: str = "utf-8-sig"
    quoted: bool = True

    @property
    def header_lines(self) -> int:
        """Lines before the first row."""
        return 0 if self.columns else 1


@dataclass(frozen=True)
class Place:
    """Where a row stands in a file, for messages."""

    path: Path
    layout: TextFormat

    def of(self, row: int) -> str:
        """Return ``"FILE:LINE"`` of a row (from 0), or ``"FILE: row N"`` (from 1) in a Parquet file."""
        if self.path.suffix in PARQUET:
            return f"{self.path}: row {row + 1}"
        with _open(self.path, self.layout.encoding) as file:
            reader = csv.reader(file)
            lines = (reader.line_num for words in reader if any(words))
            line = next(line for index, line in enumerate(lines) if index == row + self.layout.header_lines)
        return f"{self.path}:{line}"


def read_columns(path: Path, wanted: Sequence[str], layout: TextFormat, *, ids: int) -> pd.DataFrame:
    """Return the wanted columns of a file; in text files the first ``ids`` of them stay as written.

    Raises:
        DataError: the file is missing, empty, cut off, not text in its encoding or not a table; a column
            is missing.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the path of a CSV, TSV or Parquet file")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; it must hold one line per row")
    parquet = path.suffix in PARQUET
    frame = _read_parquet(path, wanted) if parquet else _read_text(path, wanted, layout, ids)
    if frame.empty:
        raise DataError(f"{path}: no rows; it must hold one line per row")
    return frame[list(wanted)]


def _read_parquet(path: Path, wanted: Sequence[str]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        _require(path, wanted, pq.read_schema(path).names)
        table = pq.read_table(path, columns=list(wanted))
        for name in wanted:
            _refuse_nested(path, name, table.schema.field(name).type)
        return cast("pd.DataFrame", table.to_pandas())
    except (pa.ArrowException, OSError) as error:
        cut = _starts_as_parquet(path)
        raise DataError(
            f"{path}: {'damaged or cut off' if cut else 'not a Parquet file'}: {_first_sentence(error)}; "
            + ("copy or write it again" if cut else "give a Parquet file this name, or name this one .csv")
        ) from error


def _starts_as_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _first_sentence(error: BaseException) -> str:
    return str(error).split(". ")[0].splitlines()[0].rstrip(".")


def _refuse_nested(path: Path, name: str, kind: Any) -> None:
    import pyarrow.types as kinds

    if kinds.is_nested(kind) or kinds.is_boolean(kind):
        raise DataError(f"{path}: column {name!r} holds {kind}; it must hold numbers, text or dates")


def _read_text(path: Path, wanted: Sequence[str], layout: TextFormat, ids: int) -> pd.DataFrame:
    try:
        first = _first_line(path, layout.encoding)
        separator = _separator(first, wanted, layout)
        names = list(layout.columns) if layout.columns else _split(first, separator)
        _require(path, wanted, names)
        header_first = bool(layout.columns) or _starts_with(path, layout.encoding, first)
        fast = _parse_fast(path, separator, names, layout, list(wanted), ids) if header_first else None
        return _parse(path, separator, names, layout, ids=wanted[:ids]) if fast is None else fast
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.object[error.start]:#04x} is no text in UTF-8; convert the file, for "
            "example: iconv -f latin1 -t utf-8 OLD > NEW"
        ) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        detail = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(
            f"{path}: not the same number of columns in every line: {detail}; put fields that hold the "
            "separator in quotes, or name another separator"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or cut off: {error}; copy or write it again") from error


def _parse_fast(
    path: Path, separator: str, names: list[str], layout: TextFormat, wanted: list[str], ids: int
) -> pd.DataFrame | None:
    """Return the wanted columns, ids as categories of text; None where Arrow does not read the file.

    25 M rows take seconds and no Python object a row. Whatever Arrow refuses is left to :func:`_parse`,
    which can say where the fault is.
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
                skip_rows=layout.header_lines,
                encoding="utf-8" if layout.encoding == "utf-8-sig" else layout.encoding,
            ),
            arrow.ParseOptions(
                delimiter=separator,
                quote_char='"' if layout.quoted else False,
                newlines_in_values=layout.quoted,
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
        return None  # hours without a day: no moment
    return cast("pd.DataFrame", table.to_pandas(date_as_object=False))


def _parse(
    path: Path, separator: str, names: list[str], layout: TextFormat, *, ids: Sequence[str]
) -> pd.DataFrame:
    """Return all columns; ids as they are written, the rest as pandas understands it."""
    with warnings.catch_warnings():
        # pandas only warns when it cuts fields off a line that is too long.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            _single_character(path, layout.encoding) if separator == "::" else path,
            sep=UNIT if separator == "::" else separator,
            header=None if layout.columns else 0,
            names=names,
            dtype=dict.fromkeys(ids, "str"),  # "007" is not 7
            encoding=layout.encoding,
            quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
            na_values=[""],
            keep_default_na=False,
            index_col=False,
            low_memory=False,
        )


def _open(path: Path, encoding: str) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _first_line(path: Path, encoding: str) -> str:
    with _open(path, encoding) as file:
        return next((line.rstrip("\r\n") for line in file if line.strip()), "")


def _starts_with(path: Path, encoding: str, header: str) -> bool:
    """Return whether the header is the very first line, and one line."""
    with _open(path, encoding) as file:
        return file.readline().rstrip("\r\n") == header and header.count('"') % 2 == 0


def _split(line: str, separator: str) -> list[str]:
    if separator == "::":
        return line.split("::")
    return [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]


def _separator(first: str, wanted: Sequence[str], layout: TextFormat) -> str:
    """Return the separator given, or the one that cuts the first line into the columns expected."""
    if layout.separator != "auto":
        return layout.separator
    if layout.columns:
        count = len(layout.columns)
        return next((mark for mark in SEPARATORS if len(_split(first, mark)) == count), ",")
    best = max(SEPARATORS, key=lambda mark: len(set(wanted) & set(_split(first, mark))))
    if set(wanted) & set(_split(first, best)):
        return best
    return max(SEPARATORS[:-1], key=lambda mark: len(_split(first, mark)))


def _single_character(path: Path, encoding: str) -> io.StringIO:
    with _open(path, encoding) as file:
        return io.StringIO(file.read().replace("::", UNIT))


def _require(path: Path, wanted: Iterable[str], found: Sequence[str]) -> None:
    """Refuse a file that lacks a wanted column, or has it twice."""
    for name in wanted:
        if name not in found:
            raise DataError(
                f"{path}: there is no column {name!r}{did_you_mean(name, found)}\n"
                f"  The file has: {', '.join(map(repr, found))}. Name yours with the keys of the data set, "
                "such as user, item, value and time; or give columns if it has no header line"
            )
        if list(found).count(name) > 1:
            raise DataError(f"{path}: the column {name!r} stands {list(found).count(name)} times; rename one")
