"""``bench report`` on the command line: formats, files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import boards
import pytest

from benchmark import api, cli
from benchmark.leaderboard import Board
from benchmark.leaderboard.rows import PairRow


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Put a board made by hand in place of stored rows; return what was asked of it."""
    calls: list[tuple[object, ...]] = []

    def report(
        *paths: Path, compare: str = "reference", baseline: str | None = None, by: list[str] | None = None
    ) -> Board:
        calls.append((*paths, compare, baseline, by))
        pairs = (PairRow(dataset="shop", a="native/ease", b="a/b", difference=0.1, p=0.01),)
        rows = boards.row("native/ease", 0.3, 1), boards.row("a/b", 0.2, 2)
        return boards.board(boards.table(*rows, pairs=pairs))

    monkeypatch.setattr(api, "report", report)
    return calls


@pytest.mark.parametrize(
    ("name", "start"),
    [("b.html", "<!doctype html>"), ("b.tex", "% Made by bench"), ("b.csv", "rank,"), ("b.md", "# shop")],
)
def test_report_out_writes_the_format_that_the_name_ends_in(
    asked: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, start: str
) -> None:
    assert cli.main(["report", "run", "--out", str(tmp_path / name)]) == 0

    assert (tmp_path / name).read_text("utf-8").startswith(start)
    assert capsys.readouterr().out == ""


def test_report_format_goes_to_standard_output(
    asked: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", "run", "--format", "latex"]) == 0

    assert r"\begin{tabular}" in capsys.readouterr().out


def test_report_hands_on_runs_comparison_and_baseline(asked: list[object]) -> None:
    words = ["--compare", "all", "--baseline", "a/b", "--by", "user.sex", "--by", "item.popularity"]
    cli.main(["report", "one", "two", *words, "--format", "md"])

    assert asked == [(Path("one"), Path("two"), "all", "a/b", ["user.sex", "item.popularity"])]


def test_report_table_writes_the_csv_of_that_table(
    asked: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", "run", "--format", "csv", "--table", "pairs"]) == 0

    assert capsys.readouterr().out == "dataset,a,b,difference,p\nshop,native/ease,a/b,0.1,0.01\n"


def test_report_csv_into_a_folder_writes_every_table(asked: list[object], tmp_path: Path) -> None:
    assert cli.main(["report", "run", "--format", "csv", "--out", str(tmp_path)]) == 0

    assert {path.name for path in tmp_path.iterdir()} == {"leaderboard.csv", "pairs.csv"}


def test_report_into_a_folder_writes_every_format_and_the_figures(
    asked: list[object], tmp_path: Path
) -> None:
    assert cli.main(["report", "run", "--out", str(tmp_path)]) == 0

    made = {path.name for path in tmp_path.iterdir()}
    assert made == {
        *(f"leaderboard.{suffix}" for suffix in ("csv", "json", "md", "tex", "html")),
        *("pairs.csv", "figures"),
    }


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--out", "board.doc"], "must end in .md"),
        (["--out", "board.md", "--format", "terminal"], "leave out --out"),
        (["--out", ".", "--format", "md"], "is a folder"),
        (["--table", "pairs"], "requires --format csv"),
    ],
)
def test_report_out_that_makes_no_sense_is_one_clear_complaint(
    asked: list[object], capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert cli.main(["report", "run", *words]) == 2

    assert complaint in capsys.readouterr().err
    assert asked == []


def test_report_out_in_a_folder_that_is_not_there_is_one_clear_complaint(
    asked: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", "run", "--out", str(tmp_path / "none" / "b.md")]) == 2

    assert "none" in capsys.readouterr().err
