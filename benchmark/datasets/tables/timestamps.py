"""Columns of times, turned into whole numbers of the coarsest unit that loses nothing of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from benchmark.datasets import clock as clocks
from benchmark.datasets.clock import PER_SECOND, SPREADSHEET_EPOCH_DAYS, Clock, UnitSince1970
from benchmark.datasets.log import Say
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.exact_times import (
    EXACT,
    LARGEST,
    UNITS,
    Instants,
    coarsest,
    from_decimals,
    from_floats,
    to_nanoseconds,
)
from benchmark.datasets.tables.identifiers import EXACT_FLOATS
from benchmark.datasets.tables.parse import Notation, distinct_cells, named_missing
from benchmark.datasets.tables.table_file import Location
from benchmark.datasets.tables.text_format import MISSING
from benchmark.datasets.tables.time_entries import WRITINGS, Entries, Mask, Times
from benchmark.datasets.tables.time_notation import format_cure, looks_like
from benchmark.datasets.tables.written_dates import from_dates, from_format, from_iso, instants, not_a_time
from benchmark.errors import DataError
from benchmark.protocol import Array

EPOCHS: tuple[tuple[int, UnitSince1970], ...] = ((10**17, "ns"), (10**14, "us"), (10**11, "ms"))
"""Above which number a time is not in seconds: 1e11 s is the year 5138, 1e11 ms is 1973."""
NOT_A_TIME = "NaT"  # pandas
ZERO_DATE = r"0000-00-00(?:[T ][0:.]*)?"
"""What MySQL writes where it has no date."""
ROUNDED = 1_000
"""Times of which none has fewer zeros at the end may have been rounded."""
LAST_DAY_NUMBER = 2_958_465
"""9999-12-31, where spreadsheets end."""
FEW = 10_000
"""Entries that are looked at one by one, to name the one at fault."""
DAY_MS = 86_400_000
EARLY = "1990-01-01"
CURES_OF_A_SPAN = (
    "if these are other numbers than times since 1970, say so with time_unit (order for a counter) or "
    "time_format; if they stand for none, name them in missing_values"
)
FINENESS = (*UNITS, "order")


def read_times(column: pd.Series, location: Location, name: str, spec: LogSpec, say: Say) -> Times:
    """Return a column of times, exact, in the coarsest unit that loses nothing.

    Dates follow ISO 8601 or ``spec.time_format``, in ``spec.timezone`` unless they name a zone. Numbers are
    in ``spec.time_unit``; "auto" goes by their size, says which unit it assumes, and refuses a column in
    two units. 0 and -1, which programs write where they do not know a time, are missing, and counted.

    Raises:
        DataError: an entry is neither a number nor a date, or finer than nanoseconds; units or zones are
            mixed; the numbers are day numbers, years or dates without separators; the column has lengths
            of time, or hours without a day.
    """
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.categories.dtype.kind in "iufM":
        column = column.astype(column.cat.categories.dtype)
    kind, entries = column.dtype, Entries(name, location, spec, say, column.index)
    numeric = pd.api.types.is_numeric_dtype(kind)
    if pd.api.types.is_timedelta64_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        raise DataError(
            f"{entries} contains booleans; it must contain numbers, text or dates"
            if numeric
            else f"{entries} contains lengths of time, which do not say when; add them to the moment from "
            "which they count, or write a counter and set time_unit: order"
        )
    if pd.api.types.is_datetime64_any_dtype(kind):
        if spec.time_format or spec.time_unit == "order":
            key = "time_format" if spec.time_format else "time_unit: order"
            raise DataError(f"{entries} contains dates already; leave {key} out")
        return from_dates(column, entries)
    if not numeric or spec.time_format not in {None, "excel"}:
        return from_text(column, entries)
    present = column.notna().to_numpy(dtype=np.bool_)
    if spec.missing_values:
        present = present & ~named_missing(column, Notation.of(spec)).to_numpy(dtype=np.bool_)
    numbers: Array = (column if present.all() else column[present]).to_numpy()
    if numbers.dtype == np.float32 and np.abs(numbers).max(initial=0) >= EXACT_FLOATS["float32"]:
        say(
            f"{entries} has floats of 32 bits, in which times of today are two minutes apart: ties are theirs"
        )
    refuse_rounded(numbers, entries)
    shown_fully = numbers.dtype.kind != "f" or from_floats(numbers, "s") is not None
    if spec.time_format is None and not shown_fully:
        written = location.written(name)  # the text may have more digits than a float has
        if written is not None:
            return from_text(written.set_axis(column.index), entries)
    return from_numbers(numbers, present, entries)


def refuse_rounded(numbers: Array, entries: Entries) -> None:
    """Check that whole times are not written as powers of ten with few digits.

    Raises:
        DataError: one is: a spreadsheet has rounded it.
    """
    if numbers.dtype.kind != "f" or not len(numbers) or not np.isfinite(numbers).all():
        return
    if (numbers % ROUNDED).any():
        return
    written = entries.location.written(entries.name)
    if written is None:
        return
    codes, cells = distinct_cells(written)
    rounded = cells.str.fullmatch(r"[-+]?\d(?:\.\d+)?[eE][-+]?\d+").to_numpy(dtype=np.bool_)
    if rounded.any():
        row = int(np.flatnonzero((codes >= 0) & rounded[codes])[0])
        raise DataError(
            f"{entries.location.row(row)}: column {entries.name!r} has {cells.iloc[codes[row]]!r}, a number "
            "that a spreadsheet has rounded; export the times again with all their digits"
        )


def from_text(column: pd.Series, entries: Entries) -> Times:
    """Return times from text: numbers, dates as the suite says that they are written, or dates of ISO 8601.

    Raises:
        DataError: see :func:`read_times`.
    """
    spec = entries.spec
    codes, cells = distinct_cells(column)
    entries = Entries(entries.name, entries.location, spec, entries.say, entries.index, codes)
    present = ~cells.isin([*MISSING, NOT_A_TIME, *spec.missing_values]).to_numpy(dtype=np.bool_)
    zero_dates = present & cells.str.fullmatch(ZERO_DATE).to_numpy(dtype=np.bool_)
    present = entries.without_unknown(present, zero_dates)
    if spec.time_format not in {None, "excel"}:
        return from_format(cells, present, entries)
    plain = cells.str.replace(",", ".", regex=False) if spec.decimal == "," else cells
    numbers = pd.to_numeric(plain.where(present), errors="coerce").to_numpy(dtype=np.float64)
    if np.isnan(numbers).all() and spec.time_unit != "order" and not spec.time_format:
        return from_iso(cells, present, entries)
    if (wrong := present & np.isnan(numbers)).any():
        raise DataError(not_a_time(cells, wrong, entries) + format_cure(cells[present]))
    return from_numbers(numbers[present], present, entries, plain[present].to_numpy(dtype=object))


def from_numbers(numbers: Array, present: Mask, entries: Entries, texts: Array | None = None) -> Times:
    """Return times from the numbers of the entries that are ``present`` (n,).

    Args:
        numbers: whole ones or floats.
        present: which entries they are.
        entries: of the column.
        texts: the same numbers as written, where floats may lack digits.

    Raises:
        DataError: see :func:`read_times`.
    """
    spec = entries.spec
    if spec.time_unit == "order":
        return counter(numbers, present, entries)
    unknown = (numbers == 0) | (numbers == -1)
    if unknown.any():
        among = np.zeros(len(present), dtype=np.bool_)
        among[present] = unknown
        present, numbers = entries.without_unknown(present, among), numbers[~unknown]
        texts = None if texts is None else texts[~unknown]
    if not len(numbers):
        return entries.times((np.empty(0, dtype=np.int64), "s"), present, "s")
    if spec.time_format == "excel":
        return from_day_numbers(numbers, present, entries)
    finite = bool(np.isfinite(numbers).all())
    unit = unit_of_all(numbers, present, entries) if finite else "s"
    found = exactly(numbers, unit, texts) if finite else None
    if found is None:
        wrong = np.zeros(len(present), dtype=np.bool_)
        wrong[present] = np.abs(numbers) == np.abs(numbers).max()
        if texts is not None:
            for position, one in enumerate(texts[:FEW]):
                if from_decimals(np.array([one]), unit) is None:
                    wrong[:] = False
                    wrong[np.flatnonzero(present)[position]] = True
                    break
        example = (numbers if texts is None else texts)[wrong[present]][0]
        raise DataError(
            f"{entries.first(wrong)} has {str(example)!r}, which is not a time: since 1970 it must fit into "
            "64 bits, with nanoseconds if others have them; correct it, or name it in missing_values"
        )
    return entries.times(found, present, unit, unit)


def exactly(numbers: Array, unit: UnitSince1970, texts: Array | None) -> Instants | None:
    """Return numbers (n,) of a unit as whole ones of it or of a finer unit; None if there is no room."""
    if texts is not None:
        return from_decimals(texts, unit)
    if numbers.dtype.kind != "f":
        return None if int(numbers.max()) > LARGEST else (numbers.astype(np.int64, copy=False), unit)
    found = from_floats(numbers.astype(np.float64, copy=False), unit)
    if found is not None:
        return found
    nanoseconds = to_nanoseconds(numbers.astype(np.float64, copy=False), unit)
    return None if nanoseconds is None else (nanoseconds, "ns")


def unit_of_all(numbers: Array, present: Mask, entries: Entries) -> UnitSince1970:
    """Return the unit of all numbers of the entries that are ``present`` (n,), and say if it is not seconds.

    Raises:
        DataError: the suite does not say it, and their sizes belong to two units, or to none.
    """
    unit = entries.spec.time_unit
    if unit != "auto":
        assert unit != "order", "the caller has looked"
        return unit
    sizes = np.abs(numbers)
    least, most = (unit_of(float(size)) for size in (sizes.min(), sizes.max()))
    if least != most:
        largest = np.zeros(len(present), dtype=np.bool_)
        largest[present] = sizes == sizes.max()
        raise DataError(
            f"{entries.first(largest)} has {sizes.max():.0f}, which would be {WRITINGS[most]}, and "
            f"{sizes.min():.0f} in another row, which would be {WRITINGS[least]}; all rows must have one "
            "unit: correct it, or name the unit with the key time_unit"
        )
    if cure := looks_like(numbers):
        found = exactly(numbers, most, None)
        span = ""
        if found is not None:
            clock = Clock(found[1])
            first, last = (clock.written_out(int(end)) for end in (found[0].min(), found[0].max()))
            span = f", which would be times from {first} to {last} as {WRITINGS[most]}"
        raise DataError(
            f"{entries} has numbers from {numbers.min()} to {numbers.max()}{span}; {cure} (time_unit: {most} "
            "takes them as they are)"
        )
    if most != "s":
        entries.say(f"{entries} read as {WRITINGS[most]} (time_unit: {most})")
    return most


def unit_of(time: float) -> UnitSince1970:
    """Return the unit in which a number is a plausible time since 1970.

    >>> unit_of(1_717_178_400), unit_of(1_717_178_400_000)
    ('s', 'ms')
    """
    return next((unit for limit, unit in EPOCHS if time > limit), "s")


def from_day_numbers(days: Array, present: Mask, entries: Entries) -> Times:
    """Return times from day numbers of a spreadsheet, which has milliseconds.

    Raises:
        DataError: one lies outside what a spreadsheet counts.
    """
    outside = np.zeros(len(present), dtype=np.bool_)
    outside[present] = ~((days >= 1) & (days <= LAST_DAY_NUMBER + 1))
    if outside.any():
        raise DataError(
            f"{entries.first(outside)} has {days[outside[present]][0]}, which is no day number of a "
            f"spreadsheet: it must lie between 1 and {LAST_DAY_NUMBER}; correct it, or leave out "
            "time_format: excel"
        )
    fine = "ms" if len(np.unique(np.rint(days * DAY_MS))) == len(np.unique(days)) else "us"
    per_day = DAY_MS * PER_SECOND[fine] // PER_SECOND["ms"]
    since_1970 = np.rint(days * per_day).astype(np.int64) - SPREADSHEET_EPOCH_DAYS * per_day
    dates = pd.Series(since_1970.astype(f"datetime64[{fine}]"))
    times, unit, known = instants(dates, present, entries)
    return entries.times((times, unit), known, "excel", "excel")


def counter(numbers: Array, present: Mask, entries: Entries) -> Times:
    """Return a counter as it is: it only says what came first.

    Raises:
        DataError: an entry is not a whole number.
    """
    if numbers.dtype.kind == "f":
        wrong = np.zeros(len(present), dtype=np.bool_)
        wrong[present] = ~((numbers % 1 == 0) & (np.abs(numbers) < EXACT))
        if wrong.any():
            raise DataError(
                f"{entries.first(wrong)} has {numbers[wrong[present]][0]}; with time_unit: order every time "
                "must be a whole number: correct it, or leave time_unit out"
            )
    return entries.spread(numbers.astype(np.int64), present, Clock("order", "order"), "order")


def below_each_other(parts: Sequence[Times], locations: Sequence[Location]) -> Times:
    """Return the times of several files below each other, in one unit.

    Raises:
        DataError: the files write their times differently, or their times have no unit in common.
    """
    written = [(part.writing, at) for part, at in zip(parts, locations, strict=True) if part.writing]
    if not written:
        return Times(pd.concat([part.column for part in parts], ignore_index=True), Clock(), None)
    writing, first = written[0]
    for other, location in written:
        if other != writing:
            raise DataError(
                f"{location.path}: times are {WRITINGS[other]}, and {WRITINGS[writing]} in {first.path}; all "
                "files must write them alike: correct it, or say what they are with time_unit or timezone"
            )
    clock = next(part.clock for part in parts if part.writing)
    if clock.unit == "order":
        return Times(pd.concat([part.column for part in parts], ignore_index=True), clock, writing)
    unit = max((part.clock.unit for part in parts), key=FINENESS.index)
    columns = []
    for part, location in zip(parts, locations, strict=True):
        factor = PER_SECOND[unit] // PER_SECOND[part.clock.unit]
        if part.writing and int(part.column.abs().max()) > LARGEST // factor:
            raise DataError(
                f"{location.path}: a time is too far from today to be kept with the {WRITINGS[unit]} of "
                "another file; correct it, or name it in missing_values"
            )
        columns.append(part.column * factor)
    return Times(pd.concat(columns, ignore_index=True), replace(clock, unit=unit), writing)


def say_span(name: str, times: pd.Series, clock: Clock, say: Say) -> None:
    """Say from when to when the times of a log go, and whether that can be."""
    if times.isna().all() or clock.unit == "order":
        return
    first, last = (clock.written_out(int(end)) for end in (times.min(), times.max()))
    early = int((times < clock.moment(EARLY)).sum())
    tomorrow = clocks.today() + timedelta(days=2)  # it is tomorrow already somewhere
    late = int((times >= clock.moment(tomorrow.isoformat())).sum())
    doubts = [
        f"{count} of {len(times)} rows are {when}"
        for count, when in ((early, "before 1990"), (late, f"after today, {clocks.today()}"))
        if count
    ]
    say(
        f"{name}: times go from {first} to {last} (UTC)"
        + (f"; {' and '.join(doubts)}: {CURES_OF_A_SPAN}" if doubts else "")
    )


def whole_times(times: pd.Series, clock: Clock) -> tuple[pd.Series, Clock]:
    """Return the times of a frame that a reader made, floats of seconds among them, as whole numbers.

    Raises:
        DataError: one is infinite or too large.
    """
    if not pd.api.types.is_float_dtype(times.dtype):
        return times, clock
    present = times.notna().to_numpy(dtype=np.bool_)
    found = exactly(times[present].to_numpy(), clock.unit, None) if clock.unit != "order" else None
    if found is None:
        raise DataError(
            "a time must be a number of seconds since 1970 that fits into 64 bits; correct the log"
        )
    values = np.zeros(len(times), dtype=np.int64)
    exact, unit = coarsest(*found)
    values[present] = exact
    whole = pd.Series(pd.arrays.IntegerArray(values, ~present), index=times.index)
    return whole if not present.all() else whole.astype("int64"), replace(clock, unit=unit)
