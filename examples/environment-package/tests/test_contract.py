"""The contract that bench relies on; the tests are inherited, and run in the environment."""

from __future__ import annotations

from bench_tiny.counting import Counting

from benchmark.testing import AdapterContract


class TestCounting(AdapterContract):
    """Shapes, seeds, state and quality on a planted log."""

    adapter = Counting
