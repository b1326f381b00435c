"""Columns as written, turned into numbers, seconds, ids, words and bands; faults are named by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmark.datasets.log import Say
from benchmark.datasets.specs import TimeUnit
from benchmark.datasets.tables.csv_parquet import MISSING, Location
from benchmark.errors import DataError
from benchmark.protocol import Longs

Where: TypeAlias = Callable[[int], str]
"""Takes the index of a row; returns file, line and column for a message."""

EPOCHS: tuple[tuple[float, TimeUnit], ...] = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"))
"""Above which number a time is not in seconds: 1e11 s is the year 5138, 1e11 ms is 1973."""
PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
WHOLE = r"-?(?:0|[1-9][0-9]{0,17})"
DECIMAL = r"-?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?"
UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def numbers(column: pd.Series, location: Location, name: str) -> pd.Series:
    """Return the column as float64, nan where missing.

    Raises:
        DataError: an entry is not a number; the message names the first such line.
    """
    found = pd.to_numeric(column, errors="coerce").astype("float64")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return found
    wrong = np.flatnonzero((found.isna() & column.notna() & ~column.isin(MISSING)).to_numpy())
    if len(wrong):
        example = column.iloc[wrong[0]]
        raise DataError(
            f"{location.row(int(wrong[0]))}: column {name!r} has {str(example)!r} instead of a number"
            + (f" ({len(wrong)} such rows)" if len(wrong) > 1 else "")
            + "; correct it, or name another column"
        )
    return found


def seconds(column: pd.Series, location: Location, name: str, unit: TimeUnit, say: Say) -> pd.Series:
    """Return seconds since 1970 as float64, nan where missing.

    Dates must follow ISO 8601, in UTC unless they say otherwise. Numbers are in ``unit``; "auto" goes by
    their size, says which unit it assumes, and refuses a column in two units.

    Raises:
        DataError: an entry is neither a number nor a date, or the units are mixed.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return since_1970(pd.to_datetime(column, utc=True))
    found = pd.to_numeric(column, errors="coerce").astype("float64")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return in_seconds(found, location, name, unit, say)
    present = column.notna() & ~column.isin(MISSING)
    if found.notna().any():
        times, wrong = found, present & found.isna()
    else:
        dates = pd.to_datetime(column.where(present), utc=True, format="ISO8601", errors="coerce")
        times, wrong = since_1970(dates), present & dates.isna()
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(
            f"{location.row(row)}: column {name!r} has {str(column.iloc[row])!r}, which is not a time; it "
            "must be a number of seconds since 1970 or a date such as 2024-05-31 18:00:00, the same kind in "
            "every row"
        )
    return in_seconds(times, location, name, unit, say) if found.notna().any() else times


def since_1970(dates: pd.Series) -> pd.Series:
    """Return the seconds since 1970 of dates, nan where missing."""
    instants = dates.astype("datetime64[ns, UTC]").astype("int64") / 1e9
    return instants.where(dates.notna())


def in_seconds(times: pd.Series, location: Location, name: str, unit: TimeUnit, say: Say) -> pd.Series:
    """Return numbers in any unit as seconds.

    Raises:
        DataError: the unit is "auto", and the sizes belong to two units.
    """
    if unit != "auto":
        return times / PER_SECOND[unit]
    sizes = times.abs().to_numpy()
    present = sizes[sizes > 0]  # nan and 0, common for unknown times, do not tell the unit
    if not len(present):
        return times
    least, most = (unit_of(float(size)) for size in (present.min(), present.max()))
    if least != most:
        row = int(np.flatnonzero(sizes == present.max())[0])
        raise DataError(
            f"{location.row(row)}: column {name!r} has {times.iloc[row]:.0f}, which would be {UNITS[most]} "
            f"since 1970, and {present.min():.0f} in another row, which would be {UNITS[least]}; all rows "
            "must have one unit: correct it, or name the unit with the key time_unit"
        )
    if most != "s":
        say(f"{location.path}: column {name!r} read as {UNITS[most]} since 1970 (time_unit: {most})")
    return times / PER_SECOND[most]


