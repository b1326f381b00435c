"""CSV, JSON and Markdown: hostile names stay names, and nothing is lost on the way."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import boards

from benchmark.leaderboard import columns
from benchmark.leaderboard.rows import PairRow
from benchmark.reporting import as_csv, as_json, markdown


def test_csv_of_hostile_names_holds_no_formula() -> None:
    lines = list(csv.reader(io.StringIO(as_csv(boards.hostile()))))

    assert lines[0] == columns(boards.METRICS)
    names = [line[2] for line in lines[1:]]
    assert len(names) == len(boards.HOSTILE) + 1
    assert not [name for name in names if name.startswith(("=", "+", "-", "@"))]


def test_json_keeps_names_as_they_are_and_every_trial() -> None:
    stored = json.loads(as_json(boards.hostile()))["tables"][0]

    assert [row["model"] for row in stored["rows"]][: len(boards.HOSTILE)] == list(boards.HOSTILE)
    assert [line["value"] for line in stored["searches"][0]["trials"]] == [0.1, None, 0.2]
    assert stored["searches"][0]["space"] == {"dim": "8..256 log"}


def test_markdown_of_hostile_names_keeps_one_line_and_the_same_cells_a_model() -> None:
    lines = [line for line in markdown(boards.hostile()).splitlines() if line.startswith("| ")]

    assert len(lines) == 2 + len(boards.HOSTILE) + 1
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert not [line for line in lines if "<script>" in line or "<img" in line]


def test_markdown_shows_all_pairs_if_they_were_compared() -> None:
    table = boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2))
    pair = PairRow(dataset="shop", a="a/b", b="c/d", difference=0.1, p=0.004)
    text = markdown(boards.board(replace(table, pairs=(pair,))))

    assert "| a/b − c/d | +0.1000 | 0.004 |" in text


def test_markdown_over_data_sets_shows_ranks_and_refusals() -> None:
    rows = [boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2)]
    text = markdown(boards.board(boards.table(*rows), boards.table(*rows, dataset="other")))

    assert "| a/b | 1.00 | 2 | 100% | – | – |" in text
    assert "- Refused: comparison over families: 2 independent families" in text
