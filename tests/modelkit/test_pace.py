"""Passes cut into steps: every row once, at whole batches, the same in each pass."""

from __future__ import annotations

from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from benchmark.modelkit.pace import Pace

COUNTS = st.integers(1, 10_000)


@given(rows=COUNTS, step_rows=COUNTS, n_batches=COUNTS)
def test_steps_of_a_pass_end_with_its_last_batch_and_add_up_to_its_rows(
    rows: int, step_rows: int, n_batches: int
) -> None:
    pace = Pace(rows, step_rows)
    ends = pace.ends(n_batches)
    assert max(ends) == n_batches
    assert sum(ends.values()) == rows
    assert len(ends) == min(pace.steps, n_batches)


@given(rows=COUNTS, step_rows=COUNTS)
def test_step_trains_no_more_rows_than_it_may_but_for_the_rest_of_a_batch(rows: int, step_rows: int) -> None:
    assert max(Pace(rows, step_rows).ends(rows).values()) <= step_rows


def test_pass_is_a_step_where_nothing_else_is_asked_for() -> None:
    assert Pace(1000).ends(7) == {7: 1000}


def test_batches_fewer_than_the_steps_are_each_a_step() -> None:
    assert Pace(1000, step_rows=1).ends(3) == {1: 333, 2: 333, 3: 334}


def test_no_step_is_begun_after_the_last_pass() -> None:
    begun = []
    steps = (begun.append(rows) or rows for rows in cycle((4, 3, 3)))
    assert list(Pace(10, 4).passes(steps, 2)) == [4, 3, 3, 4, 3, 3]
    assert len(begun) == 6


def test_batches_grow_on_a_large_log_and_are_as_large_in_a_sample_of_it() -> None:
    assert Pace(2_000_000).batch_rows(1024, 2_000_000) == 1024
    assert Pace(4_000_000).batch_rows(1024, 4_000_000) == 8000
    assert Pace(4_000_000).batch_rows(10_000, 4_000_000) == 10_000, "never smaller than it is told"
    assert Pace(40_000, of_rows=4_000_000).batch_rows(1024, 40_000) == 8000
    assert Pace(4_000_000).batch_rows(512, 100_000) == 512, "users are put into batches, and they are few"
