"""The contract that bench relies on; the tests are inherited."""

from __future__ import annotations

from bench_also_liked import AlsoLiked

from benchmark.testing import AdapterContract


class TestAlsoLiked(AdapterContract):
    """Shapes, seeds, state, fold-in and quality on a planted log."""

    adapter = AlsoLiked
