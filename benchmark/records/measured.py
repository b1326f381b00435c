"""What is known of a final: what it cost to serve, and what the scorer found on test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured of one fitted model.

    Attributes:
        steps: that it trained.
        size_mb: of its stored state, MiB; None if it keeps none.
        params: numbers in its state; None likewise.
        latency_ms_p50: median milliseconds of one user's scores.
        latency_ms_p95: 95th percentile of the same.
        latency_ms_p50_low: lower end of the median's 95 % interval; None, as all that follows of latency, in
            records of before.
        latency_ms_p50_high: upper end.
        latency_ms_p95_low: lower end of the 95th percentile's.
        latency_ms_p95_high: upper end.
        latency_rounds: rounds of calls that both are made from.
        latency_rounds_left_out: rounds in which the machine took time away.
        latency_is_steady: whether the interval of the 95th percentile became narrow in time.
        users_per_s: users scored per second in batches, and ranked where lists are handed over; I/O excluded.
        filled_users: users without a training row, scored by popularity.
        filled_items: items without a training row, ranked last.
    """

    steps: int
    size_mb: float | None
    params: int | None
    latency_ms_p50: float
    latency_ms_p95: float
    users_per_s: float
    filled_users: int
    filled_items: int
    latency_ms_p50_low: float | None = None
    latency_ms_p50_high: float | None = None
    latency_ms_p95_low: float | None = None
    latency_ms_p95_high: float | None = None
    latency_rounds: int | None = None
    latency_rounds_left_out: int | None = None
    latency_is_steady: bool | None = None


@dataclass(frozen=True, kw_only=True)
class TestCounts:
    """Whom a final was evaluated on.

    Attributes:
        users: with a row in test.
        without_relevant: of these, with nothing to find: excluded from ranking metrics.
        hidden_relevant: relevant items that training had, so excluded.
        excluded_relevant: relevant items that are no candidates, so excluded.
        cold_relevant: relevant items without a training row; they stay.
        short_lists: lists shorter than k.
        cold_users: evaluated users without a training row.
    """

    __test__: ClassVar[bool] = False  # no test class, whatever pytest thinks of the name

    users: int
    without_relevant: int
    hidden_relevant: int = 0
    excluded_relevant: int = 0
    cold_relevant: int = 0
    short_lists: int = 0
    cold_users: int = 0


@dataclass(frozen=True, kw_only=True)
class TestScores:
    """What the scorer found for one final.

    Attributes:
        values: run-level value of every metric that has one.
        counts: whom it was evaluated on.
        popularity_lift: of the lists; None without one.
        path: the file of per-user values, relative to the run.
        sha256: of that file.
        state_path: the file of the stored state; None if none is kept.
        state_sha256: of that file.
        metrics: that were measured, in their order: one without a value is n/a, and is not measured again.
            Empty in runs made before they were named.
    """

    __test__: ClassVar[bool] = False

    values: Mapping[str, float]
    counts: TestCounts
    popularity_lift: float | None
    path: str
    sha256: str
    state_path: str | None = None
    state_sha256: str | None = None
    metrics: tuple[str, ...] = ()

    def holds(self, metric: str) -> bool:
        """Return whether a metric was measured, be it that it has no value."""
        return metric in (self.metrics or self.values)
