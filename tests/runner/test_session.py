"""Whole runs of small suites in real processes: budget, firewall, failures, resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from fakes import PLANTED_ITEM, PLANTED_USER, PLANTED_VALUE
from repository import TESTS

from benchmark import runner
from benchmark.errors import Interrupted, MissingLibrary, RunError
from benchmark.executors.local import ForkServer
from benchmark.leaderboard import board
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.session import better_now
from benchmark.suite import Suite, parse

Make = Callable[..., Suite]


def ledger_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "ledger.jsonl").read_text("utf-8").splitlines()]


def charged(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Sum what counts against each budget, by an independent few lines."""
    total: dict[str, float] = defaultdict(float)
    for line in lines:
        if (
            line["event"] == "close"
            and line["role"] == "trial"
            and line["outcome"] not in {"lost", "infrastructure"}
        ):
            total[line["study"]] += line["charged_s"]
    return total


def test_run_tunes_each_model_within_its_budget_and_ranks_them(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    place = runner.run(suite(), fakes, RunOptions(out=tmp_path / "run"))
    lines = ledger_of(place.path)
    assert all(seconds <= 1.0 + 0.5 for seconds in charged(lines).values())
    closed = [line for line in lines if line["event"] == "close"]
    assert sum(line["role"] == "trial" and line["model"] == "fake/fixed" for line in closed) == 1
    first = next(line for line in closed if line["model"] == "fake/steady" and line["trial"] == 0)
    assert first["config"] == {"bend": 0.1, "pause_s": 0.02, "max_epochs": 4}
    finals = [(line["model"], line["train_on"], line["seed"]) for line in closed if line["role"] == "final"]
    steady = [("fake/steady", part, seed) for part in ("train", "train+valid") for seed in (0, 1)]
    fixed = [("fake/fixed", "train", 0), ("fake/fixed", "train+valid", 0)]
    assert sorted(finals) == sorted([*fixed, *steady, ("fake/steady", "default", 0)])
    rows = board(place).tables[0].rows
    assert [row["status"] for row in rows] == ["ok", "ok"]
    assert {row["seeds"] for row in rows} == {1, 2}


def test_model_that_is_dear_to_score_is_validated_after_every_fifth_step_and_after_its_last(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    own = suite(models=["fake/dear"], budget={"per_model": "5s"}, finals={"seeds": 1, "train_on": "train"})
    place = runner.run(own, fakes, RunOptions(out=tmp_path / "run"))
    (trial,) = [
        line for line in ledger_of(place.path) if line["event"] == "close" and line["role"] == "trial"
    ]
    assert list(trial["steps"]) == ["1", "2", "7", "9"]
    assert trial["best_step"] == 9


def test_reference_is_named_before_test_is_opened(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    place = runner.run(suite(), fakes, RunOptions(out=tmp_path / "run"))
    events = [line["event"] for line in ledger_of(place.path)]
    assert events.index("reference") < events.index("test-opened")
    assert events.count("test-opened") == 7


def test_model_is_imported_once_for_its_study_and_its_finals(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    ready = ForkServer._await_ready

    def counting(self: ForkServer, what: Any, ready_s: float) -> None:
        started.append(what.setup)
        ready(self, what, ready_s)

    monkeypatch.setattr(ForkServer, "_await_ready", counting)
    runner.run(suite(), fakes, RunOptions(out=tmp_path / "run", jobs=1))
    assert started.count("benchmark.trial:load") == 2
    assert started.count("benchmark.scorer:load") == 2, "the root, and the slot's scorer"


def test_models_that_do_not_fit_in_memory_together_are_imported_anew(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.fork_servers.KEPT", 0.0)
    place = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))
    assert board(place).tables[0].rows[0]["status"] == "ok"


def test_default_configuration_is_scored_once_on_what_the_board_ranks_and_is_not_ranked(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    place = runner.run(suite(models=["fake/steady"]), fakes, RunOptions(out=tmp_path / "run"))
    finals = [line for line in ledger_of(place.path) if line["event"] == "close" and line["role"] == "final"]
    (default,) = [line for line in finals if line["train_on"] == "default"]
    assert default["config"] == {"bend": 0.1, "pause_s": 0.02, "max_epochs": 4}
    assert default["seed"] == 0
    assert default["state_sha256"] is None
    rows = pd.read_parquet(place / "per_user.parquet")
    assert set(rows.train_on) == {"train", "train+valid", "default"}
    assert pq.ParquetFile(place / "per_user.parquet").num_row_groups == len(finals) == 5
    assert board(place).tables[0].rows[0]["seeds"] == 2


def test_default_configuration_is_left_out_where_the_suite_says_so(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    without = suite(models=["fake/steady"], finals={"seeds": 1, "default": False})
    lines = ledger_of(runner.run(without, fakes, RunOptions(out=tmp_path / "run")).path)
    assert not [line for line in lines if line.get("train_on") == "default"]


def test_final_stores_what_it_cost_and_each_users_values_of_head_and_tail(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    place = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))
    finals = [line for line in ledger_of(place.path) if line["event"] == "close" and line["role"] == "final"]
    assert all(line["users_per_s"] > 0 for line in finals)
    assert all(line["filled_users"] == 0 and line["filled_items"] == 0 for line in finals)
    rows = pd.read_parquet(place / "per_user.parquet")
    for kind in ("head", "tail"):
        known = rows[rows[f"recall_{kind}"].notna()]
        assert len(known)
        assert (known[f"ndcg@5_{kind}"].gt(0) == known[f"recall_{kind}"].gt(0)).all()


def test_finished_run_is_shown_and_not_run_again(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    place = runner.run(suite(), fakes, RunOptions(out=tmp_path / "run"))
    before = (place / "ledger.jsonl").read_bytes()
    runner.run(suite(), fakes, RunOptions(out=tmp_path / "run"))
    assert (place / "ledger.jsonl").read_bytes() == before


def test_same_suite_goes_on_in_its_newest_run_unless_fresh(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    only = suite(models=["fake/fixed"])
    first = runner.run(only, fakes, RunOptions(results=tmp_path))
    assert runner.run(only, fakes, RunOptions(results=tmp_path)).path == first.path
    other = runner.run(only, fakes, RunOptions(results=tmp_path, fresh=True))
    assert other.path != first.path
    assert (tmp_path / "small" / "latest").resolve() == other.path.resolve()


def test_run_in_a_relative_folder_reaches_children_that_work_elsewhere(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(results=Path("results")))
    assert not place.path.is_absolute()
    assert board(place).tables[0].rows[0]["status"] == "ok"


def test_changed_suite_is_refused_with_the_difference(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))
    with pytest.raises(RunError, match=r"finals\.seeds: was 2, is 4"):
        runner.run(suite(models=["fake/fixed"], finals={"seeds": 4}), fakes, RunOptions(out=tmp_path / "run"))


def test_directory_held_by_a_live_process_is_refused(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    place = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))
    place.note(state="running")
    with place.locked(), pytest.raises(RunError, match=f"process {os.getpid()} is running"):
        runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))


def test_place_that_cannot_be_written_is_refused(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match="cannot be written"):
        runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "file" / "run"))


