"""The LaTeX table: what it says, and that no name can break it."""

from __future__ import annotations

import re

import boards
import pytest
from written_run import split_manifest

from benchmark.leaderboard import Facts
from benchmark.reporting.latex import MOST_ROWS, escape, latex


def test_latex_board_has_a_line_for_every_model() -> None:
    text = latex(boards.board(boards.table(boards.row("native/ease", 0.3, 1), boards.row("a/b", 0.2, 2))))

    assert r"1 & native/ease & \textbf{.3000} & [.2800, .3200]" in text
    assert "2 & a/b & .2000" in text


def test_latex_failed_model_keeps_a_line_of_the_same_width() -> None:
    text = latex(boards.board(boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", None))))

    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 3
    assert {line.count("&") for line in lines} == {10}
    assert " & c/d & failed & " in lines[-1]


def test_latex_lower_is_bold_only_for_models_in_the_best_set() -> None:
    text = latex(boards.board(boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2))))

    assert re.findall(r"\\textbf\{(.*?)\}", text) == [".3000"]


@pytest.mark.parametrize("char", list("{}$&#%_"))
def test_escape_special_character_is_set_as_itself(char: str) -> None:
    assert escape(char) == f"\\{char}"


def test_escape_backslash_cannot_start_a_command() -> None:
    assert escape(r"\input{x}") == r"\textbackslash{}input\{x\}"


def test_escape_character_without_a_glyph_becomes_its_code_point() -> None:
    assert escape("a\u202eb\u05d0\n") == "a[U+202E]b[U+05D0] "


def test_latex_of_hostile_names_is_plain_ascii() -> None:
    assert latex(boards.hostile()).isascii()


def test_latex_of_synthetic_data_says_so() -> None:
    facts = Facts(split_manifest(synthetic=True), boards.suite())
    assert "Synthetic data." in latex(boards.board(boards.table(boards.row("a/b", 0.3, 1), facts=facts)))


def test_latex_table_longer_than_a_page_is_continued_with_its_head() -> None:
    rows = [boards.row(f"a/{number}", 0.3 - number / 1000, number + 1) for number in range(MOST_ROWS + 1)]
    text = latex(boards.board(boards.table(*rows)))

    assert text.count(r"\begin{table}") == 2
    assert "(continued)" in text
    assert text.count(r"$p$ & trials & s \\") == 2


def test_latex_numbers_lose_the_zero_before_the_point_and_names_keep_theirs() -> None:
    row = boards.row("a/v0.5", 0.2, 2, p_vs_reference=0.0001)
    text = latex(boards.board(boards.table(boards.row("a/b", 0.3, 1), row)))

    assert r"a/v0.5 & .2000 & [.1800, .2200]" in text
    assert r"\textless{}.001" in text
