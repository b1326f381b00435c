"""Cutting a log: every rule is complete, disjoint, reproducible and keeps the order of the log."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import own_log
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from benchmark.datasets.manifest import SplitNotes
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import SplitError


def prepared(**columns):
    return prepare(own_log(**columns))


def raw(done, part):
    """Pairs of a part in the publisher's ids."""
    rows = getattr(done, part)
    users, items = done.prepared.user_ids[rows.users], done.prepared.item_ids[rows.items]
    return list(zip(users.tolist(), items.tolist(), strict=True))


def cut(log, spec):
    """The split, or the next example where a part would be empty."""
    try:
        return split(log, spec)
    except SplitError:
        reject()


pairs = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 12)), min_size=12, max_size=70)


@given(pairs, st.randoms(use_true_random=False), st.sampled_from(["random", "leave_last_out", "global_time"]))
@settings(deadline=None, max_examples=60)
def test_split_parts_are_disjoint_complete_and_in_the_order_of_the_log(rows, chance, rule):
    rows = sorted(rows)
    chance.shuffle(rows)
    users, items = zip(*rows, strict=True)
    times = [float(chance.randint(0, 40)) for _ in rows]
    assume(len(set(users)) > 1 and len(set(items)) > 1)
    done = cut(prepared(user=users, item=items, time=times), SplitSpec(by=rule, test=0.2, valid=0.2))
    parts = [done.rows[part] for part in ("train", "valid", "test")]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(rows)))
    assert all((np.diff(numbers) > 0).all() for numbers in parts)
    assert [rows[number] for number in done.rows["test"]] == raw(done, "test")


@given(st.integers(0, 10), st.integers(0, 10))
@settings(deadline=None, max_examples=20)
def test_split_random_is_the_same_for_the_same_seed_and_another_for_another(one, two):
    log = prepare(synthetic_log(users=20, items=30, interactions=250))
    hashes = [split(log, SplitSpec(seed=seed)).manifest.hash for seed in (one, two)]
    assert (hashes[0] == hashes[1]) == (one == two)


def test_split_random_does_not_depend_on_the_order_of_the_log():
    log = synthetic_log(users=20, items=30, interactions=250)
    mixed = replace(log, frame=log.frame.sample(frac=1, random_state=1))
    one, two = (split(prepare(each)) for each in (log, mixed))
    assert sorted(raw(one, "test")) == sorted(raw(two, "test"))


@pytest.mark.parametrize(
    ("n", "shares", "expected"),
    [(3, (0.1, 0.1), 1), (19, (0.1, 0.1), 1), (20, (0.1, 0.1), 2), (10, (0.3, 0.1), 3)],
)
def test_split_random_takes_the_floor_of_the_share_but_one_at_least(n, shares, expected):
    log = prepared(user=[1] * n + [2] * n, item=list(range(n)) * 2)
    done = split(log, SplitSpec(test=shares[0], valid=shares[1]))
    assert np.bincount(done.test.users).tolist() == [expected, expected]


def test_split_random_leaves_users_with_too_few_rows_wholly_in_train():
    log = prepared(user=[1, 1, 2, 2, 2], item=[1, 2, 1, 2, 3])
    done = split(log)
    assert {(1, 1), (1, 2)} <= set(raw(done, "train"))
    assert done.manifest.notes == SplitNotes(users_wholly_in_train=1)


def test_split_random_large_shares_leave_every_user_a_training_row():
    log = prepared(user=[1] * 3 + [2] * 20, item=[*range(3), *range(20)])
    done = split(log, SplitSpec(test=0.9, valid=0.05))
    assert np.bincount(done.train.users).tolist() == [3, 1]


def test_split_leave_last_out_takes_the_last_and_the_one_before():
    log = prepared(user=[1, 2, 1, 1, 2, 2], item=[1, 1, 2, 3, 2, 3], time=[5.0, 1.0, 4.0, 6.0, 2.0, 3.0])
    done = split(log, SplitSpec(by="leave_last_out"))
    assert raw(done, "test") == [(1, 3), (2, 3)]
    assert raw(done, "valid") == [(1, 1), (2, 2)]
    assert done.manifest.notes.tied_users_share == 0.0


