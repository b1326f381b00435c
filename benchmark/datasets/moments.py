"""Moments and lengths of time as suites write them, on the clock of a log: seconds since 1970.

Nothing but pydantic is imported here, so that reading a suite stays light.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator

SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w)\s*$")
SPAN_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?(Z|[+-]\d{2}:\d{2})?$")
NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


def moment(text: str) -> int:
    """Return the seconds since 1970 of a date (UTC, unless it says otherwise) or a number, rounded up.

    >>> moment("1970-01-02"), moment("1970-01-01T01:00+01:00"), moment("12.5")
    (86400, 0, 13)
    """
    if NUMBER.match(text):
        return math.ceil(float(text))
    instant = datetime.fromisoformat(text)
    return math.ceil((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def span(text: str) -> int | None:
    """Return the seconds of a length of time, at least 1; None if the text is not one.

    >>> span("30d"), span("1.5 h"), span("2024-05-31")
    (2592000, 5400, None)
    """
    match = SPAN.match(text)
    return max(1, round(float(match[1]) * SPAN_S[match[2]])) if match else None


def as_written(value: Any) -> Any:
    """Return a date or number that YAML has understood as text again, so that manifests can store it."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def check_moment(value: str) -> str:
    """Return the text if it is a date or a number."""
    if not (DATE.match(value) or NUMBER.match(value)):
        raise ValueError(
            f"is {value!r}; it must be a date such as 2024-05-31 (UTC) or a number on the log's clock"
        )
    return value


def check_span(value: str) -> str:
    """Return the text if it is a length of time."""
    if not SPAN.match(value):
        raise ValueError(f"is {value!r}; it must be a number and s, min, h, d or w, as in 30d")
    return value


Moment: TypeAlias = Annotated[str, BeforeValidator(as_written), AfterValidator(check_moment)]
Span: TypeAlias = Annotated[str, AfterValidator(check_span)]
MomentOrSpan: TypeAlias = Annotated[
    str,
    BeforeValidator(as_written),
    AfterValidator(lambda value: value if SPAN.match(value) else check_moment(value)),
]
