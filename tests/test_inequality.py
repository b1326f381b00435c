"""How unevenly something is distributed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.inequality import gini


@pytest.mark.parametrize(
    ("counts", "expected"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 7], 1.0), ([0, 1, 2, 3], 5 / 9)]
)
def test_gini_of_known_counts(counts, expected):
    assert gini(np.array(counts)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_gini_equals_the_mean_difference_of_pairs(seed):
    counts = np.random.default_rng(seed).poisson(3, size=50)
    differences = np.abs(counts[:, None] - counts[None, :]).sum()
    assert gini(counts) == pytest.approx(differences / (2 * counts.sum() * 49))
