"""Models over several data sets: ranks, wins, families, and tests that few sets cannot carry."""

from __future__ import annotations

from dataclasses import replace

import boards
import pytest

from benchmark.leaderboard import Table
from benchmark.leaderboard.across_datasets import Across, across

NAMES = ("a/best", "b/middle", "baselines/popularity")


def tables(count: int, *, name: str = "shop-{}") -> list[Table]:
    values = (0.4, 0.3, 0.1)
    made = [
        boards.row(model, value, n + 1) for n, (model, value) in enumerate(zip(NAMES, values, strict=True))
    ]
    return [boards.table(*made, dataset=name.format(number)) for number in range(count)]


def over(made: list[Table]) -> Across:
    found = across(made)
    assert found is not None
    return found


def test_across_one_data_set_is_nothing() -> None:
    assert across(tables(1)) is None


def test_across_rows_hold_mean_rank_wins_and_completed_share() -> None:
    rows = over(tables(3)).rows

    assert [(row.model, row.mean_rank, row.wins, row.completed) for row in rows] == [
        ("a/best", 1.0, 3, 1.0),
        ("b/middle", 2.0, 0, 1.0),
        ("baselines/popularity", 3.0, 0, 1.0),
    ]


def test_across_failed_model_ranks_like_popularity_and_is_flagged() -> None:
    made = tables(2)
    rows = [row for row in made[1].rows if row.model != "b/middle"] + [boards.row("b/middle", None)]
    failed = next(row for row in over([made[0], boards.table(*rows, dataset="shop-1")]).rows if row.imputed)

    assert failed.model == "b/middle"
    assert failed.imputed == "shop-1"
    assert failed.completed == 0.5
    assert failed.mean_rank == (2.0 + 2.5) / 2
    assert failed.p_vs_reference is None


def test_across_popularity_is_known_by_its_adapter_whatever_it_is_called() -> None:
    made = tables(2)
    lost = [*made[1].rows[:1], *made[1].rows[2:], boards.row("b/middle", None)]
    renamed = [replace(row, model="floor") if row.model == NAMES[2] else row for row in lost]
    first = [replace(row, model="floor") if row.model == NAMES[2] else row for row in made[0].rows]
    facts = replace(made[0].facts, popularity="floor")
    both = [boards.table(*rows, dataset=f"shop-{n}", facts=facts) for n, rows in enumerate([first, renamed])]
    ranks = {row.model: row.mean_rank for row in over(both).rows}
    assert ranks["b/middle"] == (2.0 + 2.5) / 2


def test_across_sizes_of_movielens_count_as_one_family() -> None:
    found = over([*tables(2, name="movielens-{}"), *tables(1)])

    assert found.families == ("movielens", "shop-0")
    assert "3 data sets count as 2 independent families" in found.notes[0].text


def test_across_few_families_refuse_every_test_and_say_how_many_are_needed() -> None:
    found = over(tables(3))

    assert found.critical_difference is None
    assert sum(note.text.startswith("Refused: ") for note in found.notes) == 3
    assert any("at least 7 are needed" in note.text for note in found.notes)


def test_across_eight_families_are_tested_against_the_best_on_validation() -> None:
    found = over(tables(8))

    assert found.reference == "a/best"
    assert found.critical_difference is not None
    p_values = [row.p_vs_reference for row in found.rows]
    assert p_values[0] is None
    assert p_values[1:] == pytest.approx([2 * 2 / 2**8] * 2)


def test_across_family_ranks_are_among_models_that_completed_everywhere() -> None:
    made = tables(7)
    rows = [boards.row("d/once", 0.9, 1), *made[0].rows]
    found = over([boards.table(*rows, dataset="shop-0"), *made[1:]])
    ranks = {row.model: row.family_rank for row in found.rows}

    assert ranks == {"a/best": 1.0, "b/middle": 2.0, "baselines/popularity": 3.0, "d/once": None}
