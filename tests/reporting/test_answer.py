"""The answer of a board: which model, how much better, at what cost, how sure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boards

from benchmark.leaderboard import BoardRow, Facts, Table
from benchmark.reporting.answer import answer


def table(*rows: BoardRow, popularity: str | None = "baselines/popularity", **more: Any) -> Table:
    facts = Facts(boards.SPLIT, boards.suite(), popularity)
    return replace(boards.table(*rows, facts=facts), **more)


EASE = boards.row("native/ease", 0.3, 1, fit_s=0.4, size_mb=3.6)
POPULARITY = boards.row("baselines/popularity", 0.12, 3)


def test_answer_speaks_of_the_reference_though_another_is_first_on_test() -> None:
    ahead = boards.row(
        "native/slim", 0.31, 1, diff_to_reference=0.01, diff_low=-0.002, diff_high=0.02, p_vs_reference=0.4
    )
    found = answer(table(ahead, EASE, POPULARITY, reference="native/ease"))

    assert found is not None
    assert (found.model, found.why) == ("native/ease", "best on validation")
    assert found.quality == (
        "ndcg@10 0.3000 on test, 2.5 times popularity's 0.1200, 0.0100 behind native/slim (0.3100), the best "
        "of the others, which may be chance (95% interval [-0.0200, +0.0020])."
    )


def test_answer_says_of_a_lead_that_it_is_more_than_chance() -> None:
    behind = boards.row("a/b", 0.2, 2, p_vs_reference=0.001, diff_low=-0.12, diff_high=-0.08)
    found = answer(table(EASE, behind, POPULARITY, reference="native/ease"))

    assert found is not None
    assert "0.1000 ahead of a/b (0.2000)" in found.quality
    assert "more than chance explains (95% interval [+0.0800, +0.1200])" in found.quality


def test_answer_is_the_pick_once_one_was_made() -> None:
    found = answer(table(EASE, boards.row("a/b", 0.2, 2), POPULARITY, reference="native/ease"), "a/b")

    assert found is not None
    assert (found.model, found.why) == ("a/b", "picked")


def test_answer_names_what_cannot_be_told_apart() -> None:
    twin = boards.row("a/b", 0.299, 2, best_set=True, p_vs_reference=0.9)
    found = answer(table(EASE, twin, POPULARITY, reference="native/ease"))

    assert found is not None
    assert "not settled: it cannot be told apart from a/b" in found.certainty
    assert "Significantly worse: 1 of 2 others (p at most 0.030, corrected)" in found.certainty
    assert "another search may find others" in found.certainty


def test_answer_without_popularity_says_how_to_get_it() -> None:
    found = answer(table(EASE, boards.row("a/b", 0.2, 2), popularity=None, reference="native/ease"))

    assert found is not None
    assert "add baselines/popularity" in found.quality


def test_answer_says_what_the_model_costs() -> None:
    found = answer(table(EASE, POPULARITY, reference="native/ease"))

    assert found is not None
    assert found.cost == (
        "It takes 0.4 s to train, 1.3 ms to score one user, 3.6 MB stored, 90 MB of memory while training on "
        "cpu; its tuning took 12 s."
    )


def test_answer_of_an_error_turns_ahead_and_behind() -> None:
    rows = [
        boards.row(name, None, rank, status="ok", metrics={"rmse": value}, best_set=rank == 1)
        for rank, (name, value) in enumerate((("a/b", 0.9), ("c/d", 0.95)), 1)
    ]
    found = answer(table(*rows, metrics=("rmse",), reference="c/d"))

    assert found is not None
    assert found.quality.startswith("rmse 0.9500 on test, 0.0500 behind a/b (0.9000)")
    assert "It is not among the best on test, which are a/b." in found.certainty


def test_answer_of_a_board_without_results_is_none() -> None:
    assert answer(table(boards.row("a/b", None), searches=())) is None