def test_full_disk_gives_one_message_that_says_what_to_do(suite: Make, fakes: Registry) -> None:
    with pytest.raises(RunError, match=r"/dev/full.*(disk is full|cannot be written)"):
        runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=Path("/dev/full/run")))


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("fake/crashing", "failed", "ZeroDivisionError: the planted crash"),
        ("fake/misshapen", "failed", "expected (40, 30): one column per item"),
        ("fake/diverging", "failed", "not finite"),
        ("fake/endless", "no-result", "no validated step"),
        ("fake/killed", "failed", "exit code -9"),
    ],
)
def test_model_that_fails_keeps_its_row_with_the_reason(
    suite: Make, fakes: Registry, tmp_path: Path, model: str, status: str, words: str
) -> None:
    place = runner.run(suite(models=["fake/fixed", model]), fakes, RunOptions(out=tmp_path / "run"))
    row = next(row for row in board(place).tables[0].rows if row["model"] == model)
    assert row["status"] == status
    assert words in row["reason"]
    assert row["rank"] is None
    assert row["ndcg@5"] is None


def test_endless_model_is_not_tried_again_in_less_time(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    place = runner.run(suite(models=["fake/endless"]), fakes, RunOptions(out=tmp_path / "run"))
    (closed,) = [line for line in ledger_of(place.path) if line["event"] == "close"]
    assert closed["outcome"] == "timeout"
    assert 0.45 < closed["charged_s"] <= 1.0
    (row,) = board(place).tables[0].rows
    assert row["unused_s"] == pytest.approx(1.0 - closed["charged_s"], abs=0.01)
    assert "larger budget" in row["reason"]


def test_fork_server_that_dies_in_a_study_is_replaced_once(
    suite: Make, fakes: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, died = ForkServer.launch, []

    def dying(self: ForkServer, entry: str, *more: Any) -> Any:
        if entry in {"benchmark.trial:run", "benchmark.trial:final"} and entry not in died:
            died.append(entry)
            os.kill(self.pid, signal.SIGKILL)
            assert self._origin.ended(5.0)
        return launch(self, entry, *more)

    monkeypatch.setattr(ForkServer, "launch", dying)
    place = runner.run(suite(models=["fake/steady"]), fakes, RunOptions(out=tmp_path / "run"))
    assert died == ["benchmark.trial:run", "benchmark.trial:final"]
    row = board(place).tables[0].rows[0]
    assert (row["status"], row["seeds"]) == ("ok", 2)


def test_stand_in_is_not_gone_on_with_once_the_real_data_are_here(fakes: Registry, data_dir: Path) -> None:
    manifest = {"datasets": {"movielens-100k (synthetic stand-in)": {}}, "studies": []}
    assert better_now(manifest, fakes, data_dir)
    assert not better_now({"datasets": {"movielens-100k": {}}, "studies": []}, fakes, data_dir)
    skipped = {"adapter": "fake/fixed", "excluded": ["skipped", "needs it"]}
    assert better_now({"datasets": {}, "studies": [skipped]}, fakes, None)


def test_trial_stopped_at_its_hold_is_complete_with_its_best_step(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    place = runner.run(suite(models=["fake/patient"]), fakes, RunOptions(out=tmp_path / "run"))
    closed = [line for line in ledger_of(place.path) if line["event"] == "close" and line["role"] == "trial"]
    assert closed[0]["outcome"] == "complete"
    assert closed[0]["value"] == max(closed[0]["steps"].values())
    assert closed[0]["stopped_by"] in {"hold", "patience"}


def test_hungry_model_is_stopped_and_named_for_it(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    small = {"per_model": "4s", "slot": {"memory": "500MB", "gpu": "no"}}
    place = runner.run(suite(models=["fake/hungry"], budget=small), fakes, RunOptions(out=tmp_path / "run"))
    closed = [line for line in ledger_of(place.path) if line["event"] == "close"]
    assert {line["outcome"] for line in closed} == {"oom"}
    assert board(place).tables[0].rows[0]["status"] == "failed"


def test_missing_library_stops_before_anything_is_spent(suite: Make, tmp_path: Path, fakes: Registry) -> None:
    import fakes as module

    lacking = Registry({"fake/fixed": "fakes:Fixed", "fake/lacking": "fakes:Lacking"})
    module.Lacking = type("Lacking", (module.Steady,), {"requires": ("no_such_library",)})  # type: ignore[attr-defined]
    both = parse((TESTS / "two.yaml").read_text("utf-8"), "two.yaml", lacking)
    with pytest.raises(MissingLibrary, match=r"fake/lacking needs no_such_library.*\n.*pip install"):
        runner.run(both, lacking, RunOptions(out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    place = runner.run(both, lacking, RunOptions(out=tmp_path / "run", skip_missing=True))
    statuses = {row["model"]: row["status"] for row in board(place).tables[0].rows}
    assert statuses == {"fake/fixed": "ok", "fake/lacking": "skipped"}


def test_ranker_under_a_rating_metric_is_not_applicable(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    rated = suite(models=["fake/fixed"], metrics={"primary": "rmse", "also": ["ndcg@5"]})
    place = runner.run(rated, fakes, RunOptions(out=tmp_path / "run"))
    row = board(place).tables[0].rows[0]
    assert (row["status"], row["reason"]) == ("n/a", "predicts no ratings, so it has no rmse")


def test_k_above_the_catalogue_is_refused(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    from benchmark.errors import DataError

    with pytest.raises(DataError, match="ndcg@31"):
        runner.run(suite(metrics={"primary": "ndcg@31"}), fakes, RunOptions(out=tmp_path / "run"))


def test_no_child_finds_the_planted_test_row(fakes: Registry, tmp_path: Path) -> None:
    """The spy searches memory, files and environment while tuning and in finals, and raises."""
    data = tmp_path / "spy-data"
    data.mkdir()
    rows = [(user, item, 1.0 + (user + item) % 4) for user in range(20) for item in range(user % 3, 12)]
    log = pd.DataFrame(rows, columns=["user", "item", "rating"])
    test = pd.DataFrame([(PLANTED_USER, PLANTED_ITEM, PLANTED_VALUE), (1, 11, 2.0)], columns=log.columns)
    log = log[~((log.user == 1) & (log.item == 11))]
    anchor = pd.DataFrame([(PLANTED_USER, 3, 2.0), (2, PLANTED_ITEM, 2.0)], columns=log.columns)
    pd.concat([log[: len(log) // 2], anchor]).to_csv(data / "train.csv", index=False)
    log[len(log) // 2 :].to_csv(data / "valid.csv", index=False)
    test.to_csv(data / "test.csv", index=False)
    spying = parse(
        f"""
name: spying
datasets: [{{name: own, user: user, item: item, value: rating, scale: [1, 5]}}]
split: {{by: files, files: {{train: {data}/train.csv, valid: {data}/valid.csv, test: {data}/test.csv}}}}
metrics: {{primary: ndcg@5, also: [recall@5]}}
budget: {{per_model: 20s}}
finals: {{seeds: 1}}
models: [fake/spy]
""",
        "spying.yaml",
        fakes,
    )
    place = runner.run(spying, fakes, RunOptions(out=tmp_path / "spy-run", data=data))
    row = board(place).tables[0].rows[0]
    assert (row["status"], row["reason"]) == ("ok", "nothing to tune")
    stored = pd.DataFrame({"v": __import__("numpy").load(place / "splits" / "own" / "test.npz")["values"]})
    assert (stored.v == PLANTED_VALUE).any()


def test_spy_does_find_a_row_that_is_handed_to_it(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    """The firewall test can fail: the same spy raises when the planted rating is in train."""
    rows = [(user, item, 1.0 + (user + item) % 4) for user in range(20) for item in range(user % 3, 12)]
    log = pd.DataFrame(rows, columns=["user", "item", "rating"])
    log.loc[log.user == 1, "rating"] = PLANTED_VALUE
    log.to_csv(tmp_path / "log.csv", index=False)
    own = {"name": "own", "path": str(tmp_path / "log.csv"), "value": "rating", "scale": [1, 5]}
    place = runner.run(
        suite(datasets=[own], prepare={}, models=["fake/spy"]),
        fakes,
        RunOptions(out=tmp_path / "run", base=tmp_path),
    )
    assert "SPY FOUND" in board(place).tables[0].rows[0]["reason"]


def test_stop_saves_what_is_done_and_the_same_call_goes_on(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    slow = suite(models=["fake/steady"], budget={"per_model": "3s", "max_trials": 12})
    timer = threading.Timer(4.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(Interrupted, match="The same command goes on"):
        runner.run(slow, fakes, RunOptions(out=tmp_path / "run"), _Delay())
    timer.cancel()
    before = [
        line for line in ledger_of(tmp_path / "run") if line["event"] == "close" and line["outcome"] != "lost"
    ]
    place = runner.run(slow, fakes, RunOptions(out=tmp_path / "run"))
    after = [line for line in ledger_of(tmp_path / "run") if line["event"] == "close"]
    assert after[: len(before)] == before or all(line in after for line in before)
    assert board(place).tables[0].rows[0]["status"] == "ok"


class _Delay(runner.Silent):
    """Slows a run down, so that the interrupt comes in its middle."""

    def trial(self, study: str, number: int) -> None:
        time.sleep(1.0)


KILL_SUITE = """
name: killing
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 15s, max_trials: 60, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 3}
models: [fake/fixed, {use: fake/steady, set: {pause_s: 0.1}}]
"""


def opens(run: Path) -> int:
    """Return how many processes a run's ledger has opened."""
    path = run / "ledger.jsonl"
    return path.read_bytes().count(b'"event": "open"') if path.exists() else 0


def processes_of(supervisor: int) -> list[int]:
    """Return live processes of a supervisor; forked trials keep the command line of their fork server."""
    alive = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            state = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            continue
        if "benchmark.executors.fork_server" in words and str(supervisor) in words and state != "Z":
            alive.append(int(folder.name))
    return alive


@pytest.mark.slow
@pytest.mark.alone
def test_run_killed_ten_times_goes_on_each_time_and_fits_nothing_twice(tmp_path: Path) -> None:
    import random

    chance = random.Random(20_200_101)
    run = tmp_path / "killed-run"
    (tmp_path / "killing.yaml").write_text(KILL_SUITE)
    program = [
        sys.executable,
        str(TESTS / "run_fakes.py"),
        str(tmp_path / "killing.yaml"),
        str(run),
    ]
    seen = 0
    for _ in range(10):
        opened = opens(run)
        supervisor = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while opens(run) == opened and supervisor.poll() is None:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 1.5))
        assert supervisor.poll() is None, "it must be killed in the middle of its work"
        seen += len(processes_of(supervisor.pid))
        supervisor.kill()
        _, errors = supervisor.communicate()
        assert errors == b""
        deadline = time.monotonic() + 2.0
        while processes_of(supervisor.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes_of(supervisor.pid) == []
    assert seen >= 10
    before = (
        [line for line in ledger_of(run) if line["event"] == "close"]
        if (run / "ledger.jsonl").exists()
        else []
    )
    finished = subprocess.run(program, capture_output=True, check=True, text=True)
    assert finished.returncode == 0
    lines = ledger_of(run)
    closed = [line for line in lines if line["event"] == "close"]
    assert closed[: len(before)] == before
    assert {line["entry"] for line in lines if line["event"] == "open"} == {line["entry"] for line in closed}
    done = [
        (line["study"], line.get("train_on"), line.get("seed"), line["role"], line["trial"])
        for line in closed
        if line["outcome"] != "lost"
    ]
    finals = [entry for entry in done if entry[3] == "final"]
    assert len(finals) == len(set(finals)) == 2 + 6 + 1, "and one of the default configuration"
    trials = [line for line in closed if line["role"] == "trial"]
    assert len({(line["study"], line["trial"]) for line in trials}) == len(trials)
    assert all(seconds <= 15.5 for seconds in charged(lines).values())
    assert any(line["outcome"] == "lost" for line in closed)
    for lost in (line for line in closed if line["outcome"] == "lost"):
        spends = [
            line["charged_s"] for line in lines if line["event"] == "spend" and line["entry"] == lost["entry"]
        ]
        assert lost["charged_s"] == (spends[-1] if spends else 0.0)
    assert board(RunDirectory.existing(run)).tables[0].rows[0]["status"] == "ok"
