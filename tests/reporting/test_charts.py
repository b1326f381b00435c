"""The figures for readers with script: the same rows as the pictures, one look for a model in all of them."""

from __future__ import annotations

import json

import boards
import pytest

from benchmark.leaderboard.figures import figures_of, marks_of
from benchmark.leaderboard.model_marks import ModelMarks, look
from benchmark.reporting.charts import charts_of, legend

ROWS = (boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2), boards.row("e/f", None))
TABLE = boards.table(*ROWS, searches=(boards.search("c/d", 0.2, None, 0.3), boards.search("a/b", 0.1)))


def test_charts_stand_for_every_figure_and_no_other() -> None:
    named = [chart.figure for chart in charts_of(TABLE, marks_of(TABLE))]

    assert list(dict.fromkeys(named)) == [figure.name for figure in figures_of(TABLE)]


def test_charts_show_the_ranked_rows_and_every_scored_trial() -> None:
    charts = {chart.figure: chart.spec["data"]["values"] for chart in charts_of(TABLE, marks_of(TABLE))}

    assert [(row["model"], row["value"]) for row in charts["intervals"]] == [("a/b", 0.3), ("c/d", 0.2)]
    assert [(row["model"], row["value"]) for row in charts["trials"]] == [
        ("c/d", 0.2),
        ("c/d", 0.3),
        ("a/b", 0.1),
    ]
    assert [row["value"] for row in charts["budget"] if row["model"] == "c/d"] == [0.2, 0.3]


def scale(spec: object, channel: str) -> dict[str, str]:
    """Return what a channel gives each model, wherever it stands in a specification."""
    if isinstance(spec, dict):
        found = spec.get(channel)
        if isinstance(found, dict) and found.get("field") == "model" and "scale" in found:
            return dict(zip(found["scale"]["domain"], found["scale"]["range"], strict=True))
        spec = list(spec.values())
    if isinstance(spec, list):
        return next((inner for one in spec if (inner := scale(one, channel))), {})
    return {}


@pytest.mark.parametrize("model", ["a/b", "c/d"])
def test_model_has_one_colour_in_all_charts_and_in_the_legend(model: str) -> None:
    marks = marks_of(TABLE)
    colours = {scale(chart.spec, "color")[model] for chart in charts_of(TABLE, marks)}
    listed = {name: f"var(--c{colour})" for name, colour, _ in legend(["a/b", "c/d"], marks)}

    assert colours == {listed[model]}


def test_chart_cannot_end_the_element_that_holds_it() -> None:
    table = boards.hostile().tables[0]
    for chart in charts_of(table, marks_of(table)):
        assert "<" not in chart.text
        assert json.loads(chart.text) == json.loads(json.dumps(chart.spec))


def test_looks_of_sixty_four_models_differ() -> None:
    looks = [look(number) for number in range(64)]

    assert len({(one.colour, one.mark) for one in looks}) == 64
    assert ModelMarks.of(["a", "b", "a"]).models == ("a", "b")
