"""What is told apart in a column of times, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.clock import Clock, WrittenUnit
from benchmark.datasets.log import Say
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.exact_times import Instants, coarsest
from benchmark.datasets.tables.table_file import Location
from benchmark.protocol import Longs

Mask: TypeAlias = NDArray[np.bool_]
Writing: TypeAlias = Literal["dates", "dates with a zone", "s", "ms", "us", "ns", "excel", "order"]

WRITINGS: dict[Writing, str] = {
    "dates": "dates without a zone",
    "dates with a zone": "dates with a zone",
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "excel": "day numbers of a spreadsheet",
    "order": "a counter",
}
"""Each in words."""


@dataclass(frozen=True)
class Times:
    """One column of times.

    Attributes:
        column: (N,) int64, or Int64 with NA where missing.
        clock: what they mean.
        writing: how the file has them; None if all are missing.
    """

    column: pd.Series
    clock: Clock
    writing: Writing | None


@dataclass(frozen=True)
class Entries:
    """A column whose entries are its rows, or its distinct texts.

    Attributes:
        name: of the column.
        location: of the file.
        spec: what the suite says about it.
        say: takes what was made of it.
        index: of the rows.
        codes: which entry each row has, (N,), -1 for none; None if every row is an entry.
    """

    name: str
    location: Location
    spec: LogSpec
    say: Say
    index: pd.Index
    codes: Longs | None = None

    def __str__(self) -> str:
        """Return file and column, for a message about all rows."""
        return f"{self.location.path}: column {self.name!r}"

    def rows(self, some: Mask) -> Mask:
        """Return which rows (N,) have some entries (n,)."""
        return some if self.codes is None else np.append(some, False)[self.codes]

    def first(self, some: Mask) -> str:
        """Return file, line and column of the first row with some entries (n,)."""
        return f"{self.location.row(int(self.rows(some).argmax()))}: column {self.name!r}"

    def without_unknown(self, present: Mask, unknown: Mask) -> Mask:
        """Return the present entries (n,) without those that stand for an unknown time, and say how many."""
        if unknown.any():
            self.say(
                f"{self.first(unknown)}: {int(self.rows(unknown).sum())} times are 0 or -1, which stands for "
                "an unknown time: taken as missing (for a counter, set time_unit: order)"
            )
            return present & ~unknown
        return present

    def times(self, found: Instants, present: Mask, writing: Writing, written: WrittenUnit = "s") -> Times:
        """Return the times of the rows in the coarsest unit, given those of the entries ``present`` (n,)."""
        times, unit = coarsest(*found)
        return self.spread(times, present, Clock(unit, written), writing)

    def spread(self, times: Longs, present: Mask, clock: Clock, writing: Writing) -> Times:
        """Return the times of the rows, given those of the entries that are ``present`` (n,)."""
        whole, absent = times, ~present
        if len(times) < len(present):
            whole = np.zeros(len(present), dtype=np.int64)
            whole[present] = times
        if self.codes is not None:
            whole, absent = np.append(whole, 0)[self.codes], np.append(absent, True)[self.codes]
        if not absent.any():
            return Times(pd.Series(whole, index=self.index), clock, writing)
        values = pd.Series(pd.arrays.IntegerArray(whole, absent), index=self.index)
        return Times(values, clock, None if absent.all() else writing)
