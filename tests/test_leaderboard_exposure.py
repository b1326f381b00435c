"""Popularity of what is shown, and recall of popular and of other items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.leaderboard.exposure import Exposure, head_of, popularity_lift
from benchmark.protocol import Interactions


def log(users: list[int], items: list[int], n_items: int = 4) -> Interactions:
    n = len(users)
    ids = (np.array(users, dtype=np.int32), np.array(items, dtype=np.int32))
    ones = np.ones(n, dtype=np.float32)
    return Interactions(*ids, ones, np.zeros(0, np.int64), np.ones(n, bool), 3, n_items)


def exposure(relevant: Interactions) -> Exposure:
    counts = np.array([6, 2, 1, 1])
    return Exposure(counts, head_of(counts), relevant)


def test_head_is_the_fewest_items_with_a_third_of_the_rows() -> None:
    assert head_of(np.array([2, 2, 2, 3])).tolist() == [False, False, False, True]
    assert head_of(np.array([2, 2, 2, 2])).tolist() == [True, True, False, False]


def test_recalls_split_hits_by_kind_and_leave_out_users_without_one() -> None:
    made = exposure(log([0, 0, 1], [0, 1, 2]))
    lists = np.array([[0, 3], [2, 1]])

    assert made.recalls(np.array([0, 1]), lists) == (1.0, 0.5)


def test_recalls_without_a_relevant_head_item_are_nan() -> None:
    head, tail = exposure(log([0], [2])).recalls(np.array([0]), np.array([[2, -1]]))

    assert np.isnan(head)
    assert tail == 1.0


def test_popularity_lift_of_the_training_rows_themselves_is_one() -> None:
    counts = np.array([3, 1, 2])

    assert popularity_lift(np.repeat(np.arange(3), counts)[:, None], counts) == pytest.approx(1.0)


def test_popularity_lift_ignores_the_end_of_short_lists() -> None:
    counts = np.array([3, 1])

    assert popularity_lift(np.array([[0, -1]]), counts) == popularity_lift(np.array([[0]]), counts)


def test_columns_are_means_over_seeds_within_the_list_length() -> None:
    made = exposure(log([0, 1], [0, 0]))
    rows = pd.DataFrame(
        {"seed": [0, 0, 1, 1], "user": [0, 1, 0, 1], "items": [[0, 1], [0, 1], [1, 0], [0, 1]]}
    )
    found = made.columns(rows, k=1)

    assert found["recall_head"] == 0.75
    assert found["recall_tail"] is None


def test_exposure_without_a_stored_split_is_none(tmp_path: Path) -> None:
    assert Exposure.of(tmp_path, "train+valid") is None
