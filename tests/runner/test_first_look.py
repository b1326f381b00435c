"""A first look at a model: what it concludes from samples, what it costs, and that it is taken once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark import runner
from benchmark.budget import Policy, step_rows
from benchmark.leaderboard import board
from benchmark.messages import Look
from benchmark.records import ProbeOpened, ProbeRecord, StudyClosed, TrialOpened, TrialRecord
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.first_look import hopeless, seen, step_cost
from benchmark.suite import Suite

Make = Callable[..., Suite]
RECORD = ProbeRecord(
    dataset="toy",
    model="lib/model",
    study_key="key",
    entry="toy/lib/model@key#look-0",
    outcome="complete",
    reason="finished",
    lease_s=3.0,
    charged_s=2.5,
    trial=0,
    config={},
)
ROWS = 1_000_000


def looks(seconds: Callable[[int], float], *, steps: bool = True, count: int = 4) -> list[Look]:
    """Return samples of 1,000 rows and on; compiling took 2 s, once where there are no further steps."""
    found = []
    for number in range(count):
        rows = 1000 * 2**number
        first_s = seconds(rows) + (2.0 if steps or number == 0 else 0.0)
        step_s = seconds(rows) if steps else None
        found.append(Look(rows=rows, of_rows=ROWS, first_s=first_s, step_s=step_s, user_s=0.001, judged=1000))
    return found


def test_pass_is_extrapolated_by_what_rows_add_and_start_up_is_told_apart() -> None:
    cost = step_cost(looks(lambda rows: 0.5 + 1e-4 * rows))
    assert cost is not None
    assert cost.start_s == pytest.approx(2.0)
    assert cost.row_s == pytest.approx(1e-4)
    assert cost.fixed_s == pytest.approx(0.5)
    assert cost.pass_s == pytest.approx(0.5 + 1e-4 * ROWS)


def test_what_the_first_fit_of_a_process_compiles_is_no_part_of_a_whole_fit() -> None:
    cost = step_cost(looks(lambda rows: 0.5 + 1e-4 * rows, steps=False))
    assert cost is not None
    assert cost.start_s is None
    assert cost.pass_s == pytest.approx(0.5 + 1e-4 * ROWS)


def test_rows_that_become_cheaper_are_not_extrapolated() -> None:
    cost = step_cost(looks(lambda rows: (rows / 1000) ** 0.3))
    assert cost is not None
    assert cost.pass_s is None


def test_rows_that_become_dearer_give_a_floor() -> None:
    cost = step_cost(looks(lambda rows: 1e-9 * rows**2))
    assert cost is not None
    assert cost.pass_s is not None
    assert 0 < cost.pass_s < 1e-9 * ROWS**2


def test_cost_that_depends_on_items_alone_is_no_verdict() -> None:
    found = seen(RECORD, looks(lambda _: 40.0), rows=ROWS, streams=False, hold_s=60.0)
    assert found.pass_s is None
    assert hopeless(found, streams=False, there_s=20.0, factor=3.0) is None


def test_two_samples_are_no_verdict() -> None:
    found = seen(RECORD, looks(lambda rows: 1e-3 * rows, count=2), rows=ROWS, streams=False, hold_s=60.0)
    assert found.row_s == pytest.approx(1e-3)
    assert found.pass_s is None


def test_model_that_cannot_stop_and_needs_three_times_what_is_there_is_given_up_with_the_figures() -> None:
    found = seen(RECORD, looks(lambda rows: 7e-4 * rows), rows=ROWS, streams=False, hold_s=75.0)
    assert hopeless(found, streams=False, there_s=150.0, factor=3.0) == (
        "one pass over the rows takes about 700 s, by a fit on 0.8 % of them; the first trial may take "
        "150 s: give it a larger budget"
    )
    assert hopeless(found, streams=False, there_s=240.0, factor=3.0) is None, "less than three times: tried"
    assert hopeless(found, streams=True, there_s=150.0, factor=3.0) is None, "it can stop inside a pass"


def test_look_that_saw_nothing_says_so_and_is_no_verdict() -> None:
    found = seen(RECORD, [], rows=ROWS, streams=False, hold_s=60.0)
    assert found == RECORD
    assert found.text == "2.5 s, nothing seen (finished)"


def test_streaming_model_of_which_nothing_was_seen_gets_the_smallest_steps() -> None:
    """It compiled for longer than the look may hold, say: a whole pass could be its last."""
    found = seen(RECORD, [], rows=1_000_000, streams=True, hold_s=60.0)
    assert found.step_rows == step_rows(1_000_000, 1e9, 0.0, 60.0) == 7813
    assert found.text == "2.5 s, nothing seen (finished)"


def test_one_sample_alone_tells_the_rows_of_a_step_and_is_no_verdict() -> None:
    found = seen(RECORD, looks(lambda rows: 1e-3 * rows, count=1), rows=ROWS, streams=True, hold_s=60.0)
    assert found.row_s == pytest.approx(1e-3)
    assert found.step_rows is not None
    assert found.pass_s is None


def test_streaming_model_is_validated_before_a_tenth_of_its_hold() -> None:
    """Counted: a pass takes 100 s, a validation 1 s, and the trial may hold 60."""
    found = seen(RECORD, looks(lambda rows: 1e-4 * rows), rows=ROWS, streams=True, hold_s=60.0)
    assert found.step_rows is not None
    assert found.row_s is not None
    assert found.user_s is not None
    first_validation_s = found.step_rows * found.row_s + 1000 * found.user_s
    assert first_validation_s <= 60.0 / 10
    assert (
        seen(RECORD, looks(lambda rows: 1e-4 * rows), rows=ROWS, streams=False, hold_s=60.0).step_rows is None
    )


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at every model, however few rows there are."""
    monkeypatch.setattr("benchmark.runner.first_look.SMALLEST", 4)
    policy = lambda suite, study: Policy(study.budget_s, suite.budget.max_trials, rows_a_second=0)  # noqa: E731
    monkeypatch.setattr("benchmark.runner.ready.policy_for", policy)


