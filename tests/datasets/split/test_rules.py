"""Every rule of splitting: what it promises, on any log, and what it does with ties and short users."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import own_log
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmark.datasets.manifest import Fold
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sorting import by_user, stable_order
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import SplitError

RULES = (
    {"by": "random"},
    {"by": "random", "per": "all", "repeats": 2},
    {"by": "leave_last_out"},
    {"by": "leave_n_out", "n": 2},
    {"by": "leave_n_out", "order": "random"},
    {"by": "user_time"},
    {"by": "global_time"},
    {"by": "global_time", "test_from": "10s"},
    {"by": "rolling_time", "windows": 2},
    {"by": "rolling_time", "windows": 2, "window": "10s"},
    {"by": "k_fold", "folds": 3},
    {"by": "k_fold", "folds": 3, "per": "user"},
    {"by": "cold_user"},
    {"by": "cold_item"},
)
PARTS = ("train", "valid", "test")


def prepared(k_core=None, **columns):
    return prepare(own_log(**columns), PrepareSpec(k_core=k_core))


@st.composite
def logs(draw):
    pairs = draw(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 12)), min_size=15, max_size=60))
    rows = draw(st.permutations(sorted(pairs)))
    times = draw(st.lists(st.integers(0, 50), min_size=len(rows), max_size=len(rows)))
    users, items = zip(*rows, strict=True)
    assume(len(set(users)) > 2 and len(set(items)) > 2)
    return prepared(user=users, item=items, time=np.array(times, dtype=float))


def every_fold(log, spec):
    try:
        return [split(log, spec, fold) for fold in range(spec.count)]
    except SplitError as error:
        if "empty" in str(error) or "k_core" in str(error):
            reject()
        raise


@given(logs(), st.sampled_from(RULES))
@settings(deadline=None, max_examples=70)
def test_split_by_any_rule_is_disjoint_complete_and_the_same_again(log, rule):
    spec = SplitSpec(**rule, test=0.2, valid=0.2)
    done = every_fold(log, spec)
    for one, again in zip(done, every_fold(log, spec), strict=True):
        numbers = np.sort(np.concatenate([one.rows[part] for part in PARTS]))
        left_out = one.manifest.notes.rows_after_the_test_window or 0
        assert len(np.unique(numbers)) == len(numbers) == len(log.interactions) - left_out
        assert one.manifest.hash == again.manifest.hash


@given(logs(), st.sampled_from([rule for rule in RULES if rule["by"] in {"global_time", "rolling_time"}]))
@settings(deadline=None, max_examples=30)
def test_split_by_windows_of_time_never_trains_on_the_future(log, rule):
    for done in every_fold(log, SplitSpec(**rule, test=0.2)):
        assert done.train.times.max() < done.valid.times.min()
        assert done.valid.times.max() < done.test.times.min()
        assert done.valid.times.min() >= done.manifest.notes.valid_from
        assert done.test.times.min() >= done.manifest.notes.test_from


@given(
    logs(), st.sampled_from([{"by": "leave_last_out"}, {"by": "leave_n_out", "n": 2}, {"by": "user_time"}])
)
@settings(deadline=None, max_examples=30)
def test_split_by_a_users_time_never_trains_on_that_users_future(log, rule):
    done = every_fold(log, SplitSpec(**rule, test=0.2, valid=0.2))[0]
    for early, late in (("train", "valid"), ("valid", "test")):
        latest, first = (getattr(done, part) for part in (early, late))
        for user in np.unique(first.users):
            assert latest.times[latest.users == user].max() <= first.times[first.users == user].min()


@pytest.mark.parametrize("per", ["all", "user"])
def test_split_k_fold_tests_and_validates_each_row_once(per):
    log = prepare(synthetic_log(users=20, items=30, interactions=251))
    done = [split(log, SplitSpec(by="k_fold", folds=4, per=per), fold) for fold in range(4)]
    for part in ("test", "valid"):
        assert sorted(np.concatenate([one.rows[part] for one in done]).tolist()) == list(range(251))
        assert {len(one.rows[part]) for one in done} == {62, 63}
    assert done[2].manifest.fold == Fold(dataset="synthetic", number=3, count=4)


def test_split_k_fold_per_user_deals_each_users_rows_evenly():
    log = prepare(synthetic_log(users=20, items=30, interactions=251))
    tests = [split(log, SplitSpec(by="k_fold", per="user"), fold).test for fold in range(5)]
    counts = np.array([np.bincount(test.users, minlength=20) for test in tests])
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1


def test_split_repeats_are_the_splits_of_the_next_seeds():
    log = prepare(synthetic_log(users=20, items=30, interactions=250))
    repeated, plain = split(log, SplitSpec(seed=5, repeats=3), 2), split(log, SplitSpec(seed=7))
    assert repeated.manifest.hash == plain.manifest.hash
    assert repeated.manifest.fold == Fold(dataset="synthetic", number=3, count=3, seed=7)
    assert (repeated.manifest.dataset, plain.manifest.dataset) == ("synthetic#3", "synthetic")


def test_split_fold_that_does_not_exist_is_refused():
    with pytest.raises(SplitError, match="no fold 5 in a k_fold split of 5"):
        split(prepare(synthetic_log()), SplitSpec(by="k_fold"), 5)


def test_split_leave_n_out_by_time_takes_the_last_n_and_the_n_before():
    log = prepared(
        user=[1] * 5 + [2] * 4, item=[*range(5), *range(4)], time=np.array([5, 4, 3, 2, 1, 1, 2, 3, 4.0])
    )
    done = split(log, SplitSpec(by="leave_n_out", n=2))
    assert [sorted(done.rows[part].tolist()) for part in ("valid", "test")] == [[2, 3], [0, 1]]
    assert done.manifest.notes.users_wholly_in_train == 1


def test_split_leave_n_out_at_random_takes_n_of_each_user():
    done = split(
        prepare(synthetic_log(users=20, items=30, interactions=250)),
        SplitSpec(by="leave_n_out", n=2, order="random"),
    )
    assert set(np.bincount(done.test.users)) == set(np.bincount(done.valid.users)) == {2}


def test_split_user_time_takes_the_share_of_each_users_last_rows():
    log = prepared(
        user=[1] * 10 + [2] * 10, item=[*range(10)] * 2, time=np.array([*range(10), *range(10, 0, -1)], float)
    )
    done = split(log, SplitSpec(by="user_time", test=0.2, valid=0.1))
    assert [done.rows[part].tolist() for part in ("valid", "test")] == [[7, 12], [8, 9, 10, 11]]


def test_split_user_time_reports_ties_at_both_cuts_and_within_users():
    log = prepared(user=[1] * 4 + [2] * 4, item=[*range(4)] * 2, time=np.array([1, 2, 3, 3, 1, 2, 2, 3.0]))
    notes = split(log, SplitSpec(by="user_time")).manifest.notes
    assert (notes.tied_users_share, notes.tied_users_share_valid) == (0.5, 0.5)
    assert notes.tied_rows_share == 0.5


DAY = 86_400


def daily(n=40):
    """One row a day from 1970-01-01 on, in no order of time."""
    days = np.random.default_rng(0).permutation(n)
    return prepared(user=np.arange(n) % 4, item=np.arange(n), time=days * float(DAY))


@pytest.mark.parametrize(
    ("windows", "sizes"),
    [
        ({"test_from": "1970-02-05"}, [31, 4, 5]),
        ({"test_from": "1970-02-05", "valid_from": "1970-01-31"}, [30, 5, 5]),
        ({"test_from": str(35 * DAY), "valid_from": "3d"}, [32, 3, 5]),
        ({"test_from": "4d"}, [32, 4, 4]),
    ],
)
def test_split_global_time_takes_windows_as_dates_numbers_and_lengths(windows, sizes):
    done = split(daily(), SplitSpec(by="global_time", **windows))
    assert [len(getattr(done, part)) for part in PARTS] == sizes


def test_split_global_time_counts_a_length_back_from_the_last_row():
    done = split(daily(), SplitSpec(by="global_time", test_from="4d", valid_from="2d"))
    assert sorted((done.test.times // DAY).tolist()) == [36, 37, 38, 39]
    assert sorted((done.valid.times // DAY).tolist()) == [34, 35]


def test_split_global_time_with_windows_out_of_order_is_refused():
    with pytest.raises(SplitError, match="each must come before the next"):
        split(daily(), SplitSpec(by="global_time", test_from="1970-01-10", valid_from="1970-01-11"))


def test_split_rolling_time_moves_the_windows_on_and_counts_what_comes_later():
    done = [split(daily(), SplitSpec(by="rolling_time", windows=2, window="5d"), fold) for fold in (0, 1)]
    assert [[len(getattr(one, part)) for part in PARTS] for one in done] == [[25, 5, 5], [30, 5, 5]]
    assert [one.manifest.notes.rows_after_the_test_window for one in done] == [5, 0]
    assert set(done[0].rows["test"].tolist()) == set(done[1].rows["valid"].tolist())


def test_split_rolling_time_with_too_many_windows_is_refused():
    with pytest.raises(
        SplitError, match=r"10 test windows and one for validation of 10% .* nothing to train on"
    ):
        split(daily(), SplitSpec(by="rolling_time", windows=10))


@pytest.mark.parametrize(("rule", "side"), [("cold_user", "users"), ("cold_item", "items")])
def test_split_cold_holds_out_whole_users_or_items(rule, side):
    done = split(prepare(synthetic_log(users=20, items=30, interactions=250)), SplitSpec(by=rule))
    held = [set(getattr(getattr(done, part), side).tolist()) for part in PARTS]
    assert not held[0] & held[1]
    assert not (held[0] | held[1]) & held[2]
    assert getattr(done.manifest.notes, f"{side}_held_out").test == len(held[2])
    assert done.manifest.candidates.rule == ("cold-items" if rule == "cold_item" else "all")


BLOCK = {"user": [1, 1, 1, 2, 2, 2, 3], "item": [1, 2, 3, 1, 2, 3, 9]}


def test_split_k_core_of_a_random_split_is_cut_from_the_whole_log():
    done = split(prepared({"user": 3, "item": 2}, **BLOCK))
    assert (done.train.n_users, done.train.n_items) == (2, 3)
    assert done.prepared.user_ids.tolist() == [1, 2]
    assert done.manifest.prepare[-1].note.endswith("whole log, test included")


def test_split_k_core_of_a_split_by_time_looks_at_train_only():
    log = prepared(
        {"user": 2, "item": 2},
        user=[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5],
        item=[1, 2, 3, 4, 2, 3, 4, 1, 3, 4, 1, 2, 4, 1, 2, 3, 9, 1, 2],
        time=np.arange(19.0),
    )
    done = split(log, SplitSpec(by="leave_last_out"))
    # User 5 has three rows, but one in train: not in the core, and so in no part.
    assert done.prepared.user_ids.tolist() == done.prepared.item_ids.tolist() == [1, 2, 3, 4]
    assert np.bincount(done.train.items).tolist() == [2, 2, 2, 2]
    assert done.manifest.prepare[-1].note.endswith("counted in train only")


def test_split_k_core_that_leaves_nothing_is_refused():
    with pytest.raises(SplitError, match=r"k_core \(user 9, item 1\) leaves none of the 7 rows"):
        split(prepared({"user": 9}, **BLOCK))


@given(logs(), st.integers(1, 4), st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_split_k_core_leaves_every_user_and_item_its_rows(log, of_user, of_item):
    spec = PrepareSpec(k_core={"user": of_user, "item": of_item}).k_core
    done = every_fold(replace(log, k_core=spec), SplitSpec(per="all"))[0]
    rows = done.prepared.interactions
    assert np.bincount(rows.users).min() >= of_user
    assert np.bincount(rows.items).min() >= of_item


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"folds": 5}, "folds belongs to by: k_fold; by is random"),
        ({"by": "user_time", "per": "all"}, "per belongs to by: random and k_fold; by is user_time"),
        ({"by": "global_time", "valid_from": "3d"}, "valid_from needs test_from"),
        ({"by": "global_time", "test_from": "soon"}, "must be a date"),
        ({"by": "rolling_time", "window": "month"}, "a number and s, min, h, d or w"),
        ({"by": "leave_n_out", "repeats": 3}, "repeats needs a rule that draws at random"),
    ],
)
def test_split_spec_refuses_keys_that_do_not_fit_the_rule(keys, words):
    with pytest.raises(ValidationError, match=words):
        SplitSpec(**keys)


def test_split_spec_shows_the_defaults_of_its_rule_and_reads_its_own_output():
    spec = SplitSpec(by="k_fold")
    assert (spec.folds, spec.per, spec.repeats) == (5, "all", None)
    assert SplitSpec.model_validate(spec.model_dump()) == spec


keys = st.lists(
    st.tuples(st.integers(0, 5), st.integers(-(2**40), 2**40), st.integers(0, 3)), min_size=1, max_size=60
)


@given(keys, st.sampled_from([4, 1 << 20]))
@settings(deadline=None, max_examples=60)
def test_sorting_by_user_and_keys_equals_lexsort(rows, block):
    users, wide, narrow = (np.array(column) for column in zip(*rows, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.datasets.sorting.BLOCK", block)
        starts, order = by_user(users, 6, narrow, wide)
    assert order.tolist() == np.lexsort((narrow, wide, users)).tolist()
    assert np.diff(starts).tolist() == np.bincount(users, minlength=6).tolist()
    assert stable_order([wide, users]).tolist() == np.lexsort((wide, users)).tolist()
