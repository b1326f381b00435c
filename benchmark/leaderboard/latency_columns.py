"""What a row says of the time to score one user: medians over refits, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.leaderboard.rows import BoardRow
from benchmark.records import Measurements


def latency_columns(measured: Sequence[Measurements]) -> Mapping[str, Any]:
    """Return what a row says of latency: medians over refits, and intervals from lowest to highest end.

    Intervals and steadiness are None where a refit of before has none.
    """
    lows = [(one.latency_ms_p50_low, one.latency_ms_p95_low) for one in measured]
    highs = [(one.latency_ms_p50_high, one.latency_ms_p95_high) for one in measured]
    steady = [one.latency_is_steady for one in measured]
    p50_low, p95_low = (extreme(min, ends) for ends in zip(*lows, strict=True)) if lows else (None, None)
    p50_high, p95_high = (extreme(max, ends) for ends in zip(*highs, strict=True)) if highs else (None, None)
    return {
        "latency_ms_p50": median([one.latency_ms_p50 for one in measured]),
        "latency_ms_p50_low": p50_low,
        "latency_ms_p50_high": p50_high,
        "latency_ms_p95": median([one.latency_ms_p95 for one in measured]),
        "latency_ms_p95_low": p95_low,
        "latency_ms_p95_high": p95_high,
        "latency_is_steady": None if None in steady or not steady else all(steady),
    }


def extreme(choose: Callable[[Iterable[float]], float], values: Sequence[float | None]) -> float | None:
    """Return the least or the greatest of some values; None if one is missing.

    >>> extreme(min, [2.0, 1.0]), extreme(max, [1.0, None])
    (1.0, None)
    """
    found = [value for value in values if value is not None]
    return choose(found) if len(found) == len(values) else None


def median(values: Sequence[float | None]) -> float | None:
    """Return the median of what exists; None if nothing does."""
    found = [value for value in values if value is not None]
    return float(np.median(found)) if found else None


def steadiness(row: BoardRow) -> str:
    """Return a mark where the time over which latency was measured was too short for a narrow interval."""
    return "unsteady" if row.latency_is_steady is False else ""
