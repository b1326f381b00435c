"""Columns of dates: of ISO 8601, written as the suite says, or stored as such."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.datasets.clock import PER_SECOND, UnitSince1970
from benchmark.datasets.tables.exact_times import UNITS, finer
from benchmark.datasets.tables.time_entries import Entries, Mask, Times, Writing
from benchmark.datasets.tables.time_notation import format_cure, zoned
from benchmark.errors import DataError
from benchmark.protocol import Longs

FINER_THAN_NS = r".*:\d{2}\.\d{9}\d*[1-9].*"


def not_a_time(cells: pd.Series, wrong: Mask, entries: Entries) -> str:
    """Return the beginning of a message about distinct texts (n,) that are no times."""
    rows = int(entries.rows(wrong).sum())
    more = f" ({rows} such rows)" if rows > 1 else ""
    return f"{entries.first(wrong)} has {cells[wrong].iloc[0]!r}, which is not a time{more}"


def from_iso(cells: pd.Series, present: Mask, entries: Entries) -> Times:
    """Return times from distinct dates (n,) of ISO 8601.

    Raises:
        DataError: one is none, or finer than nanoseconds; some name a zone and some do not.
    """
    texts = cells.str.replace(r"\s*(?:UTC|GMT)$", "Z", regex=True)
    has_zone, zone = zoned(cells), entries.spec.timezone
    with_zone, without = present & has_zone, present & ~has_zone
    if with_zone.any() and without.any() and not zone:
        raise DataError(
            f"{entries.first(without)} has {cells[without].iloc[0]!r} without a zone, and another row has "
            f"{cells[with_zone].iloc[0]!r} with one; correct it, or say in which zone the former are, such "
            "as timezone: UTC"
        )
    if (finest := present & cells.str.fullmatch(FINER_THAN_NS).to_numpy(dtype=np.bool_)).any():
        raise DataError(
            f"{entries.first(finest)} has {cells[finest].iloc[0]!r}; a time can have at most nine decimals, "
            "nanoseconds: round it"
        )
    found: list[tuple[Longs, UnitSince1970, Mask]] = []
    for some in (with_zone, without):
        dates = pd.to_datetime(texts[some], utc=some is with_zone, format="ISO8601", errors="coerce")
        wrong = some.copy()
        wrong[some] = dates.isna()
        if wrong.any():
            raise DataError(not_a_time(cells, wrong, entries) + format_cure(cells[present]))
        found.append(instants(dates, some, entries))
    unit = max((own for _, own, __ in found), key=UNITS.index)
    whole = np.zeros(len(cells), dtype=np.int64)
    for times, own, some in found:
        same = finer(times, own, unit)
        if same is None:
            raise DataError(
                f"{entries.first(some)} has {cells[some].iloc[0]!r} beside times with nanoseconds, and no "
                "number has room for both; name dates that stand for none in missing_values"
            )
        whole[some] = same
    known = found[0][2] | found[1][2]
    writing: Writing = "dates with a zone" if with_zone.any() and not zone else "dates"
    return entries.times((whole[known], unit), known, writing)


def from_format(cells: pd.Series, present: Mask, entries: Entries) -> Times:
    """Return times from distinct dates (n,) written as the suite says.

    Raises:
        DataError: one is written otherwise.
    """
    codes = entries.spec.time_format or ""
    dates = pd.to_datetime(cells[present], format=codes, errors="coerce", utc="%z" in codes)
    wrong = present.copy()
    wrong[present] = dates.isna()
    if wrong.any():
        raise DataError(
            f"{not_a_time(cells, wrong, entries)} written as time_format {codes!r} says"
            + format_cure(cells[present])
        )
    times, unit, known = instants(dates, present, entries)
    return entries.times((times, unit), known, "dates with a zone" if "%z" in codes else "dates")


def from_dates(column: pd.Series, entries: Entries) -> Times:
    """Return times from a column of dates, with or without a zone."""
    present = column.notna().to_numpy(dtype=np.bool_)
    has_zone = isinstance(column.dtype, pd.DatetimeTZDtype)
    if entries.spec.missing_values:
        named = pd.to_datetime(pd.Series(entries.spec.missing_values), errors="coerce", utc=has_zone)
        present = present & ~column.isin(named.dropna()).to_numpy(dtype=np.bool_)
    dates = column if present.all() else column[present]
    times, unit, known = instants(dates, present, entries)
    writing: Writing = "dates with a zone" if has_zone and not entries.spec.timezone else "dates"
    return entries.times((times, unit), known, writing)


def instants(dates: pd.Series, some: Mask, entries: Entries) -> tuple[Longs, UnitSince1970, Mask]:
    """Return dates as times since 1970, their unit, and which entries (n,) they are.

    Args:
        dates: without a missing one; those without a zone are in the zone that the suite names, or UTC.
        some: which entries (n,) they are; without the start of 1970 and the second before, which programs
            write where they do not know a time.
        entries: of the column.
    """
    unit: UnitSince1970 = dates.dt.unit
    times = np.asarray(dates.astype("int64"), dtype=np.int64)
    unknown = (times == 0) | (times == -PER_SECOND[unit])
    if unknown.any():
        among = np.zeros(len(some), dtype=np.bool_)
        among[some] = unknown
        some, dates, times = entries.without_unknown(some, among), dates[~unknown], times[~unknown]
    zone = entries.spec.timezone
    if zone is None or isinstance(dates.dtype, pd.DatetimeTZDtype):
        return times, unit, some
    in_zone = dates.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    doubtful = in_zone.isna().to_numpy(dtype=np.bool_)
    if doubtful.any():
        among = np.zeros(len(some), dtype=np.bool_)
        among[some] = doubtful
        entries.say(
            f"{entries.first(among)}: {int(entries.rows(among).sum())} times lie where the clocks of {zone} "
            "change: an hour that comes twice is read as the first, one that is left out as the next"
        )
        first = np.ones(len(dates), dtype=np.bool_)
        in_zone = dates.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return np.asarray(in_zone.astype("int64"), dtype=np.int64), unit, some
