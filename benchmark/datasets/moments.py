"""Points and lengths of time as suites write them, on the clock of a log: seconds since 1970."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from benchmark.datasets.specs import NUMBER, SPAN, SPAN_S


def moment(text: str) -> int:
    """Return seconds since 1970 of a date (UTC, unless it says otherwise), or the number given, rounded up.

    >>> moment("1970-01-02"), moment("1970-01-01T01:00+01:00"), moment("12.5")
    (86400, 0, 13)
    """
    if NUMBER.match(text):
        return math.ceil(float(text))
    date = datetime.fromisoformat(text)
    return math.ceil((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())


def span(text: str) -> int | None:
    """Return the seconds of a length of time, at least 1; None if the text is none.

    >>> span("30d"), span("1.5 h"), span("2024-05-31")
    (2592000, 5400, None)
    """
    match = SPAN.match(text)
    return max(1, round(float(match[1]) * SPAN_S[match[2]])) if match else None
