"""Tables of your own: any CSV, TSV or Parquet file, read with messages that name file, line and column."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

import numpy as np
import pandas as pd

from benchmark.datasets.parts import PARTS
from benchmark.datasets.specs import LogSpec, TitlesSpec
from benchmark.errors import DataError, SplitError, did_you_mean

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
SEPARATORS = ("::", "\t", ";", "|", ",", " ")
UNIT = "\x1f"  # stands in for "::", which pandas can only read slowly
EPOCHS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))  # nano-, micro-, milliseconds since 1970


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


def read_log(path: Path, spec: LogSpec) -> pd.DataFrame:
    """Return the log in one file: columns user, item and, where named, value and time, in file order.

    Raises:
        DataError: the file is missing, empty or not text in UTF-8; a column is missing; a value is
            text; a time is neither a number nor an ISO 8601 date.
    """
    frame = _typed(path, spec)
    for side in ("user", "item"):
        frame[side] = _plain_ids(frame[side], f"{path}: column {getattr(spec, side)!r}")
    return frame


def read_parts(paths: Sequence[Path], spec: LogSpec) -> pd.DataFrame:
    """Return train, validation and test files below each other, with column part (0, 1, 2).

    Raises:
        DataError: as :func:`read_log`.
        SplitError: a pair of user and item stands in two parts.
    """
    frames = [_typed(path, spec) for path in paths]
    frame = pd.concat(frames, ignore_index=True)
    for side in ("user", "item"):
        frame[side] = _plain_ids(frame[side], f"{paths[0].parent}: column {getattr(spec, side)!r}")
    frame["part"] = np.repeat(np.arange(len(paths), dtype=np.int8), [len(one) for one in frames])
    _refuse_overlap(frame, paths)
    return frame


def read_titles(path: Path, spec: TitlesSpec, layout: TextFormat | None = None) -> pd.DataFrame:
    """Return a table of items: columns item, title and, where named, genres."""
    wanted = {"item": spec.item, "title": spec.title} | ({"genres": spec.genres} if spec.genres else {})
    frame = _columns(path, wanted, layout or TextFormat())
    frame["item"] = _plain_ids(frame["item"], f"{path}: column {spec.item!r}")
    for column in frame.columns.drop("item"):
        frame[column] = frame[column].astype("str").where(frame[column].notna(), "")
    return frame.drop_duplicates("item", ignore_index=True)


def _typed(path: Path, spec: LogSpec) -> pd.DataFrame:
    """Return the named columns with numbers as float64; ids stay as they were written."""
    wanted = {"user": spec.user, "item": spec.item}
    wanted |= {"value": spec.value} if spec.value else {}
    wanted |= {"time": spec.time} if spec.time else {}
    layout = TextFormat(spec.columns, "\t" if spec.separator == "tab" else spec.separator)
    frame = _columns(path, wanted, layout)
    place = _Place(path, layout)
    if spec.value:
        frame["value"] = _numbers(frame["value"], place, spec.value)
    if spec.time:
        frame["time"] = _seconds(frame["time"], place, spec.time)
    return frame


def _columns(path: Path, wanted: dict[str, str], layout: TextFormat) -> pd.DataFrame:
    """Return the wanted columns of a file under our names; the first two, ids, as written."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the path of a CSV, TSV or Parquet file")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; it must hold one line per interaction")
    read = _read_parquet if path.suffix in {".parquet", ".pq"} else _read_text
    frame = read(path, list(wanted.values()), layout)
    if frame.empty:
        raise DataError(f"{path}: no rows; it must hold one line per interaction")
    return frame[list(wanted.values())].set_axis(list(wanted), axis=1)


def _read_parquet(path: Path, wanted: list[str], _: TextFormat) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
        _require(path, wanted, names)
        return cast("pd.DataFrame", pq.read_table(path, columns=wanted).to_pandas())
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a Parquet file: {error}") from error


def _read_text(path: Path, wanted: list[str], layout: TextFormat) -> pd.DataFrame:
    try:
        first = _first_line(path, layout.encoding)
        separator = _separator(first, wanted, layout)
        names = list(layout.columns) if layout.columns else _split(first, separator)
        _require(path, wanted, names)
        return _parse(path, separator, names, layout, ids=wanted[:2])
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


def _parse(
    path: Path, separator: str, names: list[str], layout: TextFormat, *, ids: list[str]
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


def _split(line: str, separator: str) -> list[str]:
    if separator == "::":
        return line.split("::")
    return [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]


def _separator(first: str, wanted: list[str], layout: TextFormat) -> str:
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
                f"  The file has: {', '.join(map(repr, found))}. Name yours with the keys user, item, value, "
                "time; or give columns if it has no header line"
            )
        if list(found).count(name) > 1:
            raise DataError(f"{path}: the column {name!r} stands {list(found).count(name)} times; rename one")


