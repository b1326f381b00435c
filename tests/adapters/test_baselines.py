"""Popularity, of all time and recent, and what a user has had most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_logs import fitted, interactions

from adapters.baselines import MostFrequent, MostRecent, Popularity, RecentPopularity
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


def purchases():
    """User 0 has item 2 three times, 1 twice and 0 once, last of all; user 1 has item 3 once; 2 nothing."""
    users, items = [0, 0, 0, 1, 0, 0, 0], [2, 1, 2, 3, 2, 1, 0]
    return interactions(users, items, times=[1, 2, 3, 4, 5, 6, 7], n_users=3, n_items=5)


def ranked(scores):
    return np.argsort(-scores, kind="stable").tolist()


def test_most_frequent_ranks_a_users_own_items_by_how_often_then_the_popular_ones():
    scores = fitted(MostFrequent(), purchases()).score(np.array([0, 1, 2]))
    assert [ranked(row) for row in scores] == [[2, 1, 0, 3, 4], [3, 2, 1, 0, 4], [2, 1, 0, 3, 4]]
    assert np.floor(scores[0]).tolist() == [1, 2, 3, 0, 0]


def test_most_recent_ranks_a_users_own_items_by_the_last_time_then_the_popular_ones():
    scores = fitted(MostRecent(), purchases()).score(np.array([0, 1, 2]))
    assert [ranked(row) for row in scores] == [[0, 1, 2, 3, 4], [3, 2, 1, 0, 4], [2, 1, 0, 3, 4]]


def test_most_recent_ranks_the_items_of_one_basket_by_popularity():
    train = interactions([0, 0, 0, 1, 1], [0, 1, 2, 2, 1], times=[5, 9, 9, 1, 2], n_items=3)
    assert ranked(fitted(MostRecent(), train).score(np.array([0]))[0]) == [1, 2, 0]
    tilted = interactions([0, 0, 0, 1, 2], [0, 1, 2, 2, 2], times=[5, 9, 9, 1, 2], n_items=3)
    assert ranked(fitted(MostRecent(), tilted).score(np.array([0]))[0]) == [2, 1, 0]


def test_most_recent_without_times_follows_the_order_of_the_log():
    train = replace(purchases(), times=np.empty(0, dtype=np.int64))
    assert ranked(fitted(MostRecent(), train).score(np.array([0]))[0]) == [0, 1, 2, 3, 4]


def test_history_in_which_items_come_again_is_counted_or_read_to_its_end():
    frequent, recent = (fitted(model, purchases()) for model in (MostFrequent(), MostRecent()))
    history = np.array([4, 4, 3], dtype=np.int32)
    assert ranked(frequent.fold_in(history))[:2] == [4, 3]
    assert ranked(recent.fold_in(history))[:2] == [3, 4]
