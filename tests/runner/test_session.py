"""Whole runs of small suites in real processes: tuning, finals, firewall, failures."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fakes import PLANTED_ITEM, PLANTED_USER, PLANTED_VALUE

from benchmark import runner
from benchmark.budget import spent_s
from benchmark.errors import DataError, MissingLibrary, RunError
from benchmark.executors.executor import Executor
from benchmark.executors.local import ForkServer
from benchmark.leaderboard import board
from benchmark.records import (
    Exclusion,
    FinalRecord,
    Measurements,
    ReferenceNamed,
    StudyClosed,
    TestOpened,
    TrialRecord,
)
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.study import StudyEnding, StudyRun
from benchmark.suite import Suite, parse_suite

Make = Callable[..., Suite]
Run = Callable[..., RunDirectory]
DEFAULT = {"bend": 0.1, "pause_s": 0.02, "max_epochs": 4}


@pytest.fixture
def run(suite: Make, tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """Run the small suite with changes, in a directory of its own."""
    models = request.getfixturevalue(getattr(request, "param", "fakes"))
    return lambda **changes: runner.run(suite(**changes), models, RunOptions(out=tmp_path / "run"))


BOTH = ["fakes", pytest.param("fakes_inside", marks=pytest.mark.slow)]
EVERYWHERE = pytest.mark.parametrize("run", BOTH, indirect=True)
"""Once in our own Python, once in an environment."""


def trials_of(run_dir: RunDirectory, model: str | None = None) -> list[TrialRecord]:
    found = [one for one in run_dir.records() if isinstance(one, TrialRecord)]
    return [one for one in found if model in {None, one.model}]


def finals_of(run_dir: RunDirectory) -> list[FinalRecord]:
    return [one for one in run_dir.records() if isinstance(one, FinalRecord)]


def closed(run_dir: RunDirectory) -> dict[str, StudyClosed]:
    """Return how each model's study ended."""
    return {one.model: one for one in run_dir.records() if isinstance(one, StudyClosed)}


def scores_of(final: FinalRecord) -> Measurements:
    assert final.measured is not None
    return final.measured


@EVERYWHERE
def test_run_tunes_each_model_and_scores_its_finals(run: Run) -> None:
    run_dir = run()
    assert len(trials_of(run_dir, "fake/fixed")) == 1
    steady = trials_of(run_dir, "fake/steady")
    assert [trial.trial for trial in steady] == list(range(6))
    assert steady[0].config == DEFAULT
    finals = [(one.model, one.config_source, one.train_on, one.seed) for one in finals_of(run_dir)]
    expected = [("fake/fixed", "tuned", part, 0) for part in ("train", "train+valid")]
    expected += [("fake/steady", "tuned", part, seed) for part in ("train", "train+valid") for seed in (0, 1)]
    expected += [("fake/steady", "default", "train+valid", 0)]
    assert sorted(finals) == sorted(expected)
    ended = closed(run_dir)
    assert {model: one.status for model, one in ended.items()} == {"fake/fixed": "ok", "fake/steady": "ok"}
    assert (ended["fake/fixed"].reason, ended["fake/steady"].reason) == ("nothing to tune", "6 trials")


def test_board_of_a_run_ranks_its_models(run: Run) -> None:
    rows = board(run()).tables[0].rows
    assert [row.status for row in rows] == ["ok", "ok"]
    assert [row.rank for row in rows] == [1, 2]
    assert {row.seeds for row in rows} == {1, 2}


@pytest.mark.alone
def test_study_is_charged_no_more_than_its_budget_and_what_a_kill_takes(run: Run) -> None:
    run_dir = run(budget={"per_model": "1s"})
    assert spent_s(trials_of(run_dir, "fake/steady")) <= 1.0 + 0.5


@pytest.mark.alone
def test_model_that_is_slow_to_score_is_validated_after_every_fifth_step_and_after_its_last(
    run: Run,
) -> None:
    run_dir = run(models=["fake/dear"], budget={"per_model": "5s"}, finals={"seeds": 1, "train_on": "train"})
    (trial,) = trials_of(run_dir)
    assert list(trial.steps) == [1, 2, 7, 9]
    assert trial.best_step == 9