@dataclass(frozen=True)
class _Place:
    """Where a row stands in a file, for messages."""

    path: Path
    layout: TextFormat

    def of(self, row: int) -> str:
        """Return ``"FILE:LINE"`` of a row (from 0), or ``"FILE: row N"`` (from 1) in a Parquet file."""
        if self.path.suffix in {".parquet", ".pq"}:
            return f"{self.path}: row {row + 1}"
        with _open(self.path, self.layout.encoding) as file:
            reader = csv.reader(file)
            lines = (reader.line_num for words in reader if any(words))
            line = next(line for index, line in enumerate(lines) if index == row + self.layout.header_lines)
        return f"{self.path}:{line}"


def _numbers(column: pd.Series, place: _Place, name: str) -> pd.Series:
    """Return the column as float64, nan where missing; refuse text."""
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    wrong = np.flatnonzero((numbers.isna() & column.notna() & ~column.isin(MISSING)).to_numpy())
    if len(wrong):
        found = column.iloc[wrong[0]]
        raise DataError(
            f"{place.of(int(wrong[0]))}: column {name!r} has {str(found)!r} where a number must stand"
            + (f" ({len(wrong)} such rows)" if len(wrong) > 1 else "")
            + "; correct it, or name another column with the key value"
        )
    return numbers


def _seconds(column: pd.Series, place: _Place, name: str) -> pd.Series:
    """Return seconds since 1970 as float64, nan where missing.

    Numbers beyond 1e11 are read as milli-, micro- or nanoseconds; dates must follow ISO 8601, UTC
    unless they say otherwise.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _since_1970(pd.to_datetime(column, utc=True))
    present = column.notna() & ~column.isin(MISSING)
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    if numbers.notna().any():
        dates, wrong = numbers / _unit(numbers), present & numbers.isna()
    else:
        parsed = pd.to_datetime(column.where(present), utc=True, format="ISO8601", errors="coerce")
        dates, wrong = _since_1970(parsed), present & parsed.isna()
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(
            f"{place.of(row)}: column {name!r} has {str(column.iloc[row])!r}, which is no time; it must be a "
            "number of seconds since 1970 or a date such as 2024-05-31 18:00:00, the same kind in every row"
        )
    return dates


def _since_1970(dates: pd.Series) -> pd.Series:
    seconds = dates.astype("datetime64[ns, UTC]").astype("int64") / 1e9
    return seconds.where(dates.notna())


def _unit(numbers: pd.Series) -> float:
    middle = float(numbers.abs().median())
    return next((unit for limit, unit in EPOCHS if middle > limit), 1.0)


def _plain_ids(column: pd.Series, where: str) -> pd.Series:
    """Return ids as int64 where all are whole numbers in plain writing, else as text.

    "007" and "7" are different ids, so a column with such a number stays text. Missing ids stay
    missing. Works on the distinct ids, of which there are few.
    """
    codes, distinct = pd.factorize(column)
    ids = pd.Series(distinct)
    if pd.api.types.is_float_dtype(ids.dtype):
        if not (ids == ids.round()).all():
            raise DataError(f"{where} has fractions; an id must be a whole number or text")
        ids = ids.astype("int64")
    if not pd.api.types.is_integer_dtype(ids.dtype):
        ids = _numbers_in_plain_writing(ids.astype("str"))
    if (codes >= 0).all():
        return ids.take(codes).set_axis(column.index)
    nullable = ids.astype("Int64") if ids.dtype.kind == "i" else ids
    return nullable.reindex(codes).set_axis(column.index)


def _numbers_in_plain_writing(ids: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(ids, errors="coerce")
    if len(ids) and pd.api.types.is_integer_dtype(numbers.dtype) and (numbers.astype("str") == ids).all():
        return numbers.astype("int64")
    return ids


def _refuse_overlap(frame: pd.DataFrame, paths: Sequence[Path]) -> None:
    pairs = frame[["user", "item", "part"]].drop_duplicates()
    twice = pairs[pairs.duplicated(["user", "item"], keep=False)]
    if twice.empty:
        return
    user, item = twice["user"].iloc[0], twice["item"].iloc[0]
    same = twice[(twice["user"] == user) & (twice["item"] == item)]
    parts = " and ".join(f"{PARTS[part]} ({paths[part].name})" for part in same["part"])
    count = len(twice[["user", "item"]].drop_duplicates())
    raise SplitError(
        f"{paths[0].parent}: {count} pairs of user and item stand in more than one part, such as user "
        f"{user}, item {item} in {parts}; every pair must stand in one part only: remove it from the others"
    )
