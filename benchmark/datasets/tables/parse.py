"""Columns as written, turned into numbers, seconds and ids; what cannot be is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.specs import TimeUnit
from benchmark.datasets.tables.table_files import MISSING, Place
from benchmark.errors import DataError

Codes: TypeAlias = NDArray[np.int64]

EPOCHS: tuple[tuple[float, TimeUnit], ...] = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"))
"""From which number on a time is no number of seconds: 1e11 s is the year 5138, 1e11 ms is 1973."""
PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
WHOLE = r"-?(?:0|[1-9][0-9]{0,17})"
POINTED = r"-?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?"
UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def numbers(column: pd.Series, place: Place, name: str) -> pd.Series:
    """Return the column as float64, nan where missing; refuse text."""
    found = pd.to_numeric(column, errors="coerce").astype("float64")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return found
    wrong = np.flatnonzero((found.isna() & column.notna() & ~column.isin(MISSING)).to_numpy())
    if len(wrong):
        example = column.iloc[wrong[0]]
        raise DataError(
            f"{place.of(int(wrong[0]))}: column {name!r} has {str(example)!r} where a number must stand"
            + (f" ({len(wrong)} such rows)" if len(wrong) > 1 else "")
            + "; correct it, or name another column"
        )
    return found


def seconds(
    column: pd.Series, place: Place, name: str, unit: TimeUnit, say: Callable[[str], None]
) -> pd.Series:
    """Return seconds since 1970 as float64, nan where missing.

    Dates must follow ISO 8601, UTC unless they say otherwise. Numbers are in ``unit``; "auto" goes by
    their size, says what it took them for, and refuses a column in two units.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _since_1970(pd.to_datetime(column, utc=True))
    found = pd.to_numeric(column, errors="coerce").astype("float64")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _in_seconds(found, place, name, unit, say)
    present = column.notna() & ~column.isin(MISSING)
    if found.notna().any():
        dates, wrong = found, present & found.isna()
    else:
        parsed = pd.to_datetime(column.where(present), utc=True, format="ISO8601", errors="coerce")
        dates, wrong = _since_1970(parsed), present & parsed.isna()
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(
            f"{place.of(row)}: column {name!r} has {str(column.iloc[row])!r}, which is no time; it must be a "
            "number of seconds since 1970 or a date such as 2024-05-31 18:00:00, the same kind in every row"
        )
    return _in_seconds(dates, place, name, unit, say) if found.notna().any() else dates


def _since_1970(dates: pd.Series) -> pd.Series:
    instants = dates.astype("datetime64[ns, UTC]").astype("int64") / 1e9
    return instants.where(dates.notna())


def _in_seconds(
    times: pd.Series, place: Place, name: str, unit: TimeUnit, say: Callable[[str], None]
) -> pd.Series:
    if unit != "auto":
        return times / PER_SECOND[unit]
    sizes = times.abs().to_numpy()
    known = sizes[sizes > 0]  # nan and 0, a common stand-in for unknown, tell no unit
    if not len(known):
        return times
    least, most = _unit(float(known.min())), _unit(float(known.max()))
    if least != most:
        row = int(np.flatnonzero(sizes == known.max())[0])
        raise DataError(
            f"{place.of(row)}: column {name!r} has {times.iloc[row]:.0f}, which would be {UNITS[most]} since "
            f"1970, and {known.min():.0f} in another row, which would be {UNITS[least]}; all rows must have "
            "one unit: correct it, or name the unit with the key time_unit"
        )
    if most != "s":
        say(f"{place.path}: column {name!r} read as {UNITS[most]} since 1970 (time_unit: {most})")
    return times / PER_SECOND[most]


def _unit(number: float) -> TimeUnit:
    return next((unit for limit, unit in EPOCHS if number > limit), "s")


def plain_ids(column: pd.Series, where: Callable[[int], str], *, as_text: bool = False) -> pd.Series:
    """Return ids as int64 where all are whole numbers in plain writing, else as text.

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
    codes, ids = _distinct(column)
    if pd.api.types.is_float_dtype(ids.dtype):
        ids = _whole(ids, codes, where)
    if as_text:
        ids = ids.astype("str")
    elif not pd.api.types.is_integer_dtype(ids.dtype):
        ids = _numbers_in_plain_writing(ids.astype("str"), codes, where)
    if (codes >= 0).all():
        return ids.take(codes).set_axis(column.index)
    nullable = ids.astype("Int64") if ids.dtype.kind == "i" else ids
    return nullable.reindex(codes).set_axis(column.index)


def _distinct(column: pd.Series) -> tuple[Codes, pd.Series]:
    """Return codes (N,), -1 where missing, and the distinct ids."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.cat.remove_categories([""]) if "" in column.cat.categories else column
        return known.cat.codes.to_numpy().astype(np.int64), pd.Series(known.cat.categories)
    codes, distinct = pd.factorize(column)
    return codes, pd.Series(distinct)


def _at(wrong: pd.Series, codes: Codes, where: Callable[[int], str]) -> str:
    """Return where the first row with one of the wrong ids stands."""
    return where(int(np.flatnonzero(np.isin(codes, np.flatnonzero(wrong.to_numpy())))[0]))


def _whole(ids: pd.Series, codes: Codes, where: Callable[[int], str]) -> pd.Series:
    """Return ids that were read as numbers with a point as int64."""
    wrong = ~(np.isfinite(ids) & (ids == ids.round()))
    if wrong.any():
        raise DataError(f"{_at(wrong, codes, where)} has fractions; an id must be a whole number or text")
    return ids.astype("int64")


def _numbers_in_plain_writing(ids: pd.Series, codes: Codes, where: Callable[[int], str]) -> pd.Series:
    whole = ids.str.fullmatch(WHOLE).astype("bool")
    if whole.all():
        return ids.astype("int64") if len(ids) else ids
    slip = ~whole & (~ids.str.contains(r"\d").astype("bool") | ids.str.fullmatch(POINTED).astype("bool"))
    if whole.any() and slip.any():
        raise DataError(
            f"{_at(slip, codes, where)} has {ids[slip].iloc[0]!r} where other ids are whole numbers, such as "
            f"{ids[whole].iloc[0]}; all must be of one kind: correct it, or set ids: text to keep them so"
        )
    return ids
