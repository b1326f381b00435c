"""How times may be written: what numbers look like that are no seconds, and which format fits dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.tables.parse import WITH_COMMA
from benchmark.protocol import Array

DATES = (
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%m %d, %Y",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
)
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", ", %H:%M:%S", "T%H:%M:%S")
WHOLE_FORMATS = (
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%H:%M:%S %d.%m.%Y",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y-%m-%dT%H:%M:%S,%f",
    "%Y-%m-%d %H:%M:%S,%f",
)
ZONED = r".*\d[T ]\d{1,2}.*\d\s*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"
"""A time of day and then a zone; without the former, the end of 2024-05-31 would look like one."""
SAMPLE = 1_000

EARLIEST_YEAR, LATEST_YEAR = 1900, 2100
DAY_NUMBERS = (32_874, 73_051)
"""What a spreadsheet calls 1990-01-01 and 2100-01-01."""
TICKS = (627_667_488_000_000_000, 662_380_416_000_000_000)
"""Tenths of microseconds since the year 1, as .NET counts, in 1990 and 2100."""


def looks_like(numbers: Array) -> str | None:
    """Return what numbers (n,) are that would be no plausible time since 1970, with the key that cures it.

    Only what every number fits is returned; None if they may be times.

    >>> looks_like(np.array([2019, 2024])), looks_like(np.array([1_717_178_400]))
    ("years? time_format: '%Y'", None)
    >>> looks_like(np.array([45443.75])), looks_like(np.array([20240531]))
    ('day numbers of a spreadsheet? time_format: excel', "dates without separators? time_format: '%Y%m%d'")
    """
    least, most = numbers.min(), numbers.max()
    if DAY_NUMBERS[0] <= least and most < DAY_NUMBERS[1]:
        return "day numbers of a spreadsheet? time_format: excel"
    if numbers.dtype.kind == "f" and not (numbers == np.rint(numbers)).all():
        return None
    if least >= EARLIEST_YEAR and most < LATEST_YEAR:
        return "years? time_format: '%Y'"
    if TICKS[0] <= least and most < TICKS[1]:
        return "tenths of microseconds since the year 1, as .NET counts? write them as dates"
    for digits, codes in (
        (14, "%Y%m%d%H%M%S"),
        (12, "%Y%m%d%H%M"),
        (10, "%Y%m%d%H"),
        (8, "%Y%m%d"),
        (6, "%Y%m"),
    ):
        scale = 10 ** (digits - 4)
        if EARLIEST_YEAR * scale <= least and most < LATEST_YEAR * scale and are_dates(numbers, digits):
            return f"dates without separators? time_format: '{codes}'"
    return None


def are_dates(numbers: Array, digits: int) -> bool:
    """Return whether numbers (n,) of so many digits are a year, a month and so on, two digits each."""
    rest = numbers.astype(np.int64)
    limits = {6: (1, 12), 8: (1, 31), 10: (0, 23), 12: (0, 59), 14: (0, 59)}
    while digits > 4:
        rest, part = np.divmod(rest, 100)
        low, high = limits[digits]
        if ((part < low) | (part > high)).any():
            return False
        digits -= 2
    return True


def format_cure(cells: pd.Series) -> str:
    """Return which formats fit every one of some distinct texts: the end of a message."""
    if cells.str.fullmatch(WITH_COMMA).all():
        return "; every entry is a number with a decimal comma: set decimal: ','"
    sample = cells.head(SAMPLE)
    separators = [date + clock for date in DATES for clock in CLOCKS]
    fitting = [codes for codes in (*WHOLE_FORMATS, *separators) if fits(sample, codes)]
    fitting = [codes for codes in fitting if len(cells) == len(sample) or fits(cells, codes)]
    rule = (
        "; it must be a number of seconds since 1970 or a date such as 2024-05-31 18:00:00, the same kind in "
        "every row: "
    )
    if not fitting:
        return (
            f"{rule}correct it, say how times are written with time_format, or name it in missing_values if "
            "it stands for none"
        )
    keys = " or ".join(f"time_format: {codes!r}" for codes in fitting)
    if len(fitting) > 1:
        return f"{rule}these formats fit every entry, and only you know which is meant: {keys}"
    return f"{rule}every entry fits {keys}"


def fits(cells: pd.Series, codes: str) -> bool:
    """Return whether every text is a date in this format."""
    return bool(pd.to_datetime(cells, format=codes, errors="coerce", utc="%z" in codes).notna().all())


def zoned(cells: pd.Series) -> NDArray[np.bool_]:
    """Return which texts (n,) name a zone.

    >>> zoned(pd.Series(["2024-05-31", "2024-05-31 18:00+02:00", "2024-05-31 18:00:00 UTC"])).tolist()
    [False, True, True]
    """
    return cells.str.fullmatch(ZONED).to_numpy(dtype=np.bool_)
