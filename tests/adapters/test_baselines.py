"""Popularity, of all time and recent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_logs import fitted, interactions

from adapters.baselines import Popularity, RecentPopularity
from benchmark.datasets.clock import PER_SECOND
from benchmark.testing import planted_parts


def test_popularity_scores_are_the_number_of_rows():
    train, _ = planted_parts()
    scores = fitted(Popularity(), train).score(np.array([0, 1]))
    assert (scores == train.matrix().sum(axis=0)).all()


def test_recent_popularity_halves_a_row_with_each_half_life():
    days = np.array([0, 10, 20, 20])
    train = interactions([0, 0, 0, 0], [0, 1, 2, 1], times=days * 86_400, n_items=4)
    model = fitted(RecentPopularity(half_life=10.0), train)
    assert model.score(np.array([0])).tolist() == [[0.25, 1.5, 1.0, 0.0]]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_recent_popularity_counts_days_whatever_the_unit(unit):
    train, _ = planted_parts()
    finer = replace(train, times=train.times * PER_SECOND[unit], time_unit=unit)
    first, second = (fitted(RecentPopularity(), rows).score(np.array([0])) for rows in (train, finer))
    np.testing.assert_array_equal(first, second)


def test_recent_popularity_of_a_counter_is_popularity():
    train = replace(planted_parts()[0], time_unit="order")
    counts = np.bincount(train.items, minlength=train.n_items)
    assert (fitted(RecentPopularity(), train).score(np.array([0])) == counts).all()


def test_recent_popularity_with_an_endless_half_life_is_popularity():
    train, _ = planted_parts()
    models = RecentPopularity(half_life=1e12), Popularity()
    first, second = (fitted(model, train).score(np.array([0, 1])) for model in models)
    np.testing.assert_allclose(first, second)


def test_recent_popularity_without_times_is_popularity():
    train = replace(planted_parts()[0], times=np.empty(0, dtype=np.int64))
    counts = np.bincount(train.items, minlength=train.n_items)
    assert (fitted(RecentPopularity(), train).score(np.array([0])) == counts).all()
