"""What is wrong with a split, in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets import SplitSpec, planted
from benchmark.datasets.audit import audit, future_rows, gini, popularity_drift
from benchmark.datasets.prepare import prepare
from benchmark.datasets.split import Split, split
from benchmark.protocol import Interactions


def rows(users, items, times=(), n_users=4, n_items=4):
    return Interactions(
        np.array(users, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.ones(len(users), dtype=np.float32),
        np.array(times, dtype=np.int64),
        np.ones(len(users), dtype=np.bool_),
        n_users,
        n_items,
    )


def cut(train, valid, test, by="files"):
    return Split(train, valid, test, {}, {"rule": {"by": by}}, prepared=None)


def test_audit_counts_pairs_in_two_parts_and_flags_them():
    found = audit(cut(rows([0, 1, 2], [0, 1, 2]), rows([0], [3]), rows([0, 1, 3], [0, 1, 0])))
    assert found["overlap"] == {"train/valid": 0, "train/test": 2, "valid/test": 0}
    assert "2 pairs are in both train/test" in found["flags"]


def test_audit_counts_cold_users_items_and_rows():
    found = audit(cut(rows([0, 1], [0, 1]), rows([0], [3]), rows([0, 1, 3], [1, 2, 2])))
    assert found["cold"] == {"users": 1, "items": 1, "rows": 2}
    assert found["users_without_test"] == 1


def test_future_rows_are_counted_per_user_and_over_all():
    train = rows([0, 0, 1, 1], [0, 1, 0, 1], [1, 9, 1, 5])
    test = rows([0, 1], [2, 2], [5, 6])
    assert future_rows(train, test) == {"same_user": 0.25, "any_user": 0.25}
    assert future_rows(train, rows([1], [2], [0])) == {"same_user": 0.5, "any_user": 1.0}


def test_future_rows_without_times_are_unknown():
    assert future_rows(rows([0], [0]), rows([1], [1])) is None


def test_audit_own_files_that_look_ahead_are_flagged():
    train, test = rows([0, 0, 1, 1], [0, 1, 0, 1], [1, 9, 1, 5]), rows([0, 1], [2, 2], [5, 6])
    flags = audit(cut(train, rows([0], [3], [4]), test))["flags"]
    assert "25.0% of train is later than the same user's earliest test row" in flags


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


def test_popularity_drift_of_a_reversed_order_is_flagged():
    items = np.repeat(np.arange(40), np.arange(1, 41))
    train, test = rows(items * 0, items, n_items=40), rows(items * 0 + 1, 39 - items, n_items=40)
    assert popularity_drift(train, test)["tau"] == pytest.approx(-1.0)
    assert any(
        "Kendall tau -1.00" in flag for flag in audit(cut(train, rows([2], [0], n_items=40), test))["flags"]
    )


def test_popularity_drift_without_any_order_has_no_tau():
    assert popularity_drift(rows([0, 1], [0, 1], n_items=2), rows([1, 0], [0, 1], n_items=2))["tau"] == 0.0


@pytest.mark.parametrize("rule", ["random", "leave_last_out"])
def test_audit_of_a_fair_split_flags_nothing_and_notes_what_the_rule_brings(rule):
    found = audit(split(prepare(planted(users=200, items=100, interactions=6000)), SplitSpec(by=rule)))
    assert found["flags"] == []
    assert "of train is later than" in found["notes"][0]


def test_audit_of_a_split_by_global_time_finds_no_row_of_the_future():
    found = audit(
        split(prepare(planted(users=200, items=100, interactions=6000)), SplitSpec(by="global_time"))
    )
    assert found["future"] == {"same_user": 0.0, "any_user": 0.0}
    assert found["notes"] == []
