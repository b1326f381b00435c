"""Rows shared among the threads of a slot, for compiled code that releases the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from benchmark.protocol import Array

SHARES = 8
"""Parts that each thread takes one after another, so that a dear one at the end keeps nobody waiting."""


def over_rows(work: Callable[[int, int], None], ends: Array, threads: int) -> None:
    """Call ``work(first, last)`` on ranges of rows that together are all rows, in so many threads.

    Work on a row may not depend on another row's: then no number depends on how many threads there are.

    Args:
        work: handles the rows from ``first`` up to ``last``.
        ends: (n + 1,) ascending: work up to each row, such as where a sparse matrix's rows start.
        threads: how many work at once; with one it is one call.

    >>> over_rows(lambda first, last: print(first, last), np.array([0, 5, 9]), threads=1)
    0 2
    """
    n_rows = len(ends) - 1
    if threads <= 1:
        work(0, n_rows)
        return
    dues = np.linspace(ends[0], ends[-1], SHARES * threads + 1)[1:-1]
    cuts = np.unique([0, *np.searchsorted(ends, dues).tolist(), n_rows])
    share(work, [(first, last) for first, last in pairwise(cuts.tolist())], threads)


def share(work: Callable[[int, int], None], parts: Sequence[tuple[int, int]], threads: int) -> None:
    """Call ``work`` on each part; this thread works too, and the others end with the call: a fork may follow.

    Raises:
        Exception: the first that a part raised.
    """
    left = iter(parts)  # handed out under the interpreter's lock

    def until_none_is_left() -> None:
        for first, last in left:
            work(first, last)

    others = min(threads, len(parts)) - 1
    if others < 1:
        until_none_is_left()
        return
    with ThreadPoolExecutor(others) as pool:
        running = [pool.submit(until_none_is_left) for _ in range(others)]
        until_none_is_left()
        for one in running:
            one.result()
