"""Columns as written, turned into numbers, words and bands; faults are named by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.table_file import Location
from benchmark.datasets.tables.text_format import MISSING
from benchmark.errors import DataError
from benchmark.protocol import Array, Longs

WITH_COMMA = r"\s*[-+]?[0-9]*,?[0-9]+(?:[eE][-+]?[0-9]+)?\s*"
THOUSANDS = r"\s*[-+]?[0-9]{1,3}(?:,[0-9]{3})+\s*"


@dataclass(frozen=True)
class Notation:
    """How the cells of a file are written, as the entry of a data set says it.

    Attributes:
        missing: what stands for a missing entry, besides what always does.
        decimal: the decimal mark.
        as_text: whether ids are kept as written.
        decimal_said: whether the suite says the decimal mark.
    """

    missing: tuple[str, ...] = ()
    decimal: str = "."
    as_text: bool = False
    decimal_said: bool = False

    @classmethod
    def of(cls, spec: LogSpec) -> Notation:
        """Return the notation of a log's file."""
        said = "decimal" in spec.model_fields_set
        return cls(spec.missing_values, spec.decimal, spec.ids == "text", said)


PLAIN = Notation()


def distinct_cells(column: pd.Series) -> tuple[Longs, pd.Series]:
    """Return codes (N,), -1 where missing, and the distinct texts without blanks around them."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, cells = column.cat.codes.to_numpy().astype(np.int64), column.cat.categories
    else:
        codes, cells = pd.factorize(column)
    return codes, pd.Series(cells).astype("str").str.strip()


def spread(cells: pd.Series, codes: Longs, column: pd.Series) -> pd.Series:
    """Return what the distinct cells became, for every row of a column; missing where the code is -1."""
    return cells.reindex(codes).set_axis(column.index)


def named_missing(numeric: pd.Series, notation: Notation) -> pd.Series:
    """Return which numbers (N,) the notation names as missing."""
    named = pd.to_numeric(pd.Series(notation.missing, dtype="str"), errors="coerce").dropna()
    return numeric.isin(named.astype(numeric.dtype) if len(named) else [])


def numbers(column: pd.Series, location: Location, name: str, notation: Notation = PLAIN) -> pd.Series:
    """Return the column as float64, nan where missing.

    Raises:
        DataError: an entry is not a number; the message names the first such line.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        found = column.astype("float64")
        if not notation.decimal_said:
            refuse_thousands(found, location, name)
        return found.mask(named_missing(found, notation)) if notation.missing else found
    codes, cells = distinct_cells(column)
    absent = cells.isin([*MISSING, *notation.missing])
    pointed = pd.Series(False, index=cells.index)
    plain = cells
    if notation.decimal == ",":
        pointed = cells.str.contains(".", regex=False).astype("bool")
        plain = cells.str.replace(",", ".", regex=False)
    found = pd.to_numeric(plain.mask(absent | pointed), errors="coerce").astype("float64")
    wrong = (found.isna() & ~absent).to_numpy(dtype=np.bool_)
    rows = np.flatnonzero(np.append(wrong, False)[codes])
    if len(rows):
        raise DataError(
            f"{location.row(int(rows[0]))}: column {name!r} has {cells[codes[rows[0]]]!r} instead of a number"
            + (f" ({len(rows)} such rows)" if len(rows) > 1 else "")
            + numbers_cure(cells[~absent], notation)
        )
    return spread(found, codes, column)


