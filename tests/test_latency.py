"""How long one user takes: rounds until it is known, by clocks and counters that a test turns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
import pytest

from benchmark.latency import (
    CALLS,
    LEAST_CALLS,
    LEAST_ROUNDS,
    WARM_UP,
    Estimate,
    Moment,
    Stopwatch,
    latency,
    percentile,
)
from benchmark.protocol import Ids, Scores


class Turned(Stopwatch):
    """A clock that each call of a model moves on."""

    def __init__(self, took_ms: Iterator[float]) -> None:
        self.took_ms, self.now_s = took_ms, 0.0
        self.cpu_s, self.preempted, self.stolen = 0.0, 0, 0
        self.calls = 0

    def seconds(self) -> float:
        return self.now_s

    def moment(self) -> Moment:
        return Moment(self.now_s, self.cpu_s, self.preempted, self.stolen)

    def score(self, users: Ids) -> Scores:
        took_s = next(self.took_ms) / 1000
        self.now_s += took_s
        self.cpu_s += took_s
        self.calls += 1
        self.disturb()
        return np.zeros((len(users), 3), dtype=np.float32)

    def disturb(self) -> None:
        """Nothing does."""


class Preempted(Turned):
    """Loses a tenth of a second to another process in the second and third round."""

    def disturb(self) -> None:
        if self.calls in {CALLS + 100, 2 * CALLS + 100}:
            self.now_s += 0.1
            self.preempted += 1


class Stolen(Turned):
    """Whose host takes time in every round."""

    def disturb(self) -> None:
        self.stolen += self.calls % 50 == 0


class Interrupted(Turned):
    """Whose thread is preempted for no time that matters."""

    def disturb(self) -> None:
        self.preempted += 1


def test_steady_model_is_known_after_the_fewest_rounds() -> None:
    watch = Turned(repeat(0.5))
    found = latency(watch, 10, watch=watch)

    assert (found.rounds, found.left_out, found.is_steady) == (LEAST_ROUNDS, 0, True)
    assert found.p95.value == pytest.approx(0.5)
    assert found.p95.high - found.p95.low == pytest.approx(0.0, abs=1e-9)


def test_rounds_go_on_until_the_interval_is_narrow() -> None:
    rng = np.random.default_rng(0)
    means = iter(rng.uniform(0.3, 1.5, 400))
    each = (mean for mean in means for _ in range(CALLS))
    watch = Turned(each)
    found = latency(watch, 10, most_s=60.0, watch=watch)

    assert found.is_steady
    assert found.rounds > LEAST_ROUNDS
    assert found.p95.is_narrow


def test_time_that_is_over_leaves_the_measurement_as_it_stands_and_marked() -> None:
    rounds = np.tile(np.repeat([1.0, 9.0], CALLS), 100)
    watch = Turned(iter([*np.ones(WARM_UP), *rounds]))
    found = latency(watch, 10, most_s=3.0, watch=watch)

    assert not found.is_steady
    assert found.p95.high - found.p95.low > 0.2 * found.p95.value
    assert watch.now_s < 3.0 + 0.1


def test_very_slow_model_is_called_a_few_times_past_the_end() -> None:
    watch = Turned(repeat(1000.0))
    found = latency(watch, 10, most_s=5.0, watch=watch)

    assert watch.calls == 2 * LEAST_CALLS
    assert (found.rounds, found.is_steady) == (1, False)
    assert found.p50.value == pytest.approx(1000.0)


def test_preempted_rounds_are_left_out_and_counted() -> None:
    watch = Preempted(repeat(0.5))
    found = latency(watch, 10, watch=watch)

    assert (found.rounds, found.left_out) == (LEAST_ROUNDS, 2)
    assert found.p95.value == pytest.approx(0.5)


def test_rounds_count_where_every_one_is_disturbed() -> None:
    watch = Stolen(repeat(2.0))
    found = latency(watch, 10, most_s=2.0, watch=watch)

    assert not found.is_steady
    assert found.rounds == found.left_out > 1
    assert found.p95.value == pytest.approx(2.0)


def test_preemption_that_takes_no_time_does_not_count() -> None:
    watch = Interrupted(repeat(0.5))

    assert latency(watch, 10, watch=watch).left_out == 0


def test_interval_of_rounds_covers_the_percentile_in_19_of_20_measurements() -> None:
    rng = np.random.default_rng(1)
    true = np.exp(0.3 * 1.6448536269514722)  # the 95th percentile of a lognormal with sigma 0.3
    held = [
        one.low <= true <= one.high
        for one in (percentile(list(np.exp(0.3 * rng.normal(size=(6, CALLS)))), 95) for _ in range(400))
    ]

    assert 0.9 <= np.mean(held) <= 0.99


def test_interval_of_a_single_round_covers_the_percentile() -> None:
    rng = np.random.default_rng(2)
    held = [
        one.low <= 1.6448536269514722 <= one.high
        for one in (percentile([rng.normal(size=CALLS)], 95) for _ in range(400))
    ]

    assert np.mean(held) >= 0.92


def test_record_has_both_percentiles_with_their_ends() -> None:
    watch = Turned(repeat(0.5))
    record = latency(watch, 10, watch=watch).as_record()

    assert record["latency_ms_p95_low"] <= record["latency_ms_p95"] <= record["latency_ms_p95_high"]
    assert (record["latency_rounds"], record["latency_is_steady"]) == (LEAST_ROUNDS, True)


def test_narrow_is_a_fifth_of_the_value() -> None:
    assert Estimate(1.0, 0.91, 1.09).is_narrow
    assert not Estimate(1.0, 0.88, 1.1).is_narrow
    assert Estimate(0.01, 0.005, 0.02).is_narrow, "0.02 ms is a fifth of the step of a pick"


def test_real_stopwatch_counts_forward() -> None:
    watch = Stopwatch()
    before, after = watch.moment(), watch.moment()

    assert after.wall_s >= before.wall_s
    assert after.stolen >= before.stolen >= 0
