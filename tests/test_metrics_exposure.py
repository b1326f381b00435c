"""Popularity of what is shown, and recall of popular and of other items."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.metrics.exposure import head_of, popularity_lift, recall_of_kind
from benchmark.protocol import Interactions

HEAD = head_of(np.array([6, 2, 1, 1]))


def log(users: list[int], items: list[int], n_items: int = 4) -> Interactions:
    n = len(users)
    ids = (np.array(users, dtype=np.int32), np.array(items, dtype=np.int32))
    ones = np.ones(n, dtype=np.float32)
    return Interactions(*ids, ones, np.zeros(0, np.int64), np.ones(n, bool), 3, n_items)


def test_head_is_the_fewest_items_with_a_third_of_the_rows() -> None:
    assert head_of(np.array([2, 2, 2, 3])).tolist() == [False, False, False, True]
    assert head_of(np.array([2, 2, 2, 2])).tolist() == [True, True, False, False]


def test_recall_counts_hits_of_one_kind_against_relevant_items_of_that_kind() -> None:
    likes, users = log([0, 0, 1], [0, 1, 2]), np.array([0, 1], dtype=np.int32)
    lists = np.array([[0, 3], [2, 1]], dtype=np.int32)

    np.testing.assert_array_equal(recall_of_kind(users, lists, likes, HEAD), [1.0, np.nan])
    np.testing.assert_array_equal(recall_of_kind(users, lists, likes, ~HEAD), [0.0, 1.0])


def test_recall_takes_the_end_of_a_short_list_for_no_item() -> None:
    likes, users = log([0], [3]), np.array([0], dtype=np.int32)

    assert recall_of_kind(users, np.array([[2, -1]], dtype=np.int32), likes, ~HEAD).tolist() == [0.0]


def test_popularity_lift_of_the_training_rows_themselves_is_one() -> None:
    counts = np.array([3, 1, 2])

    assert popularity_lift(np.repeat(np.arange(3), counts)[:, None], counts) == pytest.approx(1.0)


def test_popularity_lift_ignores_the_end_of_short_lists() -> None:
    counts = np.array([3, 1])

    assert popularity_lift(np.array([[0, -1]]), counts) == popularity_lift(np.array([[0]]), counts)
