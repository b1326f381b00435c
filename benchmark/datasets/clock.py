"""What the times of a log mean, and moments and lengths of time on its clock.

Light: every trial process imports it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

from benchmark.errors import DataError

if TYPE_CHECKING:
    from benchmark.protocol import TimeUnitOfRows

SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w)\s*$", re.ASCII)
SPAN_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?(Z|[+-]\d{2}:\d{2})?$", re.ASCII)
NUMBER = re.compile(r"^-?\d+(\.\d+)?$", re.ASCII)
NO_CLOCK = "times only say what came first (time_unit: order)"
MICROSECOND = timedelta(microseconds=1)
SECONDS_OF_A_YEAR = 31_556_952
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPREADSHEET_EPOCH_DAYS = 25_569
"""The day number that spreadsheets give to 1970-01-01."""

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""How many of a unit make a second."""

UnitSince1970: TypeAlias = Literal["s", "ms", "us", "ns"]
WrittenUnit: TypeAlias = Literal[UnitSince1970, "excel", "order"]


def today() -> date:
    """Return today's date in UTC: the one place that asks for it, so that tests can replace it."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Clock:
    """How the times of a log are to be understood.

    Attributes:
        unit: of the times as they are kept, since 1970; "order" if they only say what came first.
        written: of the numbers that the file, and therefore its suite, uses: a file in milliseconds whose
            times are whole seconds is kept in seconds, and a number in the suite is in milliseconds;
            "excel" for day numbers of a spreadsheet. Seconds if the file has dates.
    """

    unit: TimeUnitOfRows = "s"
    written: WrittenUnit = "s"

    def moment(self, text: str) -> int:
        """Return the time of a date (UTC, unless it says otherwise) or of a number, rounded up.

        Raises:
            DataError: a date, where times only say what came first.

        >>> Clock().moment("1970-01-02"), Clock("ms", "ms").moment("1970-01-01T01:00+01:00")
        (86400, 0)
        >>> Clock().moment("12.5"), Clock("s", "ms").moment("12500"), Clock("ms", "excel").moment("25569.5")
        (13, 13, 43200000)
        """
        if self.unit == "order":
            if not NUMBER.match(text):
                raise DataError(f"{text}: {NO_CLOCK}; give a number of that counter")
            return math.ceil(Fraction(text))
        if not NUMBER.match(text):
            instant = datetime.fromisoformat(text)
            passed = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - EPOCH
            since_s = Fraction(passed // MICROSECOND, PER_SECOND["us"])
        elif self.written == "excel":
            since_s = (Fraction(text) - SPREADSHEET_EPOCH_DAYS) * SPAN_S["d"]
        else:
            since_s = Fraction(text) / PER_SECOND[self.written]
        return math.ceil(since_s * PER_SECOND[self.unit])

    def span(self, text: str) -> int | None:
        """Return a length of time, at least 1; None if the text is not one.

        Raises:
            DataError: times only say what came first.

        >>> Clock().span("30d"), Clock("ms", "ms").span("1.5 h"), Clock().span("2024-05-31")
        (2592000, 5400000, None)
        """
        match = SPAN.match(text)
        if not match:
            return None
        if self.unit == "order":
            raise DataError(f"{text}: {NO_CLOCK}; a length of time means nothing there")
        return max(1, round(Fraction(match[1]) * SPAN_S[match[2]] * PER_SECOND[self.unit]))

    def written_out(self, time: int) -> str:
        """Return a time as a message shows it: a date in UTC, or the number on a counter.

        >>> Clock().written_out(86_399), Clock("ms", "ms").written_out(500), Clock("order").written_out(7)
        ('1970-01-01 23:59:59', '1970-01-01 00:00:00.500', '7')
        >>> Clock().written_out(86_400), Clock().written_out(10**13)
        ('1970-01-02', 'the year 318857')
        """
        if self.unit == "order":
            return str(time)
        whole_s, rest = divmod(time, PER_SECOND[self.unit])
        try:
            instant = EPOCH + timedelta(seconds=whole_s)
        except OverflowError:
            return f"the year {1970 + whole_s // SECONDS_OF_A_YEAR}"
        written = instant.replace(tzinfo=None).isoformat(sep=" ")
        if not rest:
            return written[:10] if whole_s % SPAN_S["d"] == 0 else written
        return f"{written}.{rest:0{len(str(PER_SECOND[self.unit])) - 1}d}"