class InSmallSteps(StudyRun):
    """A study that finds a pass too long for a step."""

    def run_trials(self, executor: Executor) -> StudyEnding:
        self.step_rows = -(-self.data.manifest.parts["train"].positives // 4)
        return super().run_trials(executor)


def test_final_in_small_steps_trains_the_passes_of_its_trial_whatever_it_is_trained_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.session.StudyRun", InSmallSteps)
    run_dir = run(models=["fake/streaming"], finals={"seeds": 1, "default": False})
    (trial,) = trials_of(run_dir)
    assert (trial.best_step, trial.best_passes) == (8, 2.0)
    assert trial.step_rows is not None
    finals = {final.train_on: scores_of(final).steps for final in finals_of(run_dir)}
    assert finals == {"train": 8, "train+valid": 8}


def test_model_that_cannot_stop_within_a_pass_is_not_asked_to(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.session.StudyRun", InSmallSteps)
    run_dir = run(models=["fake/fixed"], finals={"seeds": 1, "default": False})
    (trial,) = trials_of(run_dir)
    assert (trial.step_rows, trial.passes, list(trial.steps)) == (None, {}, [1, 2, 3, 4])


def test_reference_is_named_before_test_is_opened(run: Run) -> None:
    kinds = [type(record) for record in run().records()]
    assert kinds.index(ReferenceNamed) < kinds.index(TestOpened)
    assert kinds.count(ReferenceNamed) == 1
    assert kinds.count(TestOpened) == 7


def test_model_is_imported_once_for_its_study_and_its_finals(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    run_dir = runner.run(suite(), fakes, RunOptions(out=tmp_path / "run", jobs=1))
    log = (run_dir / "log.txt").read_text("utf-8").splitlines()
    ready = sorted(line.split()[1] for line in log if line.endswith("is ready"))
    assert ready == ["[planted/fake/fixed]", "[planted/fake/steady]", "[root]", "[scorer]"]


def test_models_that_do_not_fit_in_memory_together_are_imported_anew(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.fork_servers.KEPT", 0.0)
    run_dir = run(models=["fake/fixed"])
    assert {final.outcome for final in finals_of(run_dir)} == {"complete"}
    log = (run_dir / "log.txt").read_text("utf-8")
    assert log.count("[planted/fake/fixed] fork server") == 2


def test_default_configuration_is_scored_once_on_what_the_board_ranks_and_is_not_ranked(run: Run) -> None:
    run_dir = run(models=["fake/steady"])
    finals = finals_of(run_dir)
    (default,) = [final for final in finals if final.config_source == "default"]
    assert (default.config, default.seed, default.train_on) == (DEFAULT, 0, "train+valid")
    assert default.scores.state_sha256 is None
    rows = pd.read_parquet(run_dir / "per_user.parquet")
    assert set(zip(rows.train_on, rows.config_source, strict=True)) == {
        ("train", "tuned"),
        ("train+valid", "tuned"),
        ("train+valid", "default"),
    }
    assert pq.ParquetFile(run_dir / "per_user.parquet").num_row_groups == len(finals) == 5
    assert board(run_dir).tables[0].rows[0].seeds == 2


def test_default_configuration_is_left_out_where_the_suite_says_so(run: Run) -> None:
    run_dir = run(models=["fake/steady"], finals={"seeds": 1, "default": False})
    assert {final.config_source for final in finals_of(run_dir)} == {"tuned"}


def test_state_of_seed_0_alone_is_stored_for_a_bundle(run: Run) -> None:
    run_dir = run(models=["fake/steady"])
    stored = [final for final in finals_of(run_dir) if final.scores.state_path is not None]
    assert [(one.seed, one.train_on, one.config_source) for one in stored] == [(0, "train+valid", "tuned")]
    assert (run_dir / str(stored[0].scores.state_path)).is_file()


def test_final_stores_what_it_cost_and_each_users_values_of_head_and_tail(run: Run) -> None:
    run_dir = run(models=["fake/fixed"])
    measured = [scores_of(final) for final in finals_of(run_dir)]
    assert all(one.users_per_s > 0 for one in measured)
    assert all(one.filled_users == 0 and one.filled_items == 0 for one in measured)
    rows = pd.read_parquet(run_dir / "per_user.parquet")
    for kind in ("head", "tail"):
        known = rows[rows[f"recall_{kind}"].notna()]
        assert len(known)
        assert (known[f"ndcg@5_{kind}"].gt(0) == known[f"recall_{kind}"].gt(0)).all()


def test_trials_are_exported_one_row_each(run: Run) -> None:
    run_dir = run(models=["fake/steady"])
    rows = pd.read_parquet(run_dir / "trials.parquet")
    assert rows.trial.tolist() == list(range(6))
    assert rows.value.tolist() == [trial.value for trial in trials_of(run_dir)]


def test_run_in_a_relative_folder_reaches_children_that_work_elsewhere(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_dir = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(results=Path("results")))
    assert not run_dir.path.is_absolute()
    assert {final.outcome for final in finals_of(run_dir)} == {"complete"}


def test_directory_held_by_a_live_process_is_refused(run: Run) -> None:
    run_dir = run(models=["fake/fixed"])
    run_dir.update(state="running")
    with run_dir.locked(), pytest.raises(RunError, match=f"process {os.getpid()} is running"):
        run(models=["fake/fixed"])


def test_directory_that_cannot_be_written_is_refused(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match="cannot be written"):
        runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "file" / "run"))


def test_full_disk_gives_one_message_that_says_what_to_do(suite: Make, fakes: Registry) -> None:
    with pytest.raises(RunError, match=r"/dev/full.*(disk is full|cannot be written)"):
        runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=Path("/dev/full/run")))


