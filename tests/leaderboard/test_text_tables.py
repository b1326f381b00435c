"""Tables as people read them: in a terminal of any width, as HTML, and as the board of a notebook."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import boards
import pytest
from leaderboard.test_board import ALL, GOOD
from rich.console import Console
from written_run import WrittenRun

from benchmark.leaderboard import Board, Column, TextTable, board
from benchmark.leaderboard.rows import PairRow
from benchmark.leaderboard.text_tables import labelled, notes_html
from benchmark.records import Note, warning
from benchmark.reporting import as_csv, html, markdown

NAMES = ("alpha", "beta")
COLUMNS: tuple[Column[str], ...] = (
    Column("name", str, numeric=False, names=True),
    Column("length", lambda name: str(len(name))),
    Column("nothing", lambda name: "–"),
    Column("doubled", lambda name: name * 2, numeric=False),
)


def simple(**more: object) -> TextTable:
    made = TextTable("board", "shop", "Names", COLUMNS, NAMES, (Note("A note."), warning("mind this.")))
    return replace(made, **more)


def shown(table: TextTable | Board, width: int) -> list[str]:
    target = io.StringIO()
    Console(file=target, width=width).print(table)
    return [line.rstrip() for line in target.getvalue().splitlines()]


def two_models() -> Board:
    return boards.board(boards.table(boards.row("a/b", 0.3, 1), boards.row("c/d", 0.2, 2)))


def test_table_in_a_terminal_has_its_notes_below_and_names_warnings() -> None:
    assert shown(simple(), 80) == [
        "Names",
        "name   length  doubled",
        "alpha       5  alphaalpha",
        "beta        4  betabeta",
        "  A note.",
        "  WARNING: mind this.",
        "",
    ]


def test_table_wider_than_the_terminal_is_shown_in_parts_that_repeat_the_names() -> None:
    assert shown(simple(notes=()), 20) == [
        *("Names", "name   length", "alpha       5", "beta        4", ""),
        *("name   doubled", "alpha  alphaalpha", "beta   betabeta", ""),
    ]


def test_column_that_says_nothing_of_any_row_is_left_out() -> None:
    assert simple().filled.titles == ["name", "length", "doubled"]


def test_html_of_a_table_escapes_titles_and_cells() -> None:
    columns = (Column("<b>", lambda name: f"<i>{name}"), *COLUMNS)
    text = simple(columns=columns).to_html()
    assert "<b>" not in text
    assert "&lt;i&gt;alpha" in text
    assert "data-v" not in text


def test_html_of_a_table_has_one_header_a_row() -> None:
    assert simple().to_html().count('<th scope="row">') == len(NAMES)


def test_notes_as_html_have_the_warnings_first() -> None:
    text = notes_html([Note("later <b>"), warning("first <i>")])
    assert text.index("WARNING: first &lt;i&gt;") < text.index("later &lt;b&gt;")


@pytest.mark.parametrize("name", ["synthetic/model", "a/WARNING", "Split: x"])
def test_name_of_a_model_makes_no_warning_of_a_note_that_names_it(name: str) -> None:
    table = boards.table(boards.row(name, 0.3, 1), notes=(Note(f"{name}: n/a: no ratings"),))
    assert 'class="warn"' not in html(boards.board(table))


def test_board_in_a_notebook_is_its_tables_and_notes_alone() -> None:
    made = two_models()
    text = made._repr_html_()
    assert text.count("<table>") == 1
    assert "WARNING: something a reviewer would say." in text
    assert not [tag for tag in ("<script", "<svg", "<style", "<button") if tag in text]
    assert len(text) < len(html(made)) / 10


def test_board_in_a_notebook_escapes_every_name() -> None:
    text = boards.hostile()._repr_html_()
    assert "<script>" not in text
    assert "<img" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_board_in_a_prompt_is_one_short_line() -> None:
    assert repr(two_models()) == "<Board shop: shop (2 of 2 models ranked, a/b first)>"
    failed = boards.board(boards.table(boards.row("a/b", None)))
    assert repr(failed) == "<Board shop: shop (0 of 1 models ranked)>"


def test_board_shows_the_same_cells_in_terminal_and_markdown() -> None:
    lines = [line.split("|")[1:-1] for line in markdown(two_models()).splitlines() if line[:3] == "| 1"]
    cells = [cell.strip().removeprefix("\\") for cell in lines[0]]
    screen = "\n".join(shown(two_models(), 300))
    assert not [cell for cell in cells if cell not in {"", "–"} and cell.replace("\\", "") not in screen]


def test_board_as_a_data_frame_has_the_columns_and_values_of_the_csv(tmp_path) -> None:
    made = board(WrittenRun(ALL, GOOD.name).write(tmp_path / "run"), compare="all")
    for kind in ("board", "pairs", "groups", "folds", "across"):
        frame = made.to_pandas(kind)
        lines = list(csv.reader(io.StringIO(as_csv(made, kind))))
        assert [list(frame), len(frame)] == [lines[0], len(lines) - 1]
    frame = made.to_pandas().set_index("model")
    assert frame.loc["torch/good", "ndcg@2"] == made.tables[0].rows[0].value
    assert frame["p_vs_reference"].dtype == float
    assert frame["popularity_lift"].isna().all()


def test_pairs_of_a_board_keep_full_precision_in_rows_and_csv() -> None:
    pair = PairRow(dataset="shop", a="a/b", b="c/d", difference=0.123456789, p=0.0001)
    table = boards.table(boards.row("a/b", 0.3, 1), pairs=(pair,))
    assert as_csv(boards.board(table), "pairs").splitlines()[1] == "shop,a/b,c/d,0.123456789,0.0001"


def test_note_is_labelled_by_its_level_not_by_its_text() -> None:
    assert labelled(Note("WARNING is a word.")) == "WARNING is a word."
    assert labelled(warning("mind this.")) == "WARNING: mind this."
