"""Several splits of one data set: means, corrected tests, and one data set in the view over data sets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boards
import numpy as np
import pytest
from written_run import split_manifest

from benchmark.datasets.manifest import Fold, PartCounts
from benchmark.datasets.specs import SplitSpec
from benchmark.leaderboard import Facts, Table
from benchmark.leaderboard.across_datasets import across
from benchmark.leaderboard.folds import Folds, over_folds
from benchmark.records import warning
from benchmark.reporting import as_csv, as_json, latex, markdown
from benchmark.statistics.bayesian import correlated_t
from benchmark.statistics.corrected_t import nadeau_bengio
from benchmark.statistics.holm import holm

BEST, MIDDLE, FLOOR = [0.30, 0.34, 0.32], [0.30, 0.31, 0.31], [0.10, 0.12, 0.11]
RATIO = 10 / 100
PARTS = {
    name: PartCounts(rows=rows, positives=rows, users=10, items=10)
    for name, rows in {"train": 100, "valid": 10, "test": 10}.items()
}


def fold(
    number: int, rows: list[Any], rule: str = "k_fold", count: int = 3, train_on: str = "train"
) -> Table:
    split = replace(
        split_manifest("shop", parts=PARTS),
        fold=Fold(dataset="shop", number=number, count=count),
        rule=SplitSpec.model_validate({"by": rule}),
    )
    facts = Facts(split, boards.suite(finals={"train_on": train_on}), "baselines/popularity", 10)
    return boards.table(*rows, dataset=f"shop#{number}", facts=facts)


def tables(**more: Any) -> list[Table]:
    names = ("a/best", "b/middle", "baselines/popularity")
    made = []
    for number, values in enumerate(zip(BEST, MIDDLE, FLOOR, strict=True), start=1):
        rows = [
            boards.row(name, value, place + 1)
            for place, (name, value) in enumerate(zip(names, values, strict=True))
        ]
        made.append(fold(number, rows, **more))
    return made


def folds(**more: Any) -> Folds:
    return over_folds(tables(**more))[0]


def test_folds_rows_hold_mean_and_sd_best_first() -> None:
    rows = folds().rows
    assert [row.model for row in rows] == ["a/best", "b/middle", "baselines/popularity"]
    assert rows[0].mean == pytest.approx(0.32)
    assert rows[0].sd == pytest.approx(0.02)
    assert (rows[0].folds, rows[0].of) == (3, 3)


def test_folds_are_compared_with_the_best_on_validation_by_the_corrected_t() -> None:
    found = folds()
    tests = [nadeau_bengio(np.subtract(values, BEST), RATIO) for values in (MIDDLE, FLOOR)]
    wanted = holm(np.array([test.p for test in tests]))
    assert found.reference == "a/best"
    assert [row.p_vs_reference for row in found.rows[1:]] == pytest.approx(wanted)
    row = found.rows[1]
    assert (row.diff_high - row.diff_low) / 2 == pytest.approx(4.302652729911275 * tests[0].se)


def test_folds_bayesian_probabilities_take_the_margin_as_rope() -> None:
    row = folds().rows[1]
    wanted = correlated_t(np.subtract(MIDDLE, BEST), RATIO, rope=0.03 * 0.32)
    assert (row.p_better, row.p_equivalent, row.p_worse) == pytest.approx(wanted)


def test_folds_ratio_counts_validation_where_finals_learned_from_it() -> None:
    made = tables(train_on="train+valid")
    assert "test / train 0.091" in over_folds(made)[0].notes[1].text


def test_folds_model_without_a_result_on_one_split_is_listed_and_not_compared() -> None:
    made = tables()
    made[2] = fold(
        3, [row for row in made[2].rows if row.model != "b/middle"] + [boards.row("b/middle", None)]
    )
    found = over_folds(made)[0]
    last = found.rows[-1]
    assert (last.model, last.folds, last.of, last.mean) == ("b/middle", 2, 3, None)
    assert any("is not compared" in note.text for note in found.notes)


def test_folds_in_time_say_that_windows_are_not_exchangeable() -> None:
    assert any("not exchangeable" in note.text for note in folds(rule="rolling_time").notes)
    assert not any("not exchangeable" in note.text for note in folds().notes)


def test_folds_that_are_missing_are_warned_of() -> None:
    assert warning("only 3 of 5 splits are included; the others have no results yet.") in folds(count=5).notes


def test_folds_of_one_data_set_are_one_data_set_in_the_view_over_data_sets() -> None:
    rows = [
        boards.row("a/best", 0.1, 2),
        boards.row("b/middle", 0.2, 1),
        boards.row("baselines/popularity", 0.05, 3),
    ]
    found = across([*tables(), boards.table(*rows, dataset="music")])
    assert across(tables()) is None
    assert found is not None
    assert found.families == ("shop", "music")
    assert [(row.model, row.mean_rank, row.wins) for row in found.rows[:2]] == [
        ("a/best", 1.5, 1),
        ("b/middle", 1.5, 1),
    ]


def test_folds_are_in_every_format() -> None:
    made = boards.board(*tables())
    assert "shop: ndcg@10 over its splits" in markdown(made)
    assert "shop: ndcg@10 over its splits" in latex(made)
    assert '"p_equivalent"' in as_json(made)
    assert as_csv(made, "folds").splitlines()[1].startswith("shop,1,a/best,ndcg@10,3,3,0.32")
