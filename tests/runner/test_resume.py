"""Which directory a run goes on in, and what a stopped or killed one leaves and never does twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from repository import TESTS

from benchmark import runner
from benchmark.budget import spent_s
from benchmark.errors import Interrupted, RunError
from benchmark.ledger import Ledger
from benchmark.records import (
    Closed,
    Exclusion,
    FinalRecord,
    LedgerRecord,
    Opened,
    Spent,
    StudyClosed,
    TrialRecord,
)
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.resume import better_now, locate_run, new_run
from benchmark.suite import Suite

Make = Callable[..., Suite]


def test_finished_run_is_shown_and_not_run_again(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    run_dir = runner.run(suite(), fakes, RunOptions(out=tmp_path / "run"))
    before = (run_dir / "ledger.jsonl").read_bytes()
    runner.run(suite(), fakes, RunOptions(out=tmp_path / "run"))
    assert (run_dir / "ledger.jsonl").read_bytes() == before


def test_same_suite_goes_on_in_its_newest_run_unless_fresh(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    only = suite(models=["fake/fixed"])
    first = runner.run(only, fakes, RunOptions(results=tmp_path))
    assert runner.run(only, fakes, RunOptions(results=tmp_path)).path == first.path
    other = runner.run(only, fakes, RunOptions(results=tmp_path, fresh=True))
    assert other.path != first.path
    assert (tmp_path / "small" / "latest").resolve() == other.path.resolve()


def of_format_1(path: Path) -> Path:
    """Write what an earlier version of bench left of a run."""
    path.mkdir(parents=True)
    manifest = {"format": 1, "suite": "small", "started": "2026-11-01T10:00:00+01:00", "state": "running"}
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "ledger.jsonl").write_text('{"event": "open", "entry": "a"}\n')
    return path


def test_run_of_an_older_format_is_refused_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"old: has format 1, this version of bench reads format 3\. Run the"):
        RunDirectory.existing(of_format_1(tmp_path / "old"))


def test_run_of_an_older_format_named_by_the_user_is_refused_and_left_as_it_was(
    suite: Make, tmp_path: Path
) -> None:
    old = of_format_1(tmp_path / "old")
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    for fresh in (False, True):
        with pytest.raises(RunError, match="has format 1"):
            locate_run(suite(), tmp_path, old, fresh=fresh)
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before


def test_run_of_an_older_format_among_the_results_is_passed_over(suite: Make, tmp_path: Path) -> None:
    of_format_1(tmp_path / "small" / "20261101-100000")
    first = locate_run(suite(), tmp_path, None, fresh=False)
    assert first.source is None
    assert first.path != tmp_path / "small" / "20261101-100000"
    new_run(suite(), first.path)
    assert locate_run(suite(), tmp_path, None, fresh=False).path == first.path


def test_run_that_could_be_made_better_is_not_resumed(suite: Make, tmp_path: Path) -> None:
    first = new_run(suite(), locate_run(suite(), tmp_path, None, fresh=False).path)
    again = locate_run(suite(), tmp_path, None, fresh=False, outdated=lambda run: run.path == first.path)
    assert again.path != first.path


def test_run_without_its_data_or_its_library_is_outdated_once_they_are_here(
    suite: Make, fakes: Registry, data_dir: Path, tmp_path: Path
) -> None:
    run_dir = runner.run(suite(models=["fake/fixed"]), fakes, RunOptions(out=tmp_path / "run"))
    manifest = run_dir.manifest()
    (split,), (study,) = manifest.datasets.values(), manifest.studies
    replaced = replace(manifest, datasets={"movielens-100k (synthetic stand-in)": split})
    assert better_now(replaced, fakes, data_dir)
    assert not better_now(replace(manifest, datasets={"movielens-100k": split}), fakes, data_dir)
    skipped = replace(study, excluded=Exclusion("skipped", "needs it"))
    assert better_now(replace(manifest, studies=(skipped,)), fakes, None)
    not_applicable = replace(study, excluded=Exclusion("n/a", "predicts no ratings"))
    assert not better_now(replace(manifest, studies=(not_applicable,)), fakes, None)


class Interrupting(runner.Silent):
    """Presses Ctrl-C when the third trial starts, and lets it start once that was heard."""

    def trial(self, study: str, number: int) -> None:
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
            while signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # more of them change nothing
                time.sleep(0.01)


def test_stop_saves_what_is_done_and_the_same_call_resumes(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    own, options = suite(models=["fake/steady"]), RunOptions(out=tmp_path / "run")
    with pytest.raises(Interrupted, match=r"stopped: [23] trials and 0 finals .*\n .*to resume"):
        runner.run(own, fakes, options, Interrupting())
    stopped = RunDirectory.existing(tmp_path / "run")
    assert stopped.manifest().state == "stopped"
    before = [one for one in stopped.records() if isinstance(one, Closed)]
    assert not [one for one in stopped.records() if isinstance(one, StudyClosed)]
    run_dir = runner.run(own, fakes, options)
    after = [one for one in run_dir.records() if isinstance(one, Closed)]
    assert after[: len(before)] == before
    tuned = [one for one in after if isinstance(one, TrialRecord) and one.outcome != "lost"]
    configs = [dict(trial.config) for trial in tuned]
    assert len(tuned) == 6
    assert all(configs.count(config) == 1 for config in configs), "none was fitted twice"
    assert run_dir.manifest().state == "finished"


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
    return (
        sum(path.read_bytes().count(f'"event": "{kind}-opened"'.encode()) for kind in ("trial", "final"))
        if path.exists()
        else 0
    )


def processes_of(supervisor: int) -> list[int]:
    """Return live processes of a supervisor; forked trials keep the command line of their fork server."""
    alive = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            state = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            continue
        is_server = any("benchmark.executors.fork_server" in word for word in words)
        if is_server and str(supervisor) in words and state != "Z":
            alive.append(int(folder.name))
    return alive


def records(run: Path) -> list[LedgerRecord]:
    """Return the records of a run that may not have begun to write them."""
    path = run / "ledger.jsonl"
    return Ledger.read(path) if path.exists() else []


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("where", ["here", "in an environment"])
def test_run_killed_ten_times_goes_on_each_time_and_fits_nothing_twice(
    tmp_path: Path, where: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_files: list[str] = []
    if where != "here":
        own = request.getfixturevalue("tiny_environment")
        monkeypatch.setenv("XDG_DATA_HOME", str(own.folder.parents[2]))
        lock_files = [str(own.lock.path)]
    chance = random.Random(20_200_101)
    run = tmp_path / "killed-run"
    (tmp_path / "killing.yaml").write_text(KILL_SUITE)
    program = [sys.executable, str(TESTS / "run_fakes.py"), str(tmp_path / "killing.yaml"), str(run)]
    program += lock_files
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
    before = [one for one in records(run) if isinstance(one, Closed)]
    finished = subprocess.run(program, capture_output=True, check=True, text=True)
    assert finished.returncode == 0
    lines = records(run)
    closed = [one for one in lines if isinstance(one, Closed)]
    assert closed[: len(before)] == before
    assert {one.entry for one in lines if isinstance(one, Opened)} == {one.entry for one in closed}
    finals = [
        (one.study, one.config_source, one.train_on, one.seed)
        for one in closed
        if isinstance(one, FinalRecord) and one.outcome != "lost"
    ]
    assert len(finals) == len(set(finals)) == 2 + 6 + 1, "and one of the default configuration"
    trials = [one for one in closed if isinstance(one, TrialRecord)]
    assert len({(one.study, one.trial) for one in trials}) == len(trials)
    for study in {one.study for one in trials}:
        assert spent_s(one for one in trials if one.study == study) <= 15.5
    lost = [one for one in closed if one.outcome == "lost"]
    assert lost
    for one in lost:
        spends = [spend.charged_s for spend in lines if isinstance(spend, Spent) and spend.entry == one.entry]
        assert one.charged_s == (spends[-1] if spends else 0.0)
    ended = [one for one in lines if isinstance(one, StudyClosed)]
    assert [one.status for one in ended] == ["ok", "ok"]