def unit_of(time: float) -> TimeUnit:
    """Return the unit in which a number is a plausible time since 1970.

    >>> unit_of(1_717_178_400), unit_of(1_717_178_400_000)
    ('s', 'ms')
    """
    return next((unit for limit, unit in EPOCHS if time > limit), "s")


def plain_ids(column: pd.Series, where: Where, *, as_text: bool = False) -> pd.Series:
    """Return ids as int64 if all are whole numbers in plain writing, else as text.

    "007" and "7" are different ids, so a column with such a number stays text. Missing ids stay
    missing. Works on the distinct ids, of which there are few.

    Args:
        column: ids as written, or as a Parquet file has them.
        where: file, line and column of a row, for messages.
        as_text: keep whatever is written.

    Raises:
        DataError: an id is a number with a fraction; or, unless ``as_text``, some ids are whole numbers
            and others words without a digit or numbers in another writing.
    """
    if pd.api.types.is_integer_dtype(column.dtype) and not column.hasnans and not as_text:
        return column.astype("int64")
    codes, ids = distinct_ids(column)
    if pd.api.types.is_float_dtype(ids.dtype):
        fractions = ~(np.isfinite(ids) & (ids == ids.round()))
        if fractions.any():
            raise DataError(
                f"{where(first_row(fractions, codes))} has fractions; an id must be a whole number or text"
            )
        ids = ids.astype("int64")
    if as_text:
        ids = ids.astype("str")
    elif not pd.api.types.is_integer_dtype(ids.dtype):
        ids = plain_numbers(ids.astype("str"), codes, where)
    if (codes >= 0).all():
        return ids.take(codes).set_axis(column.index)
    nullable = ids.astype("Int64") if ids.dtype.kind == "i" else ids
    return nullable.reindex(codes).set_axis(column.index)


def distinct_ids(column: pd.Series) -> tuple[Longs, pd.Series]:
    """Return codes (N,), -1 where missing, and the distinct ids that they stand for."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        filled = column.cat.remove_categories([""]) if "" in column.cat.categories else column
        return filled.cat.codes.to_numpy().astype(np.int64), pd.Series(filled.cat.categories)
    codes, distinct = pd.factorize(column)
    return codes, pd.Series(distinct)


def first_row(wrong: pd.Series, codes: Longs) -> int:
    """Return the index of the first row with one of the wrong ids."""
    return int(np.flatnonzero(np.isin(codes, np.flatnonzero(wrong.to_numpy())))[0])


def plain_numbers(ids: pd.Series, codes: Longs, where: Where) -> pd.Series:
    """Return ids as int64 if all are whole numbers in plain writing, else as they are.

    Raises:
        DataError: whole numbers are mixed with words without a digit or with decimal numbers.
    """
    whole = ids.str.fullmatch(WHOLE).astype("bool")
    if whole.all():
        return ids.astype("int64") if len(ids) else ids
    slip = ~whole & (~ids.str.contains(r"\d").astype("bool") | ids.str.fullmatch(DECIMAL).astype("bool"))
    if whole.any() and slip.any():
        raise DataError(
            f"{where(first_row(slip, codes))} has {ids[slip].iloc[0]!r} where other ids are whole numbers, "
            f"such as {ids[whole].iloc[0]}; all must be of one kind: correct it, or set ids: text to keep "
            "them as written"
        )
    return ids


def words(column: pd.Series) -> pd.Series:
    """Return text on a plain index, "" where missing, whole numbers without a decimal point."""
    column = column.reset_index(drop=True)
    if pd.api.types.is_float_dtype(column.dtype) and (column.isna() | (column % 1 == 0)).all():
        column = column.astype("Int64")
    return column.astype("str").where(column.notna(), "")


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