def records(run_dir: RunDirectory, kind: type) -> list:  # type: ignore[type-arg]
    return [one for one in run_dir.records() if isinstance(one, kind)]


@pytest.mark.usefixtures("looked")
def test_look_is_charged_and_noted_and_its_rows_of_a_step_reach_trials_and_finals(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.first_look.step_rows", lambda *_: 64)
    wanted = suite(models=["fake/sliced"], budget={"max_trials": 1}, finals={"seeds": 1})
    run_dir = runner.run(wanted, fakes, RunOptions(out=tmp_path / "run"))
    (probe,) = records(run_dir, ProbeRecord)
    assert (probe.outcome, probe.step_rows) == ("complete", 64)
    assert probe.charged_s > 0
    assert 4 <= probe.rows < probe.of_rows
    kinds = [type(one) for one in run_dir.records()]
    assert kinds.index(ProbeRecord) < kinds.index(TrialOpened)
    (trial,) = records(run_dir, TrialRecord)
    printed = (run_dir / "log.txt").read_text("utf-8")
    assert printed.count("may train 64 rows") == 1, "the trial"
    assert printed.count("may train 53 rows") == 1, "a final on train: as many steps, of equal length"
    assert printed.count("may train 60 rows") == 1, "a final on train and validation: as many steps"
    assert printed.index("may train 32 rows") < printed.index("may train 64 rows"), "looks are whole samples"
    (closed,) = records(run_dir, StudyClosed)
    assert closed.unused_s == pytest.approx(600.0 - probe.charged_s - trial.charged_s, abs=1e-3)
    assert "timed on samples: " in (run_dir / "log.txt").read_text("utf-8")
    table = board(run_dir).tables[0]
    (row,) = table.rows
    assert row.charged_s == pytest.approx(probe.charged_s + trial.charged_s, abs=1e-3)
    assert (row.status, row.trials) == ("ok", 1)
    assert any(
        "Timed on samples of the rows before tuning, which counts: fake/sliced" in note.text
        for note in table.notes
    )


@pytest.mark.usefixtures("looked")
def test_closed_look_is_not_repeated_by_a_run_that_resumes(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.first_look.step_rows", lambda *_: 64)
    wanted = suite(models=["fake/sliced"], budget={"max_trials": 1}, finals={"seeds": 1})
    run_dir = runner.run(wanted, fakes, RunOptions(out=tmp_path / "run"))
    lines = (run_dir / "ledger.jsonl").read_text("utf-8").splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if json.loads(line)["event"] == "probe-closed")
    (run_dir / "ledger.jsonl").write_text("".join(lines[: end + 1]))
    (run_dir / "journal.log").unlink()
    shutil.rmtree(run_dir / "per_user")
    (run_dir / "per_user").mkdir()
    run_dir.update(state="stopped")
    monkeypatch.setattr("benchmark.runner.first_look.step_rows", lambda *_: 11)
    runner.run(wanted, fakes, RunOptions(out=tmp_path / "run"))
    (probe,) = records(run_dir, ProbeRecord)
    assert len(records(run_dir, ProbeOpened)) == 1
    assert probe.step_rows == 64
    assert len(records(run_dir, TrialRecord)) == 1
    printed = (run_dir / "log.txt").read_text("utf-8")
    assert printed.count("may train 64 rows") == 2, "as the first look said, before and after"
    assert "may train 11 rows" not in printed


@pytest.mark.usefixtures("looked")
def test_look_that_crashes_is_no_verdict(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    run_dir = runner.run(suite(models=["fake/crashing"]), fakes, RunOptions(out=tmp_path / "run"))
    (probe,) = records(run_dir, ProbeRecord)
    assert probe.outcome == "crash"
    assert len(records(run_dir, TrialRecord)) == 3
    assert records(run_dir, StudyClosed)[0].status == "failed"


@pytest.mark.usefixtures("looked")
def test_verdict_ends_a_study_before_its_first_trial(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.study.hopeless", lambda *_, **__: "one pass takes about 700 s")
    run_dir = runner.run(suite(models=["fake/steady"]), fakes, RunOptions(out=tmp_path / "run"))
    (closed,) = records(run_dir, StudyClosed)
    assert (closed.status, closed.reason) == ("no-result", "one pass takes about 700 s")
    assert records(run_dir, TrialRecord) == []
    (row,) = board(run_dir).tables[0].rows
    assert (row.status, row.reason) == ("no-result", "one pass takes about 700 s")
    assert row.charged_s > 0


def test_small_log_is_not_looked_at(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    run_dir = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))
    assert records(run_dir, ProbeOpened) == []