def refuse_thousands(numbers: pd.Series, location: Location, name: str) -> None:
    """Check that a point is a decimal mark: 2.321 beside 980 may be two thousand.

    Raises:
        DataError: every number with a point has three digits behind it, and others have no point.
    """
    values = numbers.to_numpy()[np.isfinite(numbers)]
    broken = values[values % 1 != 0]
    if not len(broken) or np.abs(values).max() >= 1000 or (np.rint(broken * 100) / 100 == broken).all():
        return
    written = location.written(name)
    if written is None:
        return
    codes, cells = distinct_cells(written)
    pointed = cells.str.contains(".", regex=False).astype("bool")
    thousands = cells[pointed].str.fullmatch(r"[-+]?[1-9]\d{0,2}\.\d{3}").all()
    if thousands and cells[~pointed].str.fullmatch(r"[-+]?\d{1,3}").any():
        row = int(np.flatnonzero(np.append(pointed.to_numpy(), False)[codes])[0])
        raise DataError(
            f"{location.row(row)}: column {name!r} has {cells[codes[row]]!r}, and every other number with a "
            "point has three digits behind it too; say decimal: '.' if it is a decimal point, or write the "
            "numbers without points between thousands"
        )


def numbers_cure(cells: pd.Series, notation: Notation) -> str:
    """Return what to do about distinct cells some of which are no numbers: the end of a message."""
    if notation.decimal == ",":
        return "; with decimal: ',' a number has no point: correct it, or set decimal: '.'"
    if cells.str.fullmatch(WITH_COMMA).all():
        both = cells[cells.str.contains(",", regex=False)]
        if both.str.fullmatch(THOUSANDS).all():
            return (
                "; if the comma is a decimal mark, set decimal: ','; if it separates thousands, write the "
                "numbers without it"
            )
        return "; every entry is a number with a decimal comma: set decimal: ','"
    return "; correct it, name another column, or name it in missing_values if it stands for none"


def words(column: pd.Series, notation: Notation = PLAIN) -> pd.Series:
    """Return text on a plain index, "" where missing, whole numbers without a decimal point."""
    column = column.reset_index(drop=True)
    if pd.api.types.is_float_dtype(column.dtype) and (column.isna() | (column % 1 == 0)).all():
        column = column.astype("Int64")
    texts = column.astype("str").where(column.notna(), "")
    return texts.mask(texts.isin(notation.missing), "") if notation.missing else texts


def banded(column: pd.Series, limits: Sequence[float]) -> pd.Series:
    """Return the band of each number as text, "" where missing; a band starts at its limit.

    >>> banded(pd.Series([17, 18, 24, 25, None]), (18, 25)).tolist()
    ['under 18', '18-24', '18-24', '25+', '']
    >>> banded(pd.Series([0.5, 0.1]), (0.25,)).tolist()
    ['0.25+', 'under 0.25']
    """
    whole = all(float(limit).is_integer() for limit in limits) and (column.dropna() % 1 == 0).all()
    inner = [f"{low:g}-{high - 1:g}" if whole else f"{low:g}-{high:g}" for low, high in pairwise(limits)]
    names = np.array([f"under {limits[0]:g}", *inner, f"{limits[-1]:g}+"], dtype=object)
    bands = pd.Series(names[np.searchsorted(limits, column.to_numpy(), side="right")])
    return bands.where(column.notna().to_numpy(), "").set_axis(column.index).astype("str")


def distinct_values(column: pd.Series, *, several: bool) -> tuple[Array, Array, list[str]]:
    """Return row and code of each value, "" left out, and the values that the codes stand for, ascending.

    Arrow splits the lists: a million values take a tenth of a second, and no Python object each.
    """
    import pyarrow as pa
    from pyarrow import compute

    texts = pa.array(words(column), type=pa.string())
    lists = compute.split_pattern(texts, LIST_SEPARATOR if several else "\x00")
    values = compute.utf8_trim_whitespace(compute.list_flatten(lists)).dictionary_encode()
    rows, codes = compute.list_parent_indices(lists).to_numpy(), values.indices.to_numpy()
    found = np.array(values.dictionary.to_pylist(), dtype=object)
    order = np.argsort(found, kind="stable")
    ranks = np.empty(len(found), dtype=np.int64)
    ranks[order] = np.arange(len(found))
    present = found[codes] != "" if len(found) else np.empty(0, dtype=np.bool_)
    return rows[present].astype(np.int64), ranks[codes[present]], found[order].tolist()
