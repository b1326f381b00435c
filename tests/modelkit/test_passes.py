"""A training in a thread: it waits after each pass, ends when nobody asks, and fails where it is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from benchmark.modelkit.passes import passes


class Training:
    """A library that trains in one call, and whose own ``except`` would swallow any ordinary exception."""

    def __init__(self, n: int, fails_after: int | None = None) -> None:
        self.n, self.fails_after = n, fails_after
        self.done = 0
        self.thread: threading.Thread | None = None

    def __call__(self, after_pass: Callable[[], None]) -> None:
        self.thread = threading.current_thread()
        for _ in range(self.n):
            if self.done == self.fails_after:
                raise ValueError("no more")
            self.done += 1
            try:
                after_pass()
            except Exception:  # noqa: BLE001 (as a library might)
                continue


def test_each_yield_finds_one_pass_more_and_nothing_running() -> None:
    training = Training(4)
    assert [training.done for _ in passes(training)] == [1, 2, 3, 4]
    assert training.thread is not None
    assert not training.thread.is_alive()


def test_a_step_of_several_passes_ends_after_them_and_the_last_has_the_rest() -> None:
    training = Training(7)
    assert [training.done for _ in passes(training, every=3)] == [3, 6, 7]


def test_closing_the_generator_ends_the_training_in_the_pass_where_it_waits() -> None:
    training = Training(1000)
    steps = passes(training)
    next(steps)
    next(steps)
    steps.close()
    assert training.thread is not None
    assert not training.thread.is_alive()
    assert training.done == 2


def test_what_the_training_raises_is_raised_to_whoever_asked_for_the_pass() -> None:
    steps = passes(Training(3, fails_after=1))
    next(steps)
    with pytest.raises(ValueError, match="no more"):
        next(steps)


def test_training_without_a_pass_yields_nothing() -> None:
    assert list(passes(Training(0))) == []