def test_split_leave_last_out_ties_go_by_the_order_of_the_log_and_are_reported():
    log = prepared(user=[1, 1, 1, 2, 2, 2], item=[3, 2, 1, 1, 2, 3], time=[5.0, 5.0, 5.0, 1.0, 2.0, 3.0])
    done = split(log, SplitSpec(by="leave_last_out"))
    assert raw(done, "test") == [(1, 1), (2, 3)]
    assert done.manifest.notes.tied_users_share == 0.5


def test_split_leave_last_out_short_users_stay_in_train():
    log = prepared(user=[1, 1, 2, 2, 2], item=[1, 2, 1, 2, 3], time=[1.0, 2.0, 3.0, 4.0, 5.0])
    done = split(log, SplitSpec(by="leave_last_out"))
    assert done.manifest.notes.users_wholly_in_train == 1
    assert raw(done, "test") == [(2, 3)]


def test_split_global_time_cuts_unsorted_rows_by_time():
    times = np.random.default_rng(0).permutation(100).astype(float)
    log = prepared(user=np.arange(100) % 5, item=np.arange(100), time=times)
    done = split(log, SplitSpec(by="global_time", test=0.2, valid=0.1))
    assert [len(done.train), len(done.valid), len(done.test)] == [70, 10, 20]
    assert done.train.times.max() < done.valid.times.min() <= done.valid.times.max() < done.test.times.min()


@given(st.lists(st.integers(0, 9), min_size=10, max_size=60))
@settings(deadline=None)
def test_split_global_time_keeps_rows_of_one_time_together(times):
    n = len(times)
    log = prepared(user=np.arange(n) % 3, item=np.arange(n), time=np.array(times, dtype=float))
    done = cut(log, SplitSpec(by="global_time"))
    parts = [set(part.times.tolist()) for part in (done.train, done.valid, done.test)]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert len(done.test) >= max(1, n // 10)


def test_split_by_files_gives_the_parts_back():
    log = prepared(user=[1, 2, 1, 2, 3], item=[1, 1, 2, 2, 3], part=np.array([0, 0, 1, 0, 2], dtype=np.int8))
    files = {"train": "a", "valid": "b", "test": "c"}
    done = split(log, SplitSpec(by="files", files=files))
    assert [raw(done, part) for part in ("valid", "test")] == [[(1, 2)], [(3, 3)]]
    assert done.train.n_users == 3  # a user who comes in test only has an id as well


def test_split_by_files_without_files_is_refused():
    files = {"train": "a", "valid": "b", "test": "c"}
    with pytest.raises(SplitError, match=r"split\.files"):
        split(prepared(user=[1, 2], item=[1, 2]), SplitSpec(by="files", files=files))


@pytest.mark.parametrize("rule", ["leave_last_out", "global_time"])
def test_split_by_time_without_times_is_refused(rule):
    with pytest.raises(SplitError, match=rf"a {rule} split needs times.* key time"):
        split(prepared(user=[1, 2], item=[1, 2]), SplitSpec(by=rule))


@pytest.mark.parametrize("rule", ["random", "leave_last_out", "global_time"])
def test_split_with_an_empty_part_is_refused(rule):
    with pytest.raises(SplitError, match="empty"):
        split(prepared(user=[1, 2], item=[1, 2], time=[1.0, 1.0]), SplitSpec(by=rule))


def test_split_manifest_tells_where_everything_comes_from():
    done = split(prepare(synthetic_log(name="toy")), SplitSpec(seed=7))
    manifest = done.manifest
    assert (manifest.dataset, manifest.synthetic, manifest.provenance.licence) == ("toy", True, "generated")
    assert manifest.rule.seed == 7
    assert sum(part.rows for part in manifest.parts.values()) == manifest.prepare[-1].rows == 9000
