"""What a row says of latency over refits."""

from __future__ import annotations

from benchmark.leaderboard.latency_columns import latency_columns
from benchmark.records import Measurements


def measured(
    p95: float, low: float | None, high: float | None, *, steady: bool | None = True
) -> Measurements:
    return Measurements(
        steps=1,
        size_mb=None,
        params=None,
        latency_ms_p50=p95 / 2,
        latency_ms_p95=p95,
        users_per_s=1.0,
        filled_users=0,
        filled_items=0,
        latency_ms_p50_low=None if low is None else low / 2,
        latency_ms_p50_high=None if high is None else high / 2,
        latency_ms_p95_low=low,
        latency_ms_p95_high=high,
        latency_is_steady=steady,
    )


def test_row_has_the_median_of_refits_and_the_widest_ends() -> None:
    found = latency_columns([measured(1.0, 0.9, 1.1), measured(1.2, 1.1, 1.3), measured(5.0, 4.0, 6.0)])

    assert (found["latency_ms_p95"], found["latency_ms_p95_low"], found["latency_ms_p95_high"]) == (
        1.2,
        0.9,
        6.0,
    )
    assert found["latency_is_steady"] is True


def test_row_is_unsteady_with_one_refit_that_is() -> None:
    found = latency_columns([measured(1.0, 0.9, 1.1), measured(1.0, 0.5, 1.5, steady=False)])

    assert found["latency_is_steady"] is False


def test_row_of_refits_of_before_has_no_interval() -> None:
    found = latency_columns([measured(1.0, 0.9, 1.1), measured(1.0, None, None, steady=None)])

    assert found["latency_ms_p95"] == 1.0
    assert (found["latency_ms_p95_low"], found["latency_ms_p95_high"], found["latency_is_steady"]) == (
        None,
    ) * 3


def test_row_of_lists_made_elsewhere_has_none() -> None:
    assert set(latency_columns([]).values()) == {None}
