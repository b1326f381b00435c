"""The board from stored rows: one golden run byte for byte, and what can be worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from repository import TESTS
from rich.console import Console
from written_run import HASH, USERS, Written, WrittenRun, split_manifest

from benchmark.datasets.manifest import StepCounts
from benchmark.errors import RunError
from benchmark.leaderboard import Table, board
from benchmark.leaderboard.notes import prepared_note
from benchmark.records import warning
from benchmark.reporting import FORMATS, as_csv, as_json, markdown
from benchmark.reporting.markdown import escape
from benchmark.results import RunDirectory
from benchmark.statistics.holm import holm

GOLDEN = TESTS / "golden"
CYCLE = np.arange(USERS)


def level(base: float, step: int = 0) -> list[float]:
    """Return values that go round over the users in eighths, exact in binary."""
    return [base + ((int(user) * 3 + step) % 5 - 2) / 8 for user in CYCLE]


GOOD = Written("torch/good", [level(0.75), level(0.75, 1)], valid=0.75)
NEAR = Written("lightfm/near", [level(0.6875, 2), level(0.6875, 3)], valid=0.625)
FLOOR = Written("baselines/popularity", [level(0.5)], valid=0.5, reason="nothing to tune")
RATER = Written(
    "surprise/rater",
    [level(0.25), level(0.25, 2)],
    valid=0.25,
    errors=[[1.0, 0.25] * (USERS // 2), [0.25, 1.0] * (USERS // 2)],
    feedback="explicit",
)
BROKEN = Written("torch/broken", status="failed", reason="ZeroDivisionError: planted")
ABSENT = Written("keras/absent", excluded=("skipped", "needs keras: pip install 'recsys-bench[keras]'"))
ALL = [FLOOR, GOOD, NEAR, RATER, BROKEN, ABSENT]


def table_of(path: Path, models: list[Written], reference: str | None, **more: object) -> Table:
    return board(WrittenRun(models, reference, **more).write(path / "run")).tables[0]  # type: ignore[arg-type]


@pytest.fixture
def golden_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """The golden run, in a folder whose name is the same on every machine."""
    monkeypatch.chdir(tmp_path)
    return WrittenRun(ALL, GOOD.name).write(Path("run"))


def as_golden(name: str, text: str) -> None:
    """Compare with the stored file; BENCH_UPDATE_GOLDEN=1 writes it anew, to be read before a commit."""
    if os.environ.get("BENCH_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize("suffix", ["md", "csv", "json"])
def test_golden_board_is_the_same_byte_for_byte(golden_run: RunDirectory, suffix: str) -> None:
    as_golden(f"leaderboard.{suffix}", FORMATS[suffix](board(golden_run)))


@pytest.mark.parametrize("width", [80, 200])
def test_golden_board_in_a_terminal_loses_no_column_and_no_digit(
    golden_run: RunDirectory, width: int
) -> None:
    target = io.StringIO()
    Console(file=target, width=width, force_terminal=False).print(board(golden_run))
    assert max(map(len, target.getvalue().splitlines())) <= width
    assert "…" not in target.getvalue()
    as_golden(
        f"terminal-{width}.txt", "".join(f"{line.rstrip()}\n" for line in target.getvalue().splitlines())
    )


def test_board_is_the_same_when_it_is_read_twice_and_leaves_the_run_as_it_is(
    golden_run: RunDirectory,
) -> None:
    before = {path.name: path.read_bytes() for path in golden_run.path.iterdir() if path.is_file()}
    assert as_json(board(golden_run)) == as_json(board(golden_run))
    assert {path.name: path.read_bytes() for path in golden_run.path.iterdir() if path.is_file()} == before


def test_rows_are_ranked_best_first_and_those_without_result_come_last_with_their_reason(
    tmp_path: Path,
) -> None:
    rows = table_of(tmp_path, ALL, GOOD.name).rows
    assert [(row.rank, row.model) for row in rows] == [
        (1, "torch/good"),
        (2, "lightfm/near"),
        (3, "baselines/popularity"),
        (4, "surprise/rater"),
        (None, "torch/broken"),
        (None, "keras/absent"),
    ]
    assert [row.status for row in rows[4:]] == ["failed", "skipped"]
    assert rows[4].reason == "ZeroDivisionError: planted"
    assert rows[4].value is None


def test_value_is_the_mean_over_users_of_the_mean_over_seeds(tmp_path: Path) -> None:
    row = table_of(tmp_path, ALL, GOOD.name).rows[0]
    assert row.score == pytest.approx(np.mean(GOOD.scores), abs=1e-15)
    assert row.low < row.score < row.high
    assert row.seeds == 2


def test_difference_is_model_minus_reference_inside_its_interval(tmp_path: Path) -> None:
    rows = {row.model: row for row in table_of(tmp_path, ALL, GOOD.name).rows}
    floor = rows["baselines/popularity"]
    assert floor.diff_to_reference == pytest.approx(np.mean(FLOOR.scores) - np.mean(GOOD.scores), abs=1e-15)
    assert floor.diff_to_reference < 0
    assert floor.diff_low < floor.diff_to_reference < floor.diff_high
    assert rows["torch/good"].diff_to_reference is None
    assert rows["torch/good"].p_vs_reference is None


def test_holm_corrects_over_the_ranked_models_and_over_nothing_else(tmp_path: Path) -> None:
    """The p of each pair alone, corrected by hand over three comparisons, is what the board shows."""
    others = [FLOOR, NEAR, RATER]
    alone = []
    for number, model in enumerate(others):
        rows = table_of(tmp_path / str(number), [GOOD, model], GOOD.name).rows
        alone.append(next(row.p_vs_reference for row in rows if row.model == model.name))
    together = {row.model: row.p_vs_reference for row in table_of(tmp_path / "all", ALL, GOOD.name).rows}
    wanted = holm(np.array(alone))
    assert [together[model.name] for model in others] == pytest.approx(list(wanted), abs=1e-12)


def test_rating_model_below_popularity_is_told_apart_from_a_ranker_below_it(tmp_path: Path) -> None:
    low = Written("torch/low", [level(0.25), level(0.25, 1)], valid=0.25)
    notes = table_of(tmp_path, [*ALL, low], GOOD.name).notes
    assert any(note.text.startswith("surprise/rater: a rating model") for note in notes)
    assert warning("torch/low ranks below popularity.") in notes


def test_lower_is_better_for_rmse_and_rankers_keep_a_row(tmp_path: Path) -> None:
    rough = Written("surprise/rough", [level(0.5)] * 2, valid=1.5, errors=[[4.0, 1.0] * 8, [1.0, 4.0] * 8])
    fine = Written("surprise/fine", [level(0.5)] * 2, valid=0.5, errors=[[0.25, 1.0] * 8, [1.0, 0.25] * 8])
    ranker = Written("torch/ranker", excluded=("n/a", "predicts no ratings, so it has no rmse"))
    rows = table_of(tmp_path, [rough, ranker, fine], fine.name, primary="rmse", also=["ndcg@2"]).rows
    assert [row.model for row in rows] == ["surprise/fine", "surprise/rough", "torch/ranker"]
    assert rows[0].metrics["rmse"] == pytest.approx(np.sqrt(0.625))
    assert rows[1].diff_to_reference == pytest.approx(np.sqrt(2.5) - np.sqrt(0.625))
    assert rows[2].status == "n/a"


def test_board_whose_reference_has_no_result_compares_nothing_but_marks_the_best(tmp_path: Path) -> None:
    lost = Written(GOOD.name, valid=0.75)
    rows = table_of(tmp_path, [lost, NEAR, FLOOR], GOOD.name).rows
    assert [row.diff_to_reference for row in rows] == [None, None, None]
    assert rows[0].best_set is True
    assert (rows[2].model, rows[2].status) == (GOOD.name, "unfinished")


def test_gain_of_tuning_on_test_is_seed_zero_against_the_default(tmp_path: Path) -> None:
    tuned = Written(GOOD.name, GOOD.scores, valid=0.75, default=level(0.5))
    rows = {row.model: row for row in table_of(tmp_path, [tuned, NEAR, FLOOR], GOOD.name).rows}
    gain = np.mean(GOOD.scores[0]) - np.mean(level(0.5))
    assert rows[GOOD.name].test_gain_over_default == pytest.approx(gain)
    assert rows[GOOD.name].score == pytest.approx(np.mean(GOOD.scores))
    assert (rows[GOOD.name].seeds, rows[NEAR.name].test_gain_over_default) == (2, None)
    assert rows[FLOOR.name].test_gain_over_default is None


def test_baseline_without_a_result_is_refused_with_those_that_have_one(tmp_path: Path) -> None:
    run = WrittenRun(ALL, GOOD.name).write(tmp_path / "run")
    with pytest.raises(RunError, match=r"torch/broken: has no result on toy.*choose one of torch/good"):
        board(run, baseline=BROKEN.name)


def test_board_rows_carry_the_hashes_of_split_suite_and_environment(tmp_path: Path) -> None:
    rows = table_of(tmp_path, ALL, GOOD.name).rows
    found = {(row.split_hash, row.suite_hash, row.environment_hash) for row in rows}
    assert found == {(HASH, "5" * 64, "e" * 64)}


def test_board_without_ratings_does_not_speak_of_them(tmp_path: Path) -> None:
    notes = table_of(tmp_path, [GOOD, FLOOR], GOOD.name, also=["coverage@2"]).notes
    assert not any("rmse" in note.text.lower() for note in notes)


def test_board_of_one_model_has_an_interval_and_no_comparison(tmp_path: Path) -> None:
    row = table_of(tmp_path, [GOOD], GOOD.name).rows[0]
    assert (row.rank, row.p_vs_reference, row.best_set) == (1, None, None)
    assert row.low < row.score < row.high


def test_synthetic_data_is_said_in_notes_files_and_terminal(tmp_path: Path) -> None:
    made = board(WrittenRun([GOOD], GOOD.name, synthetic=True).write(tmp_path / "run"))
    target = io.StringIO()
    Console(file=target, width=200).print(made)
    for text in (markdown(made), as_json(made), target.getvalue()):
        assert "toy is synthetic: these numbers say nothing about real data." in text
    assert markdown(made).startswith("# written (synthetic data)\n")


HOSTILE = {
    "html": "a/<script>alert(1)</script>",
    "formula": "=cmd|'/c calc'!A0",
    "pipe": "a/|b|",
    "emphasis": "a/_b_*c*`d`",
    "newline": "a/b\n| 1 | fake",
    "right to left": "a/\u202eedoc",
    "markup": "a/[bold red]b[/]",
    "control": "a/\x1b[31mred",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_name_cannot_break_out_of_its_cell(tmp_path: Path, name: str) -> None:
    hostile = Written(name, GOOD.scores, valid=0.75)
    made = board(WrittenRun([hostile, FLOOR], name).write(tmp_path / "run"))
    text = markdown(made)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "<script" not in text
    assert not {"\u202e", "\x1b"} & set(text)
    rows = list(csv.reader(io.StringIO(as_csv(made))))
    assert len(rows) == 3
    assert not rows[1][rows[0].index("model")].startswith(("=", "+", "-", "@"))
    assert json.loads(as_json(made))["tables"][0]["rows"][0]["model"] == name
    target = io.StringIO()
    Console(file=target, width=240).print(made)
    assert len([line for line in target.getvalue().splitlines() if line.startswith(("1 ", "2 "))]) == 2
    assert not {"\u202e", "\x1b"} & set(target.getvalue())


@pytest.mark.parametrize(
    ("given", "shown"),
    [("<b>", "&lt;b&gt;"), ("a|b", "a\\|b"), ("_x_", "\\_x\\_"), ("a\nb", "a b"), ("a\\|b", "a\\\\\\|b")],
)
def test_escaped_text_shows_as_it_is(given: str, shown: str) -> None:
    assert escape(given) == shown


def test_run_without_results_says_what_to_do(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", WrittenRun(ALL, None).suite(), "2026-01-02T03:04:00+00:00")
    with pytest.raises(RunError, match="has no results yet; run the same command again"):
        board(run)


def test_run_stopped_among_its_finals_has_a_board_of_those_it_completed(tmp_path: Path) -> None:
    unscored = replace(NEAR, scores=())
    run = WrittenRun([GOOD, unscored, FLOOR], GOOD.name, gathered=False).write(tmp_path / "run")
    rows = {row.model: row for row in board(run).tables[0].rows}
    assert rows[GOOD.name].score == pytest.approx(np.mean(GOOD.scores))
    assert (rows[NEAR.name].status, rows[NEAR.name].reason) == (
        "unfinished",
        "final: the run was stopped",
    )


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("ledger.jsonl", "gone"),
        ("suite.json", "gone"),
        ("ledger.jsonl", "garbled"),
        ("suite.json", "garbled"),
        ("per_user/0-0-tuned.parquet", "gone"),
        ("per_user/0-0-tuned.parquet", "garbled"),
    ],
)
def test_damaged_run_is_refused_and_the_file_named(tmp_path: Path, file: str, damage: str) -> None:
    run = WrittenRun(ALL, GOOD.name).write(tmp_path / "run")
    if damage == "gone":
        (run / file).unlink()
    else:
        (run / file).write_text('{"broken\n')
    with pytest.raises(RunError, match=file):
        board(run)


def test_steps_of_preparation_that_took_rows_away_are_listed_under_the_board():
    steps = [("read", 100), ("missing values", 100), ("duplicate pairs", 90), ("positives", 50)]
    prepare = tuple(StepCounts(step=step, rows=rows, users=1, items=1) for step, rows in steps)
    (note,) = prepared_note(split_manifest(prepare=prepare))
    assert note.text.startswith("Preparation: 100 rows read; 90 after duplicate pairs, 50 after positives ")
