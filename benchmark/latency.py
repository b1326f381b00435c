"""How long a model takes to score one user, measured until it is known well enough, or the time is over."""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from benchmark.protocol import Array, Recommender, Values
from benchmark.score_check import fetched

CALLS, WARM_UP = 200, 20
"""Calls of a round, each for another user, and those before the first that do not count."""
LEAST_ROUNDS = 5
LEAST_CALLS = 20
WIDTH = 0.2
"""The 95th percentile is known well enough once its interval is no wider than this share of it."""
PRECISION_MS = 0.02
"""Or no wider than this: a fifth of the step in which a pick compares."""
MOST_S = 5.0
"""Seconds after which it stands as measured."""
LOST_SHARE = 0.02
"""A round in which this thread was preempted, and lost more of its time than this, is left out."""
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A percentile of the time of a call, and its 95 % interval, in milliseconds."""

    value: float
    low: float
    high: float

    @property
    def is_narrow(self) -> bool:
        """Whether the interval is no wider than ``WIDTH`` of the value, or than ``PRECISION_MS``."""
        return self.high - self.low <= max(WIDTH * self.value, PRECISION_MS)


@dataclass(frozen=True)
class Latency:
    """How long one user's scores take.

    Attributes:
        p50: the median.
        p95: the 95th percentile.
        rounds: rounds of calls that it is made from.
        left_out: rounds in which the machine took time away.
        is_steady: whether the interval of the 95th percentile became narrow in time.
    """

    p50: Estimate
    p95: Estimate
    rounds: int
    left_out: int
    is_steady: bool

    def as_record(self) -> dict[str, float]:
        """Return it under the names that a final's record has for it, in milliseconds."""
        found: dict[str, float] = {}
        for name, one in (("p50", self.p50), ("p95", self.p95)):
            found |= {f"latency_ms_{name}": one.value}
            found |= {f"latency_ms_{name}_low": one.low, f"latency_ms_{name}_high": one.high}
        return found | {
            "latency_rounds": self.rounds,
            "latency_rounds_left_out": self.left_out,
            "latency_is_steady": self.is_steady,
        }


@dataclass(frozen=True)
class Moment:
    """What clocks and counters say at one moment.

    Attributes:
        wall_s: of a clock that only grows.
        cpu_s: CPU time of this thread.
        preempted: how often another process took the core from this thread.
        stolen: time that the host of a virtual machine took from the cores, in its ticks.
    """

    wall_s: float
    cpu_s: float
    preempted: int
    stolen: int

    def was_disturbed_until(self, other: Moment) -> bool:
        """Return whether the machine took time away between this moment and a later one."""
        wall_s = other.wall_s - self.wall_s
        lost_s = wall_s - (other.cpu_s - self.cpu_s)
        is_preempted = other.preempted > self.preempted and lost_s > LOST_SHARE * wall_s
        return is_preempted or other.stolen > self.stolen


class Stopwatch:
    """The clocks and counters of this machine."""

    def seconds(self) -> float:
        """Return what a clock says that only grows."""
        return time.monotonic()

    def moment(self) -> Moment:
        """Return what clocks and counters say now."""
        switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
        return Moment(self.seconds(), time.thread_time(), switches, stolen_ticks())


def latency(
    model: Recommender, n_users: int, most_s: float = MOST_S, watch: Stopwatch | None = None
) -> Latency:
    """Return how long one user's scores take, over users drawn from 0..U-1.

    Rounds of ``CALLS`` calls until the interval of the 95th percentile is narrow, at least ``LEAST_ROUNDS``,
    or ``most_s`` seconds are over. Rounds that were disturbed do not count, unless there are no others.
    Garbage is collected as it is where the model serves.

    Args:
        model: the fitted model.
        n_users: U.
        most_s: seconds.
        watch: clocks and counters; those of this machine if None.
    """
    watch, rng = watch or Stopwatch(), np.random.default_rng(0)
    end_s = watch.seconds() + most_s
    timed_calls(model, rng.integers(n_users, size=WARM_UP), end_s, watch)
    kept: list[Values] = []
    others: list[Values] = []
    while True:
        before = watch.moment()
        took = timed_calls(model, rng.integers(n_users, size=CALLS), end_s, watch)
        is_whole = len(took) == CALLS
        if is_whole or not kept + others:
            (others if before.was_disturbed_until(watch.moment()) else kept).append(took)
        if len(kept) >= LEAST_ROUNDS and percentile(kept, 95).is_narrow:
            return Latency(percentile(kept, 50), percentile(kept, 95), len(kept), len(others), is_steady=True)
        if not is_whole or watch.seconds() >= end_s:
            rounds = kept or others
            return Latency(
                percentile(rounds, 50), percentile(rounds, 95), len(rounds), len(others), is_steady=False
            )


def timed_calls(model: Recommender, users: Array, end_s: float, watch: Stopwatch) -> Values:
    """Return how long the scores of each user take, ms; past ``end_s`` of ``LEAST_CALLS`` users at least."""
    took: list[float] = []
    for user in users.astype(np.int32):
        began = watch.seconds()
        fetched(model.score(np.array([user], dtype=np.int32)))
        ended = watch.seconds()
        took.append(1000 * (ended - began))
        if ended >= end_s and len(took) >= LEAST_CALLS:
            break
    return np.array(took)


def percentile(rounds: Sequence[Values], share: float) -> Estimate:
    """Return a percentile of the time of a call, and its interval.

    By batch means (Law 2015, Simulation Modeling and Analysis, 9.5.3): calls that follow one another are
    alike, so rounds are what counts: the mean of their percentiles and its t interval. Of a single round it
    is the distribution-free interval between two order statistics (David & Nagaraja 2003, 7.1).

    Args:
        rounds: milliseconds of the calls of each.
        share: 0 to 100.

    >>> percentile([np.array([1.0, 1.0]), np.array([1.2, 1.2])], 50).value
    1.1
    """
    each = np.array([np.percentile(took, share) for took in rounds])
    if len(each) > 1:
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each)))
        value = float(each.mean())
        return Estimate(value, max(value - half, 0.0), value + half)
    ordered = np.sort(rounds[0])
    calls = stats.binom(len(ordered), share / 100)
    least, most = (min(int(calls.ppf(tail)), len(ordered) - 1) for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    value = float(each[0])
    return Estimate(value, min(float(ordered[least]), value), max(float(ordered[most]), value))


def stolen_ticks() -> int:
    """Return the time that the host took from this process's cores, in ticks; 0 where none is counted."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    fields = [line.split() for line in lines if line.split(" ", 1)[0] in mine]
    return sum(int(field[8]) for field in fields if len(field) > 8)