FAILURES = pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("fake/crashing", "failed", "ZeroDivisionError: the planted crash"),
        ("fake/misshapen", "failed", "expected (40, 30): one column per item"),
        ("fake/diverging", "failed", "not finite"),
        ("fake/killed", "failed", "exit code -9"),
        ("fake/endless", "no-result", "no training step was finished and validated in"),
    ],
)


@EVERYWHERE
@FAILURES
def test_model_that_fails_keeps_its_row_with_the_reason(
    run: Run, model: str, status: str, words: str
) -> None:
    budget = {"per_model": "1s" if model == "fake/endless" else "10m"}
    run_dir = run(models=["fake/fixed", model], budget=budget)
    assert closed(run_dir)[model].status == status
    assert words in closed(run_dir)[model].reason
    row = next(row for row in board(run_dir).tables[0].rows if row.model == model)
    assert (row.status, row.reason) == (status, closed(run_dir)[model].reason)
    assert row.rank is None
    assert row.metrics["ndcg@5"] is None


def test_endless_model_is_not_tried_again_in_less_time(run: Run) -> None:
    run_dir = run(models=["fake/endless"], budget={"per_model": "1s"})
    (trial,) = trials_of(run_dir)
    assert trial.outcome == "timeout"
    assert trial.charged_s >= 0.5, "the hold of the first trial"
    ended = closed(run_dir)["fake/endless"]
    assert ended.unused_s == pytest.approx(1.0 - trial.charged_s, abs=1e-3)
    assert "how long one takes is not known: try " in ended.reason


@pytest.mark.alone
def test_endless_model_is_charged_its_hold_and_what_a_kill_takes(run: Run) -> None:
    (trial,) = trials_of(run(models=["fake/endless"], budget={"per_model": "1s"}))
    assert trial.charged_s <= 1.0


@EVERYWHERE
def test_fork_server_that_dies_in_a_study_is_replaced_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    launch, died = ForkServer.launch, []

    def dying(self: ForkServer, target: str, *more: Any) -> Any:
        if target in {"benchmark.trial:run", "benchmark.final_fit:final"} and target not in died:
            died.append(target)
            os.kill(self.pid, signal.SIGKILL)
            while self.alive:
                time.sleep(0.01)
        return launch(self, target, *more)

    monkeypatch.setattr(ForkServer, "launch", dying)
    run_dir = run(models=["fake/steady"])
    assert died == ["benchmark.trial:run", "benchmark.final_fit:final"]
    assert closed(run_dir)["fake/steady"].status == "ok"
    tuned = [final for final in finals_of(run_dir) if final.config_source == "tuned"]
    assert [final.outcome for final in tuned] == ["complete"] * 4


@EVERYWHERE
def test_final_whose_process_is_killed_is_tried_once_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    launch, killed = ForkServer.launch, []

    def killing(self: ForkServer, target: str, *more: Any) -> Any:
        child = launch(self, target, *more)
        if target == "benchmark.final_fit:final" and not killed:
            killed.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(ForkServer, "launch", killing)
    finals = finals_of(run(models=["fake/fixed"], finals={"seeds": 1, "train_on": "train"}))
    assert [final.outcome for final in finals] == ["machine", "complete"]
    assert "exit code -9" in finals[0].reason
    assert finals[0].final_key == finals[1].final_key


@EVERYWHERE
def test_trial_stopped_at_its_hold_is_complete_with_its_best_step(run: Run) -> None:
    run_dir = run(models=["fake/stuck"], budget={"per_model": "8s", "max_trials": 1})
    (trial,) = trials_of(run_dir)
    assert (trial.outcome, trial.truncated) == ("complete", True)
    assert trial.value == max(trial.steps.values())
    assert list(trial.steps) == [1, 2]


@EVERYWHERE
def test_hungry_model_is_stopped_and_named_for_it(run: Run) -> None:
    slot = {"memory": "500MB", "gpu": "no"}
    run_dir = run(models=["fake/hungry"], budget={"per_model": "1h", "slot": slot})
    assert {trial.outcome for trial in trials_of(run_dir)} == {"oom"}
    assert closed(run_dir)["fake/hungry"].status == "failed"


