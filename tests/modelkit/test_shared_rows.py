"""Rows shared among threads: each once, whoever does it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from benchmark.modelkit.shared_rows import over_rows, share


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("ends", [[0, 3, 3, 10, 11], [0, 0, 0], [0, 10_000, 10_001], [7]])
def test_every_row_is_worked_on_once(ends: list[int], threads: int) -> None:
    times = np.zeros(len(ends) - 1, dtype=int)

    def work(first: int, last: int) -> None:
        times[first:last] += 1

    over_rows(work, np.array(ends), threads)
    assert (times == 1).all()


def test_two_threads_work_at_once() -> None:
    both = threading.Barrier(2, timeout=60.0)
    share(lambda *_: both.wait() and None, [(0, 1), (1, 2)], threads=2)
    assert not both.broken


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    over_rows(lambda *_: None, np.arange(100), threads=3)
    assert threading.active_count() == before


def test_what_a_part_raises_comes_out() -> None:
    def fails(first: int, last: int) -> None:
        raise ValueError(f"row {first}")

    with pytest.raises(ValueError, match="row"):
        share(fails, [(0, 1), (1, 2), (2, 3)], threads=2)
