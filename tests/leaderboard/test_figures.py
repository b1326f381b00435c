"""The figures: what they hold, that names cannot break them, that files are written."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import boards
import pytest

from benchmark.leaderboard.across_datasets import Across
from benchmark.leaderboard.figures import (
    CostAxis,
    Point,
    all_figures,
    cliques,
    critical_difference,
    figures_of,
    pareto,
)
from benchmark.leaderboard.model_marks import ModelMarks
from benchmark.leaderboard.rows import AcrossRow
from benchmark.reporting import write
from benchmark.results import RunDirectory

WRITTEN = {f"leaderboard.{suffix}" for suffix in ("csv", "json", "md", "tex", "html")}


def test_figures_of_hostile_names_are_well_formed_svg() -> None:
    for figure in figures_of(boards.hostile().tables[0]):
        root = ET.fromstring(figure.svg())
        assert root.tag.endswith("svg")
        assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_figure_names_with_dollars_are_no_formulas() -> None:
    drawing = figures_of(boards.hostile().tables[0])[0].svg()

    assert "under_score &amp; 50% #1 $x$" in drawing


def test_figure_drawn_twice_is_the_same() -> None:
    table = boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2))

    assert [one.svg() for one in figures_of(table)] == [one.svg() for one in figures_of(table)]


def test_figures_of_a_table_without_results_are_none() -> None:
    assert figures_of(boards.table(boards.row("a/b", None), searches=())) == []


def test_budget_says_the_best_value_and_what_it_cost() -> None:
    table = boards.table(boards.row("a/b", 0.3, 1), searches=(boards.search("a/b", 0.2, 0.4, None, 0.3),))
    says = {figure.name: figure.says for figure in figures_of(table)}

    assert "a/b 0.4000 after 8.0 s" in says["budget"]
    assert "4 trials, 1 without a value" in says["trials"]


def test_pareto_leaves_out_models_without_a_cost() -> None:
    costs = {"a": 2.0, "b": 1.0, "c": 3.0, "d": None}
    values = {"a": 0.5, "b": 0.4, "c": 0.3, "d": 0.9}
    rows = [boards.row(name, value, 1, memory_mb=costs[name]) for name, value in values.items()]
    points = CostAxis("MB", lambda row: row.memory_mb).points(boards.table(*rows))

    assert points[-1] is None
    assert [point.model for point in pareto(filter(None, points))] == ["b", "a"]


def test_pareto_of_an_error_prefers_the_lower() -> None:
    points = [Point("a", 1.0, 0.9), Point("b", 2.0, 0.8), Point("c", 3.0, 0.95)]

    assert [point.model for point in pareto(points, higher=False)] == ["a", "b"]


@pytest.mark.parametrize(
    ("ranks", "joined"),
    [([1.0, 3.0, 5.0], []), ([1.0, 1.5, 2.0], [(0, 2)]), ([1.0, 1.8, 2.5], [(0, 1), (1, 2)])],
)
def test_cliques_join_ranks_closer_than_the_critical_difference(
    ranks: list[float], joined: list[tuple[int, int]]
) -> None:
    assert cliques(ranks, 1.0 if joined != [(0, 2)] else 1.2) == joined


def test_critical_difference_diagram_names_models_and_reach() -> None:
    rows = tuple(
        AcrossRow(model=name, mean_rank=rank, wins=0, completed=1.0, imputed="", family_rank=rank)
        for name, rank in (("a", 1.2), ("b", 2.9))
    )
    figure = critical_difference(Across("ndcg@10", rows, tuple("abcdef"), "a", (), 0.8), ModelMarks.of("ab"))

    assert "a 1.20, b 2.90. Closer than 0.80" in figure.says
    assert "critical difference 0.80" in figure.svg()


def test_write_all_leaves_every_format_and_both_kinds_of_figures(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write.write_all(
        boards.board(boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2))), run.path
    )

    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == WRITTEN
    figures = {path.name for path in (tmp_path / "figures").iterdir()}
    assert figures == {
        f"{name}.{kind}" for name in ("intervals", "cost", "budget", "trials") for kind in ("svg", "png")
    }
    assert (tmp_path / "figures" / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_figures_of_two_data_sets_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    row = boards.row("a/b", 0.3, 1)
    board = boards.board(boards.table(row), boards.table(row, dataset="other"))
    write.write_figures(all_figures(board), tmp_path)

    assert (tmp_path / "shop" / "intervals.svg").exists()
    assert (tmp_path / "other" / "intervals.svg").exists()
