"""The numbers of a log, whom its split can judge, and what stands out: each against a count by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from builders import own_log

from benchmark.datasets.audit.busy_ids import id_findings, nobody, outlandish
from benchmark.datasets.audit.judged import judged_findings, judged_users
from benchmark.datasets.audit.log_audit import audit_log, moment_text, tied_share
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import SplitError

PLAIN = PrepareSpec()


def grid(users=20, items=12, **more):
    """A log in which user u has the items u, u + 1, ... (mod items), 6 each, a minute apart."""
    rows = [(u, (u + step) % items) for u in range(users) for step in range(6)]
    columns = {"user": [f"u{u}" for u, _ in rows], "item": [i for _, i in rows]}
    return own_log(**columns, **more)


def audited(log, how=PLAIN):
    return audit_log(log, prepare(log, how))


def found(log, how=PLAIN):
    return [one.text for one in audited(log, how).findings]


def test_numbers_of_a_log_equal_counts_by_hand():
    log = synthetic_log(users=40, items=30, interactions=400, seed=5)
    users, items = Counter(log.frame["user"].tolist()), Counter(log.frame["item"].tolist())
    numbers = audited(log)
    assert (numbers.rows, numbers.users, numbers.items) == (400, 40, 30)
    assert numbers.density == 400 / 1200
    assert numbers.busiest_user.rows == max(users.values())
    assert users[int(numbers.busiest_user.id)] == numbers.busiest_user.rows
    assert numbers.busiest_item.share == max(items.values()) / 400
    assert (numbers.lowest_value, numbers.highest_value, numbers.likes_share) == (1.0, 5.0, 1.0)
    ascending = sorted(items.values())
    by_hand = sum((2 * rank - 31) * count for rank, count in enumerate(ascending, 1)) / (29 * 400)
    assert numbers.gini_items == pytest.approx(by_hand)
    assert numbers.repeats == 0
    assert numbers.missing == {}


def test_a_healthy_log_has_nothing_that_stands_out():
    log = synthetic_log(users=300, items=200, interactions=9000)
    assert audited(log).findings == ()
    assert audit_after_split(log).warnings == ()


def audit_after_split(log, rule=None, how=PLAIN):
    prepared = prepare(log, how)
    made = split(prepared, rule)
    judged = judged_users(made)
    whole = audit_log(log, prepared)
    return replace(whole, judged=judged, findings=(*whole.findings, *judged_findings(judged, made.manifest)))


def test_span_is_said_in_dates():
    assert audited(grid(time=[86_400.0 * day for day in range(120)])).first == "1970-01-01"
    numbers = audited(grid(time=[1_700_000_000.0 + row for row in range(120)]))
    assert (numbers.first, numbers.last) == ("2023-11-14 22:13:20", "2023-11-14 22:15:19")


@pytest.mark.parametrize(
    ("unit", "factor", "said"),
    [
        ("ms", 10**3, "2023-11-14 22:13:20"),
        ("ns", 10**9, "2023-11-14 22:13:20"),
        ("order", 1, "1700000000"),
    ],
)
def test_span_is_said_in_the_unit_of_the_times(unit, factor, said):
    rows = prepare(grid(time=[1_700_000_000.0 + row for row in range(120)])).interactions
    other = replace(rows, times=rows.times * factor, time_unit=unit)
    assert moment_text(other, "min") == said


@pytest.mark.parametrize("factor", [1, 10**9])
def test_ties_are_rows_of_one_user_with_one_time(factor):
    rng = np.random.default_rng(3)
    log = prepare(grid(users=50, time=rng.integers(1_600_000_000, 1_600_000_009, 300).astype(float)))
    rows = replace(log.interactions, times=log.interactions.times * factor)
    pairs = Counter(zip(rows.users.tolist(), rows.times.tolist(), strict=True))
    assert tied_share(rows) == sum(count for count in pairs.values() if count > 1) / 300


def test_ties_of_wide_nanoseconds_are_counted_although_user_and_time_do_not_fit_in_one_word():
    rows = prepare(grid(users=50, time=[float(row // 2) for row in range(300)])).interactions
    wide = replace(rows, times=rows.times * (2**54), time_unit="ns")
    assert tied_share(wide) == tied_share(rows) == 1.0


@pytest.mark.parametrize("word", ["None", "nan", "Unknown", "NULL", " n/a ", "anonymous", "(not set)"])
def test_a_word_for_nobody_is_named_with_its_share_and_the_key_that_makes_it_missing(word):
    log = grid()
    ids = log.frame["user"].where(log.frame["user"] != "u7", word)
    (text,) = found(replace(log, frame=log.frame.assign(user=ids)))
    assert f"user {word!r} has 6 of 120 rows (5.0%)" in text
    assert "missing_values: [" in text
    assert "prepare.missing" in text


def test_minus_one_among_numbers_is_nobody_and_negative_ids_throughout_are_not():
    assert nobody(np.array([-1, 3, 7])).tolist() == [0]
    assert nobody(np.array([-3, -2, -1, 7])).tolist() == []
    (text,) = id_findings("item", np.array([-1, *range(1, 40)]), np.array([3, *[2] * 39]))
    assert 'missing_values: ["-1"]' in text.text


def test_two_ids_that_are_busy_together_are_both_named():
    counts = np.array([500, 12, 11, 400, *[10] * 30])
    assert sorted(outlandish(counts).tolist()) == [0, 3]
    assert outlandish(np.array([60, 50, 40, 30, 20, 10, 9, 8, 7, 6, 5])).tolist() == []


def test_an_outlandish_id_without_a_telling_name_is_named_too():
    (text,) = id_findings("user", np.arange(41), np.array([60, *[12] * 40]))
    assert "user '0' has 60 of 540 rows (11.1%), others 12 (median)" in text.text


def test_a_column_that_counts_the_rows_is_no_column_of_users():
    log = own_log(user=range(50), item=[row % 5 for row in range(50)])
    assert "every row has another user" in found(log)[0]


def test_constant_values_and_a_scale_far_too_wide_are_said():
    assert "every value is 3" in found(grid(value=[3.0] * 120, scale=(1.0, 5.0)))[0]
    stars = [1.0 + row % 5 for row in range(120)]
    (text,) = found(grid(value=stars, scale=(0.0, 100.0)))
    assert text.startswith("the scale is 0 to 100, and values go from 1 to 5;")
    assert text.endswith("set scale: [1, 5]")
    assert found(grid(value=stars, scale=(1.0, 5.0))) == []


def test_a_last_row_that_adds_up_all_others_is_named_as_a_line_of_totals():
    plays = [float(1 + row % 7) for row in range(119)]
    assert "the value of the last row, 476, is the sum of all others" in "\n".join(
        found(grid(value=[*plays, sum(plays)]))
    )
    assert "sum of all others" not in "\n".join(found(grid(value=[*plays, sum(plays) + 1])))


def test_times_that_say_little_are_said():
    assert "every row has the same time" in found(grid(time=[7.0] * 120))[0]
    (text,) = found(grid(time=[86_400.0 * (row // 3) for row in range(120)]))
    assert text.startswith("100% of rows share their time with another row of the same user: times are whole")


def test_a_step_that_drops_most_rows_is_a_warning():
    times = [float(row) for row in range(120)]
    how = PrepareSpec.model_validate({"time": {"since": "90"}})
    findings = {one.found: one for one in audited(grid(time=times), how).findings}
    assert findings["time window: 75% of 120 rows dropped (90)"].is_warning


def test_missing_entries_and_merged_pairs_are_counted():
    log = grid(value=[float("nan")] * 3 + [1.0 + row % 5 for row in range(117)])
    twice = pd.concat([log.frame, log.frame.tail(4)], ignore_index=True)
    numbers = audited(replace(log, frame=twice), PrepareSpec(missing="drop", duplicates="last"))
    assert numbers.missing == {"value": 3}
    assert numbers.repeats == 4


def test_users_who_have_every_item_leave_nothing_to_recommend():
    pairs = [(u, i) for u in range(12) for i in range(5)]
    log = own_log(user=[u for u, _ in pairs], item=[i for _, i in pairs])
    assert any("every user has a row for every item" in text for text in found(log))
    judged = judged_users(split(prepare(log), SplitSpec(test=0.2, valid=0.2)))
    assert (judged.users, judged.most_candidates, judged.most_irrelevant) == (12, 1, 0)


def test_users_are_judged_or_a_reason_is_given_for_every_one():
    log = synthetic_log(users=60, items=40, interactions=900, seed=2)
    how = PrepareSpec(positive=">= 4")
    for rule in ({"by": "random"}, {"by": "global_time"}, {"by": "cold_user"}, {"by": "k_fold"}):
        made = split(prepare(log, how), SplitSpec(**rule))
        judged = judged_users(made)
        liked = set(made.test.users[made.test.positive].tolist())
        assert judged.users == len(liked)
        assert judged.users + sum(one.users for one in judged.others) == judged.of == 60
        assert judged.cold == len(liked - set(made.train.users.tolist()))
        assert (judged.rows, judged.likes) == (len(made.test), int(made.test.positive.sum()))


def test_what_can_be_listed_is_what_was_not_seen():
    made = split(prepare(synthetic_log(users=60, items=40, interactions=900, seed=2)))
    judged = judged_users(made)
    seen = Counter(np.concatenate([made.train.users, made.valid.users]).tolist())
    tested = set(made.test.users.tolist())
    assert judged.most_candidates == 40 - min(seen[user] for user in tested)
    assert judged_users(made, "test-items").most_candidates == len(set(made.test.items.tolist()))


def test_pairs_seen_in_training_are_nothing_to_find_where_seen_items_are_hidden():
    visits = [(u, i) for u in range(30) for i in (u % 7, (u + 1) % 7, u % 7, (u + 2) % 7, u % 7)]
    log = own_log(user=[u for u, _ in visits], item=[i for _, i in visits], time=np.arange(1, 151.0))
    for seen, judged in (("hide", 0), ("allow", 30)):
        prepared = prepare(log, PrepareSpec(pairs="repeat", seen=seen))
        made = split(prepared, SplitSpec(by="leave_last_out"))
        assert judged_users(made).users == judged
        assert audit_log(log, prepared).repeats == 60


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        ({"by": "random"}, 3),
        ({"by": "leave_last_out"}, 3),
        ({"by": "leave_n_out", "n": 2}, 5),
        ({"by": "leave_n_out", "order": "random"}, 3),
        ({"by": "user_time"}, 3),
    ],
)
def test_one_row_a_user_is_refused_with_the_rows_that_the_rule_needs(rule, needed):
    log = own_log(user=range(50), item=[row % 9 for row in range(50)], time=np.arange(50.0))
    with pytest.raises(
        SplitError, match=f"0 of 50 users have the {needed} rows that this rule needs"
    ) as said:
        split(prepare(log), SplitSpec(**rule))
    assert "split: {by: random, per: all}" in str(said.value)


def test_cold_test_users_are_counted_and_a_warning_where_they_are_most():
    log = own_log(user=range(400), item=[row % 9 for row in range(400)], time=np.arange(400.0))
    numbers = audit_after_split(log, SplitSpec(by="global_time"))
    assert numbers.judged.cold == numbers.judged.users == 40
    assert any("40 of the 40 judged users have no training row" in one.text for one in numbers.warnings)


def test_fewer_than_a_hundred_judged_users_are_a_warning_and_a_hundred_are_none():
    for users, few in ((99, True), (100, False)):
        numbers = audit_after_split(grid(users=users))
        assert any(one.found.startswith("only ") for one in numbers.warnings) is few


def test_steps_are_in_the_order_of_the_rows_that_they_left():
    steps = prepare(grid()).steps
    assert all(before.rows >= after.rows for before, after in pairwise(steps))
