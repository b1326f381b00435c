"""Logs whose items come again: every row stays, and only rules by time may cut them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from builders import interactions, own_log

from benchmark.datasets.audit.order_signal import order_signal
from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.log import hidden_rows
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.specs import PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.candidates import load_negatives, store_negatives
from benchmark.datasets.store.save import load_manifest, save_split
from benchmark.errors import DataError, SplitError
from benchmark.metrics.negatives import draw

REPEAT = PrepareSpec(pairs="repeat", seen="allow")


def shop(n_users=6, n_rows=12, **changes):
    """Users who go round five items of their own, one row a day."""
    users = np.repeat(np.arange(n_users), n_rows)
    turn = np.tile(np.arange(n_rows), n_users)
    columns = {"user": users, "item": (3 * users + turn % 5) % 20, "time": turn * 86_400.0 + users}
    return own_log(**columns | changes)


def cut(spec=REPEAT, **rule):
    return split(prepare(shop(), spec), SplitSpec(**rule or {"by": "leave_last_out"}))


def test_every_row_stays_and_the_matrix_still_has_ones():
    prepared = prepare(shop(), REPEAT)
    rows = prepared.interactions
    assert len(rows) == 72
    assert set(rows.matrix().data) == {1.0}
    assert rows.counts().data.sum() == 72
    assert np.array_equal(rows.counts().indices, rows.matrix().indices)
    assert prepared.steps[-2].note == "pairs: repeat; drops nothing"


def test_duplicates_are_still_refused_without_the_key_and_the_message_names_it():
    with pytest.raises(DataError, match="pairs: repeat keeps every row"):
        prepare(shop())


def test_rows_that_are_equal_in_time_too_are_told():
    log = shop(time=np.repeat(0.0, 72))
    notes = prepare(log, REPEAT).reading_notes
    assert notes[0] == "42 of 72 rows have a pair of user and item that another row has: all are kept"
    assert notes[1].startswith("42 rows equal another one in user, item and time")


def test_log_without_a_repeat_is_told_that_the_key_changes_nothing():
    (note,) = prepare(own_log(user=[1, 2], item=[1, 2]), REPEAT).reading_notes
    assert note == "no pair of user and item occurs twice, so pairs: repeat changes no row"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"by": "random"}, "drawn at random"),
        ({"by": "k_fold"}, "drawn at random"),
        ({"by": "leave_n_out", "order": "random"}, "leave_n_out with order: random"),
        ({"by": "cold_user"}, "nothing can come again"),
        ({"by": "cold_item"}, "none of them can come again"),
    ],
)
def test_rules_that_do_not_go_by_time_are_refused_with_the_reason(rule, why):
    with pytest.raises(SplitError, match=why) as refused:
        cut(**rule)
    assert "leave_last_out, leave_n_out (order: time), user_time, global_time" in str(refused.value)


@pytest.mark.parametrize(
    "rule",
    [
        {"by": "leave_last_out"},
        {"by": "leave_n_out", "n": 2},
        {"by": "user_time"},
        {"by": "global_time"},
        {"by": "rolling_time", "windows": 2},
    ],
)
def test_rules_by_time_cut_every_row_once_and_never_train_on_a_users_future(rule):
    made = cut(**rule)
    placed = np.concatenate(list(made.rows.values()))
    assert len(np.unique(placed)) == len(placed)
    for user in np.unique(made.test.users):
        before = np.concatenate([part.times[part.users == user] for part in (made.train, made.valid)])
        assert before.max() <= made.test.times[made.test.users == user].min()


def test_log_without_times_is_not_sent_to_a_rule_that_is_refused():
    prepared = prepare(own_log(user=[1, 1, 2], item=[1, 1, 2]), REPEAT)
    with pytest.raises(SplitError, match="needs times") as refused:
        split(prepared, SplitSpec(by="leave_last_out"))
    assert "random" not in str(refused.value)


def test_overlap_of_train_and_test_is_a_note_and_no_flag():
    found = audit(cut())
    assert found.overlap.train_test == 6
    assert (found.repeats.test, found.repeats.repeated) == (6, 6)
    assert (
        found.notes[0] == "6 of 6 pairs of user and item in test (100.0%) come again from train or validation"
    )
    assert not any("pairs are in both" in flag for flag in found.flags)


def test_overlap_of_a_log_whose_pairs_come_once_stays_a_flag():
    made = cut()
    broken = replace(made, manifest=replace(made.manifest, pairs="once", seen="hide"))
    assert "6 pairs are in both train/test" in audit(broken).flags


def test_repeats_that_are_hidden_and_seen_items_that_never_come_again_are_noted():
    hidden = audit(cut(PrepareSpec(pairs="repeat")))
    assert any(note.startswith("seen: hide leaves these out") for note in hidden.notes)
    once = own_log(user=np.repeat(np.arange(4), 5), item=np.tile(np.arange(5), 4), time=np.arange(20.0))
    made = split(prepare(once, PrepareSpec(seen="allow")), SplitSpec(by="leave_last_out"))
    assert any(note.startswith("seen: allow, and no item comes again") for note in audit(made).notes)


def test_guess_from_the_item_before_keeps_seen_items_where_they_are_candidates():
    made = cut()
    hidden, allowed = (order_signal(made.train, made.valid, seen) for seen in ("hide", "allow"))
    assert hidden.hit == 0.0  # every item has been had
    assert allowed.hit == 1.0


def test_hidden_rows_are_all_none_or_the_known_dislikes():
    rows = replace(interactions([0, 0, 1], [1, 2, 3]), negative=np.array([True, False, False]))
    assert hidden_rows(rows, "hide") is rows
    assert len(hidden_rows(rows, "allow")) == 0
    assert hidden_rows(rows, "hide-negative").items.tolist() == [1]
    assert len(hidden_rows(interactions([0], [1]), "hide-negative")) == 0


def test_seen_items_are_drawn_as_negatives_and_those_of_the_part_are_not(tmp_path):
    made = cut()
    save_split(made, tmp_path, audit(made))
    drawn = {}
    for seen in ("hide", "allow"):
        store_negatives(tmp_path, 40, 0, draw, seen)
        drawn[seen] = load_negatives(tmp_path, "test")
        (tmp_path / "negatives-valid.npy").unlink()
        (tmp_path / "negatives-test.npy").unlink()
    known = {(u, i) for part in (made.train, made.valid) for u, i in zip(part.users, part.items, strict=True)}
    target = set(zip(made.test.users, made.test.items, strict=True))
    users = np.unique(made.test.users)
    pairs = {
        seen: {(u, i) for row, u in enumerate(users) for i in negatives[row] if i >= 0}
        for seen, negatives in drawn.items()
    }
    assert not pairs["hide"] & (known | target)
    assert pairs["allow"] & known
    assert not pairs["allow"] & target


def test_manifest_keeps_both_keys(tmp_path):
    made = cut()
    save_split(made, tmp_path, audit(made))
    stored = load_manifest(tmp_path)
    assert (stored.pairs, stored.seen) == ("repeat", "allow")


def test_hash_of_a_split_does_not_depend_on_what_lists_show():
    assert cut().manifest.hash == cut(PrepareSpec(pairs="repeat")).manifest.hash


@pytest.mark.parametrize("words", [re.escape("files cannot cut a log with pairs: repeat")])
def test_parts_of_your_own_are_refused_too(words):
    columns = {"part": np.tile([0] * 8 + [1] * 2 + [2] * 2, 6)}
    prepared = prepare(shop(**columns), REPEAT)
    files = {"train": "a.csv", "valid": "b.csv", "test": "c.csv"}
    with pytest.raises(SplitError, match=words):
        split(prepared, SplitSpec(by="files", files=files))
