"""Numbers as people read them: the same digits in every format."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

NONE = "–"
"""What stands for a number that does not exist."""


def decimal(value: float | None, digits: int = 4) -> str:
    """Return a number with fixed digits; a dash where there is none.

    >>> decimal(0.31794), decimal(None)
    ('0.3179', '–')
    """
    return NONE if value is None or math.isnan(value) else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """Return a difference with its sign.

    >>> signed(-0.0123)
    '-0.0123'
    """
    return NONE if value is None or math.isnan(value) else f"{value:+.4f}"


def percent(value: float | None) -> str:
    """Return a share as a percentage.

    >>> percent(0.387)
    '39%'
    """
    return NONE if value is None or math.isnan(value) else f"{value:.0%}"


def whole(value: float | None) -> str:
    """Return a whole number.

    >>> whole(96.0)
    '96'
    """
    return NONE if value is None or math.isnan(value) else f"{int(value)}"


def span(low: float | None, high: float | None, write: Callable[[float | None], str] = decimal) -> str:
    """Return an interval.

    >>> span(0.1, 0.2)
    '[0.1000, 0.2000]'
    """
    ends = [write(low), write(high)]
    return NONE if NONE in ends else f"[{', '.join(ends)}]"


def interval_ms(low: float | None, high: float | None) -> str:
    """Return an interval of milliseconds.

    >>> interval_ms(0.4567, 0.51), interval_ms(None, None)
    ('[0.457, 0.510]', '–')
    """
    return NONE if low is None or high is None else f"[{decimal(low, 3)}, {decimal(high, 3)}]"


def p_value(value: float | None) -> str:
    """Return a p-value with three places, never 0.

    >>> p_value(0.0301), p_value(0.00002)
    ('0.030', '<0.001')
    """
    if value is None or math.isnan(value):
        return NONE
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def date_text(moment: str) -> str:
    """Return a stored moment as people write it; what is no moment stays as it is.

    >>> date_text("2026-12-01T11:53:45+00:00")
    '2026-12-01 11:53 UTC'
    """
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{found:%Y-%m-%d %H:%M} {found.tzname() or ''}".strip()


def plain(text: str) -> str:
    r"""Return text without what would break a line, turn its direction or command a terminal.

    >>> plain("a\nb\x1b[31m")
    'a b [31m'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)
