"""Popularity of what is shown, and recall of popular and of other items."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmark.metrics.head_tail import head_items, hits_of_kind, mean_popularity_lift
from benchmark.metrics.relevance import Relevance, relevant_items
from benchmark.protocol import Interactions

HEAD = head_items(np.array([6, 2, 1, 1]))


def relevant(users: list[int], items: list[int], excluded: NDArray[np.bool_] | None = None) -> Relevance:
    """Return what three users have to find among four items."""
    n = len(users)
    ids = (np.array(users, dtype=np.int32), np.array(items, dtype=np.int32))
    ones = np.ones(n, dtype=np.float32)
    held_out = Interactions(*ids, ones, np.zeros(0, np.int64), np.ones(n, bool), 3, 4)
    return relevant_items(held_out, csr_matrix((3, 4)), excluded)


def test_head_is_the_fewest_items_with_a_third_of_the_rows() -> None:
    assert head_items(np.array([2, 2, 2, 3])).tolist() == [False, False, False, True]
    assert head_items(np.array([2, 2, 2, 2])).tolist() == [True, True, False, False]


def test_hits_count_one_kind_against_relevant_items_of_that_kind() -> None:
    found, users = relevant([0, 0, 1], [0, 1, 2]), np.array([0, 1], dtype=np.int32)
    lists = np.array([[0, 3], [2, 1]], dtype=np.int32)
    hits, counts = hits_of_kind(users, lists, found, HEAD)
    assert (hits.tolist(), counts.tolist()) == ([[True, False], [False, False]], [1, 0])
    hits, counts = hits_of_kind(users, lists, found, ~HEAD)
    assert (hits.tolist(), counts.tolist()) == ([[False, False], [True, False]], [1, 1])


def test_end_of_a_short_list_is_no_hit() -> None:
    lists, users = np.array([[2, -1]], dtype=np.int32), np.array([0], dtype=np.int32)
    hits, counts = hits_of_kind(users, lists, relevant([0], [3]), ~HEAD)
    assert (hits.any(), counts.tolist()) == (False, [1])


def test_held_out_items_that_are_no_candidates_are_not_counted_as_missed() -> None:
    lists, users = np.array([[2, 1]], dtype=np.int32), np.array([0], dtype=np.int32)
    excluded = np.array([False, False, False, True])
    hits, counts = hits_of_kind(users, lists, relevant([0, 0], [2, 3], excluded), ~HEAD)
    assert (hits.tolist(), counts.tolist()) == ([[True, False]], [1])


def test_popularity_lift_of_the_training_rows_themselves_is_one() -> None:
    counts = np.array([3, 1, 2])

    assert mean_popularity_lift(np.repeat(np.arange(3), counts)[:, None], counts) == pytest.approx(1.0)


def test_popularity_lift_ignores_the_end_of_short_lists() -> None:
    counts = np.array([3, 1])

    assert mean_popularity_lift(np.array([[0, -1]]), counts) == mean_popularity_lift(np.array([[0]]), counts)