LACKING = """
name: two
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 10m, max_trials: 2}
finals: {seeds: 1}
models: [fake/fixed, fake/lacking]
"""


def test_missing_library_stops_before_anything_is_spent(tmp_path: Path) -> None:
    lacking = Registry({"fake/fixed": "fakes:Fixed", "fake/lacking": "fakes:Lacking"})
    both = parse_suite(LACKING, "two.yaml", lacking)
    with pytest.raises(MissingLibrary, match=r"fake/lacking needs no_such_library.*\n.*pip install"):
        runner.run(both, lacking, RunOptions(out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    run_dir = runner.run(both, lacking, RunOptions(out=tmp_path / "run", skip_missing=True))
    assert list(closed(run_dir)) == ["fake/fixed"]
    excluded = {study.model: study.excluded for study in run_dir.manifest().studies}
    assert excluded["fake/fixed"] is None
    assert excluded["fake/lacking"] is not None
    assert excluded["fake/lacking"].status == "skipped"


def test_ranker_under_a_rating_metric_is_not_applicable(run: Run) -> None:
    run_dir = run(models=["fake/fixed"], metrics={"primary": "rmse", "also": ["ndcg@5"]})
    (study,) = run_dir.manifest().studies
    assert study.excluded == Exclusion("n/a", "predicts no ratings, so it has no rmse")
    assert trials_of(run_dir) == []


def test_k_above_the_catalogue_is_refused(run: Run) -> None:
    with pytest.raises(DataError, match="ndcg@31"):
        run(metrics={"primary": "ndcg@31"})


def spied_log() -> pd.DataFrame:
    """Return a log of 20 users and 12 items in which the planted rating does not occur."""
    rows = [(user, item, 1.0 + (user + item) % 4) for user in range(20) for item in range(user % 3, 12)]
    return pd.DataFrame(rows, columns=["user", "item", "rating"])


@pytest.mark.parametrize("models", BOTH)
@pytest.mark.parametrize("spy", ["fake/spy", "fake/prying"])
def test_no_child_finds_the_planted_test_row(
    request: pytest.FixtureRequest, tmp_path: Path, spy: str, models: str
) -> None:
    """The spy searches memory, files and environment while tuning and in finals, and raises.

    The prying one reads ahead in its sockets, looks at other processes, and sees which pairs it is to rate.
    """
    fakes, data = request.getfixturevalue(models), tmp_path / "spy-data"
    data.mkdir()
    log = spied_log()
    test = pd.DataFrame([(PLANTED_USER, PLANTED_ITEM, PLANTED_VALUE), (1, 11, 2.0)], columns=log.columns)
    log = log[~((log.user == 1) & (log.item == 11))]
    anchor = pd.DataFrame([(PLANTED_USER, 3, 2.0), (2, PLANTED_ITEM, 2.0)], columns=log.columns)
    pd.concat([log[: len(log) // 2], anchor]).to_csv(data / "train.csv", index=False)
    log[len(log) // 2 :].to_csv(data / "valid.csv", index=False)
    test.to_csv(data / "test.csv", index=False)
    spying = parse_suite(
        f"""
name: spying
datasets: [{{name: own, user: user, item: item, value: rating, scale: [1, 5]}}]
split: {{by: files, files: {{train: {data}/train.csv, valid: {data}/valid.csv, test: {data}/test.csv}}}}
metrics: {{primary: ndcg@5, also: [recall@5, rmse]}}
budget: {{per_model: 10m}}
finals: {{seeds: 1}}
models: [{spy}]
""",
        "spying.yaml",
        fakes,
    )
    run_dir = runner.run(spying, fakes, RunOptions(out=tmp_path / "spy-run", data=data))
    ended = closed(run_dir)[spy]
    assert (ended.status, ended.reason) == ("ok", "nothing to tune")
    assert [final.outcome for final in finals_of(run_dir)] == ["complete"] * 2
    assert (np.load(run_dir / "splits" / "own" / "test" / "values.npy") == PLANTED_VALUE).any()


def test_spy_does_find_a_row_that_is_handed_to_it(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    """The firewall test can fail: the same spy raises when the planted rating is in train."""
    log = spied_log()
    log.loc[log.user == 1, "rating"] = PLANTED_VALUE
    log.to_csv(tmp_path / "log.csv", index=False)
    own = {"name": "own", "path": str(tmp_path / "log.csv"), "value": "rating", "scale": [1, 5]}
    run_dir = runner.run(
        suite(datasets=[own], prepare={}, models=["fake/spy"]),
        fakes,
        RunOptions(out=tmp_path / "run", base=tmp_path),
    )
    assert "SPY FOUND" in closed(run_dir)["fake/spy"].reason
