"""Catalogue metrics and rating errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics import coverage, rating


def plain_gini(shown: list[int]) -> float:
    """Mean absolute difference of all ordered pairs over twice the mean, n - 1 for n."""
    n, total = len(shown), sum(shown)
    return sum(abs(a - b) for a in shown for b in shown) / (2 * total * (n - 1))


@settings(deadline=None)
@given(shown=st.lists(st.integers(0, 6), min_size=2, max_size=8).filter(any))
def test_gini_equals_the_pairwise_definition(shown):
    lists = np.repeat(np.arange(len(shown)), shown)[:, None]
    assert coverage.gini(lists, len(shown)) == pytest.approx(plain_gini(shown), abs=1e-12)


def test_gini_counts_items_never_shown():
    assert coverage.gini(np.array([[0], [1]]), 2) == 0.0
    assert coverage.gini(np.array([[0], [1]]), 4) == pytest.approx(2 / 3)


def test_gini_of_empty_lists_or_one_item_is_nan():
    assert math.isnan(coverage.gini(np.array([[-1]]), 4))
    assert math.isnan(coverage.gini(np.array([[0]]), 1))


def test_coverage_counts_each_item_once_and_no_padding():
    assert coverage.coverage(np.array([[3, 1], [3, -1]]), 8) == 0.25


def test_novelty_is_the_mean_over_what_is_shown():
    values = coverage.novelty(np.array([[0, 2], [2, -1], [-1, -1]]), np.array([8, 4, 0]), 8)
    assert values[:2].tolist() == [1.5, 3.0]
    assert np.isnan(values[2])


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_rating_errors_equal_scikit_learn(seed):
    from sklearn.metrics import mean_absolute_error, mean_squared_error

    rng = np.random.default_rng(seed)
    predicted, actual, rows = rng.uniform(1, 5, 40), rng.integers(1, 6, 40), rng.integers(0, 7, 40)
    squared, absolute, counts = rating.error_sums(predicted, actual, rows, 8)
    assert rating.mse(squared, counts) == pytest.approx(mean_squared_error(actual, predicted))
    assert rating.rmse(squared, counts) == pytest.approx(mean_squared_error(actual, predicted) ** 0.5)
    assert rating.mae(absolute, counts) == pytest.approx(mean_absolute_error(actual, predicted))


def test_rating_errors_weigh_ratings_not_users():
    squared, counts = np.array([0.0, 9.0]), np.array([8, 1])
    assert rating.rmse(squared, counts) == 1.0


def test_rating_errors_without_a_rating_are_nan():
    assert math.isnan(rating.rmse(np.zeros(2), np.zeros(2, dtype=int)))
