"""Two runs of one split, model by model."""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import pytest
from ranked import SPLIT, results_of

from benchmark import api, compare_runs
from benchmark.cli.diff import COMMAND, REGRESSED
from benchmark.compare_runs import Changes, changes_between, refuse_unlike
from benchmark.datasets.manifest import UserSample
from benchmark.errors import RunError

USERS = np.random.default_rng(0).beta(2, 4, 300)
NOISE = np.random.default_rng(1).normal(0, 0.02, 300)


def rows_of(tmp_path, before, after, metric="ndcg@10"):
    pair = [
        results_of(tmp_path / name, scores, metric=metric) for name, scores in (("a", before), ("b", after))
    ]
    return {row.model: row for row in changes_between(*pair)}


def test_diff_model_that_is_significantly_worse_has_regressed(tmp_path):
    row = rows_of(tmp_path, {"m": USERS, "n": USERS}, {"m": USERS - 0.05 + NOISE, "n": USERS})["m"]
    assert row.regressed
    assert row.low < row.difference < row.high < 0
    assert row.p < 0.001


def test_diff_model_that_is_better_or_equal_has_not_regressed(tmp_path):
    rows = rows_of(tmp_path, {"m": USERS, "n": USERS}, {"m": USERS + 0.05 + NOISE, "n": USERS})
    assert not rows["m"].regressed
    assert not rows["n"].regressed
    assert rows["n"].p == 1.0


def test_diff_p_values_are_corrected_over_all_models(tmp_path):
    after = USERS - 0.0023 + NOISE
    alone = rows_of(tmp_path / "one", {"m": USERS}, {"m": after})["m"]
    many = rows_of(
        tmp_path / "many",
        dict.fromkeys("mnopq", USERS),
        {"m": after} | dict.fromkeys("nopq", USERS),
    )["m"]
    assert many.p == pytest.approx(5 * alone.p)


def test_diff_of_an_error_that_rises_has_regressed_in_units_of_the_metric(tmp_path):
    row = rows_of(tmp_path, {"m": (1 + USERS) ** 2}, {"m": (1.1 + USERS) ** 2}, metric="rmse")["m"]
    assert row.regressed
    assert row.difference == pytest.approx(row.after - row.before)


def test_diff_model_that_failed_in_the_later_run_has_regressed_and_says_so(tmp_path):
    a, b = (results_of(tmp_path / name, {"m": USERS, "n": USERS}) for name in "ab")
    rows = (replace(b.table.rows[0], status="failed"), b.table.rows[1])
    failed = replace(b, table=replace(b.table, rows=rows), scores={"n": USERS[None]})
    row = changes_between(a, failed)[0]
    assert (row.regressed, row.note, row.after) == (True, "B: failed", None)


def test_diff_model_that_only_one_run_has_is_listed_and_no_regression(tmp_path):
    rows = rows_of(tmp_path, {"m": USERS, "old": USERS}, {"m": USERS, "new": USERS})
    assert (rows["old"].note, rows["old"].regressed) == ("not in B", False)
    assert (rows["new"].note, rows["new"].regressed) == ("not in A", False)


def test_diff_of_another_split_is_refused(tmp_path):
    a, b = (results_of(tmp_path / name, {"m": USERS}) for name in "ab")
    other = replace(b.table.facts, split=replace(SPLIT, hash="f" * 64))
    with pytest.raises(RunError, match="another split"):
        refuse_unlike(a, replace(b, table=replace(b.table, facts=other)))


def test_diff_of_lists_that_hide_other_items_is_refused(tmp_path):
    a, b = (results_of(tmp_path / name, {"m": USERS}) for name in "ab")
    other = replace(b.table.facts, split=replace(SPLIT, seen="allow"))
    with pytest.raises(RunError, match="another rule for seen items"):
        refuse_unlike(a, replace(b, table=replace(b.table, facts=other)))


def test_diff_of_finals_on_other_users_is_refused(tmp_path):
    a, b = (results_of(tmp_path / name, {"m": USERS}) for name in "ab")
    drawn = UserSample(users=30, of=300, wanted=30, seed=1, sha256="ab" * 32)
    for mine, its in ((drawn, None), (drawn, replace(drawn, sha256="cd" * 32))):
        of_a, of_b = (
            replace(one, table=replace(one.table, facts=replace(one.table.facts, split=with_sample)))
            for one, with_sample in (
                (a, replace(SPLIT, test_sample=mine)),
                (b, replace(SPLIT, test_sample=its)),
            )
        )
        with pytest.raises(
            RunError, match=r"another sample of test users \(30 of 300 users \(abababab\) and"
        ):
            refuse_unlike(of_a, of_b)


@pytest.mark.parametrize(("flag", "code"), [(False, 0), (True, REGRESSED)])
def test_diff_exit_code_is_3_only_where_asked(monkeypatch, capsys, flag, code):
    worse = compare_runs.Change("shop", "m", 0.5, 0.4, -0.1, -0.2, -0.05, 0.001, regressed=True)
    monkeypatch.setattr(api, "diff", lambda *_, **__: Changes("ndcg@10", 0.95, (worse,), ()))
    options = argparse.Namespace(before="a", after="b", dataset=None, fail_on_regression=flag, json=False)
    assert COMMAND.call(options) == code
    assert "WORSE" in capsys.readouterr().out
