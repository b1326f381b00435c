"""Samples of users that lie beside a split: nested, hashed, and silent about who has a row in test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import interactions

from benchmark.datasets.store.candidates import save_array
from benchmark.datasets.store.user_samples import (
    ASKED,
    asked_users,
    drawn_users,
    finals_users,
    load_users,
    restricted,
    store_users,
    users_of,
    users_sha256,
)
from benchmark.errors import DataError

ROWS = interactions(np.repeat(np.arange(0, 1000, 2), 2), np.tile([0, 1], 500), n_users=1000)
"""Two rows of every second user."""


def test_smaller_samples_are_nested_in_larger_ones() -> None:
    order = drawn_users("valid", ROWS, seed=42)
    assert sorted(order.tolist()) == list(range(0, 1000, 2))
    assert set(order[:100]) < set(order[:200])
    assert not np.array_equal(order, np.sort(order))


def test_parts_and_seeds_have_orders_of_their_own() -> None:
    order = drawn_users("valid", ROWS, seed=42)
    assert np.array_equal(order, drawn_users("valid", ROWS, seed=42))
    assert not np.array_equal(order, drawn_users("test", ROWS, seed=42))
    assert not np.array_equal(order, drawn_users("valid", ROWS, seed=43))


def test_stored_users_come_back_ascending_under_the_hash_of_who_they_are(tmp_path: Path) -> None:
    drawn = drawn_users("valid", ROWS, seed=42)[:50]
    sha256 = store_users(tmp_path, "valid", drawn)
    found = load_users(tmp_path, "valid")
    assert np.array_equal(found, np.sort(drawn))
    assert found.dtype == np.int32
    assert sha256 == users_sha256(found) != users_sha256(found[1:])


def test_restricted_rows_and_negatives_are_those_of_the_users() -> None:
    negatives = np.repeat(users_of(ROWS)[:, None], 3, axis=1)  # each user's name three times
    rows, own = restricted(ROWS, negatives, np.array([8, 2], dtype=np.int32))
    assert rows.users.tolist() == [2, 2, 8, 8]
    assert rows.n_users == ROWS.n_users
    assert own is not None
    assert own.tolist() == [[2, 2, 2], [8, 8, 8]]


def test_finals_ask_about_users_without_test_rows_as_often_as_about_others() -> None:
    test = interactions(np.arange(300), np.zeros(300), n_users=1000)  # three users in ten
    asked = asked_users(test, 60, seed=42)
    assert len(asked) == 60 + 140
    assert np.array_equal(asked, np.unique(asked))
    assert set(drawn_users("test", test, seed=42)[:60]) < set(asked)
    assert (asked < 300).mean() == pytest.approx(0.3), "who is asked about is three in ten, as everywhere"
    assert set(asked) < set(asked_users(test, 120, seed=42))


def test_who_is_drawn_of_test_depends_on_its_rows_so_that_a_seed_does_not_tell() -> None:
    users = np.arange(300)
    one, other = (interactions(users, np.full(300, item), n_users=1000, n_items=2) for item in (0, 1))
    assert not np.array_equal(drawn_users("test", one, seed=42), drawn_users("test", other, seed=42))
    assert not np.array_equal(asked_users(one, 60, seed=42), asked_users(other, 60, seed=42))
    assert np.array_equal(drawn_users("valid", one, seed=42), drawn_users("valid", other, seed=42))


def test_finals_ask_about_everybody_where_everybody_is_scored() -> None:
    assert asked_users(ROWS, 500, seed=42).tolist() == list(range(1000))


def test_finals_ask_about_the_stored_users_where_there_is_a_sample(tmp_path: Path) -> None:
    save_array(tmp_path / ASKED, np.array([1, 3], dtype=np.int32))
    assert finals_users(tmp_path).tolist() == [1, 3]


def test_missing_sample_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"valid-users\.npy: damaged or missing .*--fresh"):
        load_users(tmp_path, "valid")
