"""What is wrong with a split, in numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import OWN
from builders import interactions as rows

from benchmark.datasets.audit.order_signal import order_signal
from benchmark.datasets.audit.split_audit import TERMS, audit, future_rows, popularity_drift
from benchmark.datasets.manifest import ColdCounts, FutureRows, Overlap, SplitManifest
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import FilesSpec, PrepareSpec, SplitSpec
from benchmark.datasets.split import Split, split


def in_parts(train, valid, test):
    """These three parts, as if they had come in files."""
    files = FilesSpec(train="train.csv", valid="valid.csv", test="test.csv")
    manifest = SplitManifest(
        provenance=OWN,
        hash="1",
        prepared_sha256="2",
        rule=SplitSpec(by="files", files=files),
        positive=None,
        has_values=False,
        n_users=train.n_users,
        n_items=train.n_items,
        parts={},
        prepare=(),
    )
    return Split(train, valid, test, {}, manifest, prepared=None)


def test_audit_counts_pairs_in_two_parts_and_flags_them():
    found = audit(in_parts(rows([0, 1, 2], [0, 1, 2]), rows([0], [3]), rows([0, 1, 3], [0, 1, 0])))
    assert found.overlap == Overlap(train_valid=0, train_test=2, valid_test=0)
    assert "2 pairs are in both train/test" in found.flags


def test_audit_counts_cold_users_items_and_rows():
    found = audit(in_parts(rows([0, 1], [0, 1]), rows([0], [3]), rows([0, 1, 3], [1, 2, 2])))
    assert found.cold == ColdCounts(users=1, items=1, rows=2)
    assert found.users_without_test == 1


def test_future_rows_are_counted_per_user_and_over_all():
    train = rows([0, 0, 1, 1], [0, 1, 0, 1], [1, 9, 1, 5])
    test = rows([0, 1], [2, 2], [5, 6])
    assert future_rows(train, test) == FutureRows(same_user=0.25, any_user=0.25)
    assert future_rows(train, rows([1], [2], [0])) == FutureRows(same_user=0.5, any_user=1.0)


def test_future_rows_without_times_are_unknown():
    assert future_rows(rows([0], [0]), rows([1], [1])) is None


def test_audit_own_files_that_look_ahead_are_flagged():
    train, test = rows([0, 0, 1, 1], [0, 1, 0, 1], [1, 9, 1, 5]), rows([0, 1], [2, 2], [5, 6])
    flags = audit(in_parts(train, rows([0], [3], [4]), test)).flags
    assert "25.0% of train is later than the same user's earliest test row" in flags


def test_popularity_drift_of_a_reversed_order_is_flagged():
    items = np.repeat(np.arange(40), np.arange(1, 41))
    train, test = (
        rows(items * 0, items, n_items=40),
        rows(items * 0 + 1, 39 - items, n_items=40),
    )
    assert popularity_drift(train, test).tau == pytest.approx(-1.0)
    assert any(
        "Kendall tau -1.00" in flag for flag in audit(in_parts(train, rows([2], [0], n_items=40), test)).flags
    )


def test_popularity_drift_without_any_order_has_no_tau():
    assert popularity_drift(rows([0, 1], [0, 1], n_items=2), rows([1, 0], [0, 1], n_items=2)).tau == 0.0


LOG = synthetic_log(users=200, items=100, interactions=6000)


def test_audit_of_a_random_split_flags_nothing_and_notes_what_the_rule_brings():
    found = audit(split(prepare(LOG)))
    assert found.flags == ()
    assert "of train is later than" in found.notes[0]
    assert found.order is None


@pytest.mark.parametrize("rule", ["leave_last_out", "user_time", "leave_n_out"])
def test_audit_of_a_split_by_each_users_time_is_flagged_for_global_leakage(rule):
    found = audit(split(prepare(LOG), SplitSpec(by=rule)))
    assert any(flag.startswith("global leakage: ") for flag in found.flags)
    assert found.future.same_user == 0.0


@pytest.mark.parametrize("rule", ["global_time", "rolling_time"])
def test_audit_of_a_split_by_windows_of_time_finds_no_row_of_the_future(rule):
    found = audit(split(prepare(LOG), SplitSpec(by=rule)))
    assert found.future == FutureRows(same_user=0.0, any_user=0.0)
    assert not any("later than" in sentence for sentence in found.flags + found.notes)


def test_audit_does_not_blame_cold_items_for_drift():
    assert audit(split(prepare(LOG), SplitSpec(by="cold_item"))).flags == ()


def test_audit_flags_a_k_core_of_the_whole_log_and_not_one_of_train():
    log = prepare(LOG, PrepareSpec(k_core={"user": 6, "item": 20}))
    whole, train = (audit(split(log, SplitSpec(by=rule))).flags for rule in ("random", "global_time"))
    assert any(flag.startswith("the k-core was counted on the whole log") for flag in whole)
    assert not any("k-core" in flag for flag in train)


@pytest.mark.parametrize("seed", range(3))
def test_overlap_equals_the_intersection_of_sets(seed):
    rng = np.random.default_rng(seed)
    parts = [rows(rng.integers(0, 4, n), rng.integers(0, 4, n)) for n in (9, 5, 7)]
    sets = [set(zip(part.users.tolist(), part.items.tolist(), strict=True)) for part in parts]
    expected = [len(sets[a] & sets[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert list(vars(audit(in_parts(*parts)).overlap).values()) == expected


def cycles(n_users, n_items=30, length=12):
    """Users who walk through the items in a circle, each from another place: order is everything."""
    starts = np.arange(n_users) * 7
    items = (starts[:, None] + np.arange(length)) % n_items
    users, times = np.repeat(np.arange(n_users), length), np.tile(np.arange(length), n_users)
    last = times == length - 1
    shape = {"n_users": n_users, "n_items": n_items}
    train = rows(users[~last], items.ravel()[~last], times[~last], **shape)
    return train, rows(users[last], items.ravel()[last], times[last], **shape)


def test_order_signal_of_walks_in_a_circle_is_lost_by_shuffling():
    found = order_signal(*cycles(60))
    assert found.hit == 1.0
    assert found.hit_shuffled < 0.7
    assert found.loss == pytest.approx(1 - found.hit_shuffled)


def test_order_signal_of_rows_in_random_order_loses_little():
    train, test = cycles(60)
    rng = np.random.default_rng(0)
    lost = order_signal(replace(train, times=rng.permutation(len(train))), test)
    assert abs(lost.hit - lost.hit_shuffled) < 0.15


def test_order_signal_asks_few_users_of_a_large_log(monkeypatch):
    monkeypatch.setattr("benchmark.datasets.audit.order_signal.MOST_USERS", 10)
    monkeypatch.setattr("benchmark.datasets.audit.order_signal.MOST_ROWS", 400)
    found = order_signal(*cycles(60))
    assert found.users == 10
    assert 0 < found.hit <= 1


def test_order_signal_without_times_or_common_users_is_unknown():
    assert order_signal(rows([0], [0]), rows([0], [1])) is None
    assert order_signal(rows([0], [0], [1]), rows([1], [1], [2])) is None


def test_audit_explains_every_word_it_uses():
    found = audit(split(prepare(LOG), SplitSpec(by="user_time")))
    assert set(vars(found)) - {"flags", "notes"} <= set(TERMS)
