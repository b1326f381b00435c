"""Columns of logs as people really have them, drawn by hypothesis: what cells say and what they mean."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

NS = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@dataclass(frozen=True)
class Cells:
    """One column as a file writes it, and what it means.

    Attributes:
        written: the cells of a text file, one a row.
        truth: what each cell means: ids as text, numbers, nanoseconds since 1970.
        keys: what the suite must say so that it is read, by the name of the key.
        ambiguous: whether it must be refused, whatever else is said.
        typed: the same cells as a typed column of Parquet, Feather, ORC or JSON; None if only text has them.
    """

    written: tuple[str, ...]
    truth: tuple[Any, ...]
    keys: Mapping[str, Any] = field(default_factory=dict)
    ambiguous: bool = False
    typed: tuple[Any, ...] | None = None


@st.composite
def ids_of(draw: st.DrawFn, rows: int, prefix: str) -> Cells:
    """Return a column of ids of one kind; a kind that a reader cannot know is ambiguous or has a key."""
    kind = draw(st.sampled_from(ID_KINDS))
    distinct = draw(st.integers(3, 12))
    chosen = draw(st.lists(st.integers(0, distinct - 1), min_size=rows, max_size=rows))
    return kind(draw, chosen, distinct, prefix)


def whole_ids(draw: st.DrawFn, chosen: list[int], distinct: int, _: str) -> Cells:
    first = draw(st.sampled_from([0, 1, -5, 1_000, 2**53 + 1, 2**62]))
    ids = [first + one for one in range(distinct)]
    return as_they_are([str(ids[one]) for one in chosen], [ids[one] for one in chosen])


def unsigned_ids(draw: st.DrawFn, chosen: list[int], distinct: int, _: str) -> Cells:
    ids = [2**63 + draw(st.integers(1, 1000)) + 2000 * one for one in range(distinct)]
    cells = [str(ids[one]) for one in chosen]
    return Cells(tuple(cells), tuple(cells), typed=tuple(np.uint64(int(cell)) for cell in cells))


def zero_led_ids(_: st.DrawFn, chosen: list[int], __: int, ___: str) -> Cells:
    return as_they_are([f"{one:05d}" for one in chosen])


def codes(draw: st.DrawFn, chosen: list[int], _: int, prefix: str) -> Cells:
    shape = draw(
        st.sampled_from(["{p}{n}", "{p}-{n:04d}", "B000{n:03d}{p}", "{n}{p}@shop.example", "{p}:{n}"])
    )
    return as_they_are([shape.format(p=prefix, n=one) for one in chosen])


def words_beyond_ascii(draw: st.DrawFn, chosen: list[int], _: int, prefix: str) -> Cells:
    word = draw(st.sampled_from(["José", "Zoë", "Öl", "naïve", "Łódź" if prefix else "x"]))
    return as_they_are([f"{word} {one}" for one in chosen])


def composed_and_decomposed(draw: st.DrawFn, chosen: list[int], _: int, prefix: str) -> Cells:
    del prefix
    forms = draw(st.lists(st.sampled_from(["NFC", "NFD"]), min_size=len(chosen), max_size=len(chosen)))
    names = [f"José {one}" for one in chosen]
    written = [unicodedata.normalize(form, name) for form, name in zip(forms, names, strict=True)]
    return Cells(tuple(written), tuple(names), typed=tuple(written))


def padded_ids(draw: st.DrawFn, chosen: list[int], _: int, prefix: str) -> Cells:
    shapes = draw(
        st.lists(st.sampled_from(["{}", " {}", "{} ", "  {} "]), min_size=len(chosen), max_size=len(chosen))
    )
    names = [f"{prefix}{one}" for one in chosen]
    written = [shape.format(name) for shape, name in zip(shapes, names, strict=True)]
    return Cells(tuple(written), tuple(names), typed=tuple(written))


def whole_floats(_: st.DrawFn, chosen: list[int], __: int, ___: str) -> Cells:
    written = [f"{one}.0" for one in chosen]
    return Cells(tuple(written), tuple(map(str, chosen)), typed=tuple(map(float, chosen)))


def words_with_separators(draw: st.DrawFn, chosen: list[int], _: int, prefix: str) -> Cells:
    mark = draw(st.sampled_from([",", ";", "|", "\t"]))
    return as_they_are([f"{prefix}{one}{mark}x" for one in chosen])


def words_with_quotes(_: st.DrawFn, chosen: list[int], __: int, prefix: str) -> Cells:
    return as_they_are([f'{prefix} 7" {one}' for one in chosen])


def numbers_among_words(_: st.DrawFn, chosen: list[int], __: int, ___: str) -> Cells:
    """A few words without a digit among whole numbers: a slip or a word; ids: text says so."""
    cells = [str(one) if one else "unassigned" for one in chosen]
    mixed = {"unassigned"} < set(cells)
    return Cells(tuple(cells), tuple(cells), {"ids": "text"} if mixed else {}, typed=tuple(cells))


def as_they_are(cells: Sequence[str], typed: Sequence[Any] | None = None) -> Cells:
    """Return cells that mean what they say."""
    return Cells(tuple(cells), tuple(cells), typed=tuple(cells if typed is None else typed))


ID_KINDS: tuple[Callable[[st.DrawFn, list[int], int, str], Cells], ...] = (
    whole_ids,
    whole_ids,
    whole_ids,
    unsigned_ids,
    zero_led_ids,
    codes,
    codes,
    words_beyond_ascii,
    composed_and_decomposed,
    padded_ids,
    whole_floats,
    words_with_separators,
    words_with_quotes,
    numbers_among_words,
)


@st.composite
def values_of(draw: st.DrawFn, rows: int) -> Cells | None:
    """Return a column of ratings or counts; None without one."""
    kind = draw(st.sampled_from(["none", "stars", "halves", "counts", "comma", "exponent", "big", "unknown"]))
    if kind == "none":
        return None
    numbers = draw(st.lists(st.integers(1, 10), min_size=rows, max_size=rows))
    if kind == "halves":
        return Cells(
            tuple(str(n / 2) for n in numbers),
            tuple(n / 2 for n in numbers),
            typed=tuple(n / 2 for n in numbers),
        )
    if kind == "comma":  # at least one has a comma, or nobody could tell
        halves = [n + 0.5 for n in numbers]
        return Cells(tuple(str(n).replace(".", ",") for n in halves), tuple(halves), {"decimal": ","})
    if kind == "unknown":
        known = [n > 2 for n in numbers[:-1]] + [False]
        written = [str(n) if one else "unknown" for n, one in zip(numbers, known, strict=True)]
        truth = [float(n) if one else math.nan for n, one in zip(numbers, known, strict=True)]
        return Cells(tuple(written), tuple(truth), {"missing_values": ("unknown",)})
    if kind == "exponent":
        return Cells(tuple(f"{n}.5e1" for n in numbers), tuple(10 * n + 5.0 for n in numbers))
    whole = [n * 1_000_000 if kind == "big" else n for n in numbers]
    return Cells(tuple(map(str, whole)), tuple(map(float, whole)), typed=tuple(whole))


@st.composite
def times_of(draw: st.DrawFn, rows: int) -> Cells | None:
    """Return a column of times of one kind; None without one."""
    kind = draw(st.sampled_from(TIME_KINDS))
    if kind is None:
        return None
    base = datetime(
        draw(st.integers(1996, 2024)), draw(st.integers(1, 12)), draw(st.integers(13, 28)), tzinfo=UTC
    )
    gaps = draw(st.lists(st.integers(0, 400_000), min_size=rows, max_size=rows))
    moments = [base + timedelta(seconds=gap) for gap in gaps]
    fractions = draw(st.lists(st.integers(0, 999), min_size=rows, max_size=rows))
    return kind(moments, fractions)


def ns_of(moment: datetime) -> int:
    """Return the nanoseconds since 1970 of a moment, exactly."""
    passed = moment - EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000


def epoch(unit_ns: int, suffix: str = "") -> Callable[[list[datetime], list[int]], Cells]:
    """Return a kind of column: numbers since 1970 in a unit, with fractions of it if it is the second."""

    def cells(moments: list[datetime], fractions: list[int]) -> Cells:
        per_fraction = unit_ns if suffix == "fraction" else NS // 1000
        if suffix == "fraction":
            truth = [ns_of(one) + f * (NS // 1000) for one, f in zip(moments, fractions, strict=True)]
            return Cells(tuple(f"{t // NS}.{t % NS // 1_000_000:03d}" for t in truth), tuple(truth))
        shift = [0] * len(moments) if unit_ns == NS else [f * per_fraction for f in fractions]
        truth = [ns_of(one) + s for one, s in zip(moments, shift, strict=True)]
        numbers = [t // unit_ns for t in truth]
        return Cells(tuple(map(str, numbers)), tuple(truth), typed=tuple(numbers))

    return cells


def iso(
    shape: str, *, fraction: bool = False, keys: Mapping[str, Any] | None = None, zone: str | None = None
) -> Callable[[list[datetime], list[int]], Cells]:
    """Return a kind of column: dates in a shape of strftime, perhaps with milliseconds or in a zone."""

    def cells(moments: list[datetime], fractions: list[int]) -> Cells:
        at = [
            m + timedelta(milliseconds=f) if fraction else m for m, f in zip(moments, fractions, strict=True)
        ]
        if "%H" not in shape:
            at = [m.replace(hour=0, minute=0, second=0) for m in at]
        elif "%S" not in shape:
            at = [m.replace(second=0) for m in at]
        shown = [m.astimezone(ZoneInfo(zone)) if zone else m for m in at]
        written = [m.strftime(shape.replace("%f3", f"{m.microsecond // 1000:03d}")) for m in shown]
        return Cells(tuple(written), tuple(map(ns_of, at)), keys or {}, typed=tuple(at) if not keys else None)

    return cells


def excel_days(moments: list[datetime], _: list[int]) -> Cells:
    """Return day numbers of a spreadsheet, of whole days."""
    days = [m.replace(hour=0, minute=0, second=0) for m in moments]
    return Cells(
        tuple(str((d - EXCEL_EPOCH).days) for d in days), tuple(map(ns_of, days)), {"time_format": "excel"}
    )


def mixed_zones(moments: list[datetime], fractions: list[int]) -> Cells:
    """Return dates of which some have a zone and some have none: nobody can tell."""
    zoned = [f % 2 == 0 for f in fractions]
    zoned[0], zoned[-1] = True, False
    written = [
        m.strftime("%Y-%m-%dT%H:%M:%S") + ("+02:00" if z else "") for m, z in zip(moments, zoned, strict=True)
    ]
    return Cells(tuple(written), tuple(map(ns_of, moments)), ambiguous=True)


def two_units(moments: list[datetime], _: list[int]) -> Cells:
    """Return numbers of which the first is in milliseconds and the others in seconds."""
    written = [str(ns_of(m) // NS) for m in moments]
    written[0] += "000"
    return Cells(tuple(written), tuple(map(ns_of, moments)), ambiguous=True)


TIME_KINDS: tuple[Callable[[list[datetime], list[int]], Cells] | None, ...] = (
    None,
    epoch(NS),
    epoch(NS),
    epoch(NS // 1000),
    epoch(NS // 1_000_000),
    epoch(1),
    epoch(NS, "fraction"),
    iso("%Y-%m-%d"),
    iso("%Y-%m-%d %H:%M:%S"),
    iso("%Y-%m-%dT%H:%M:%SZ"),
    iso("%Y-%m-%dT%H:%M:%S.%f3Z", fraction=True),
    iso("%Y-%m-%d %H:%M:%S.%f3", fraction=True),
    iso("%Y-%m-%dT%H:%M:%S%z", zone=BERLIN),
    iso("%Y-%m-%d %H:%M:%S", keys={"timezone": "Asia/Tokyo"}, zone="Asia/Tokyo"),
    iso("%d.%m.%Y", keys={"time_format": "%d.%m.%Y"}),
    iso("%d.%m.%Y %H:%M", keys={"time_format": "%d.%m.%Y %H:%M"}),
    iso("%m/%d/%Y %H:%M:%S", keys={"time_format": "%m/%d/%Y %H:%M:%S"}),
    excel_days,
    mixed_zones,
    two_units,
)
