"""Models that run in an environment of their own: whole runs, beside our own models."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import api, runner
from benchmark.environments import Environment, Environments
from benchmark.environments.environment import Marker
from benchmark.environments.inside import NEEDED
from benchmark.errors import BundleError, MissingLibrary
from benchmark.executors.processes import start_ticks
from benchmark.leaderboard import board
from benchmark.leaderboard.rows import BoardRow
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.context import policy_for
from benchmark.suite import Suite, parse_suite

SUITE = """
name: both
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
prepare: {positive: ">= 3"}
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 10m, max_trials: 2, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1, train_on: train}
models: [fake/fixed, tiny/counts]
"""
ADAPTERS = {"fake/fixed": "fakes:Fixed"} | {
    f"tiny/{name.lower()}": f"tiny_adapters:{name}"
    for name in ("Counts", "Stateless", "Opaque", "Looking", "Rude")
}


LINKED = {"adapters", "benchmark", "tiny_adapters.py"}


def registry(environment: Environment) -> Registry:
    """Return a fake of ours and the tiny framework's models."""
    return Registry(ADAPTERS, environments=Environments({"tiny": environment.lock.path}))


@pytest.fixture
def models(tiny_environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("XDG_DATA_HOME", str(tiny_environment.folder.parents[2]))
    return registry(tiny_environment)


def both(own: Registry, **changes: object) -> Suite:
    return parse_suite(SUITE, "both.yaml", own, changes)


def rows_of(run_dir: RunDirectory) -> Mapping[str, BoardRow]:
    return {row.model: row for row in board(run_dir).tables[0].rows}


def test_model_in_its_environment_is_tuned_and_ranked_beside_ours_and_the_board_says_where(
    models: Registry, tiny_environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    found = runner.run(
        both(models, models=["fake/fixed", "tiny/counts", "tiny/looking"]),
        models,
        RunOptions(out=tmp_path / "run"),
    )
    assert {name: row.status for name, row in rows_of(found).items()} == {
        "fake/fixed": "ok",
        "tiny/counts": "ok",
        "tiny/looking": "ok",
    }
    notes = [note.text for note in board(found).tables[0].notes]
    (where,) = [note for note in notes if note.startswith("In the environment tiny")]
    assert where.endswith(f"{tiny_environment.hash[:12]}): tiny/counts, tiny/looking.")
    log = (found / "log.txt").read_text("utf-8")
    (runs, *_) = [line for line in log.splitlines() if " runs " in line]
    program, _, tops = runs.partition(" runs ")[2].partition(" with ")
    assert program == str(tiny_environment.python)
    assert set(tops.split()) & {"pandas", "pyarrow", "rich", "pydantic", "optuna", "matplotlib"} == set()
    (looks, *_) = [line for line in log.splitlines() if " looks in " in line]
    links, *paths = looks.partition(" looks in ")[2].split()
    assert {path.name for path in Path(links).iterdir()} - {"__pycache__"} == LINKED
    site = [path for path in paths if "site-packages" in path]
    assert site == [str(tiny_environment.packages_folder)]
    told = next(line for line in log.splitlines() if " is told " in line)
    assert str(tmp_path) not in told.partition(" is told ")[2]
    assert f"{sys.prefix}/bin" not in told


def test_key_of_a_result_knows_the_environment_and_only_that_of_a_model_which_has_one(
    models: Registry, tiny_environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keys() -> dict[str, str]:
        policy = policy_for(suite)
        return {
            study.model: study.keys(suite, policy, data={}, device="cpu", engine={}).result
            for study in runner.plan(suite, models, "planted")
        }

    suite = both(models)
    before = keys()
    other = replace(tiny_environment, lock=replace(tiny_environment.lock, sha256="0" * 64))
    monkeypatch.setattr(Environments, "__getitem__", lambda *_: other)
    after = keys()
    assert after["fake/fixed"] == before["fake/fixed"]
    assert after["tiny/counts"] != before["tiny/counts"]


def test_environment_that_is_not_ready_is_named_with_the_command_before_anything_is_spent(
    tiny_environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    missing = registry(tiny_environment)
    with pytest.raises(
        MissingLibrary,
        match=r"tiny/counts needs the environment tiny: it is not there; make it: bench env create tiny\n"
        r"(.*\n)*  Or skip them: --skip-missing",
    ):
        runner.run(both(missing), missing, RunOptions(out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    folder = tmp_path / "data" / "recsys-bench" / "environments" / "tiny"
    folder.mkdir(parents=True)
    half = replace(tiny_environment, folder=folder)
    half.mark(Marker(name="tiny", state="making", lock_sha256=half.lock.sha256, python="3.11.7"))
    broken = registry(tiny_environment)
    (excluded,) = [study.excluded for study in runner.plan(both(broken), broken, "planted") if study.excluded]
    assert "its making was interrupted; make it again: bench env create tiny" in excluded.reason
    assert excluded.status == "skipped"


def test_library_that_the_environment_does_not_hold_is_named(
    models: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiny_adapters.Counts.requires", ("tinyframework", "notthere.deep"))
    assert "needs notthere.deep in the environment tiny, which" in models["tiny/counts"].lack


def test_environment_that_nobody_publishes_is_named(tmp_path: Path) -> None:
    alone = Registry(ADAPTERS)
    assert "needs the environment tiny: there is no environment 'tiny'" in alone["tiny/counts"].lack
    assert alone["tiny/counts"].cure == ""  # making it would not help


def test_rude_framework_has_a_row_with_the_reason_and_the_others_go_on(
    models: Registry, tmp_path: Path
) -> None:
    kinds = ("crash", "import", "print", "threads", "children", "write")
    rude = [{"use": "tiny/rude", "name": how, "set": {"how": how}} for how in kinds]
    found = runner.run(
        both(models, models=[*rude, "tiny/counts"]), models, RunOptions(out=tmp_path / "run", jobs=1)
    )
    rows = rows_of(found)
    assert (rows["crash"].status, rows["import"].status) == ("failed", "failed")
    assert "exit code -6" in str(rows["crash"].reason)
    assert "No module named 'pandas'" in str(rows["import"].reason)
    ended_well = {"print", "threads", "children", "write", "tiny/counts"}
    assert {name for name, row in rows.items() if row.status == "ok"} == ended_well
    log = (found / "log.txt").read_text("utf-8")
    assert len(log) < 3_000_000
    assert "the rest is left out" in log
    started = [int(line.split()[-1]) for line in log.splitlines() if " started " in line]
    assert started
    assert [start_ticks(pid) for pid in started] == [None] * len(started)
    wrote = [Path(line.split()[-1]) for line in log.splitlines() if " wrote " in line]
    assert wrote
    assert not any(path.exists() for path in wrote)


def test_what_is_needed_in_an_environment_is_all_that_our_code_imports_there(
    tiny_environment: Environment,
) -> None:
    assert set(NEEDED) <= set(tiny_environment.installed())
    assert not {"pandas", "pydantic", "rich"} & set(tiny_environment.installed())


def exported(models: Registry, run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, model: str) -> Path:
    """Pick and export the only model of a run."""
    runner.run(both(models, models=[model], finals={"seeds": 1}), models, RunOptions(out=run))
    for module in ("running", "bundles"):
        monkeypatch.setattr(f"benchmark.api.{module}.registry", lambda: models)
    found = api.pick(run, export=folder).bundle
    assert found is not None
    return found


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny/counts", "tiny/stateless"])
def test_bundle_of_a_model_whose_scores_are_products_is_served_where_its_environment_is_not(
    models: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    bundle = exported(models, tmp_path / "run", tmp_path / "bundle", monkeypatch, model)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nothing"))
    assert all(check.ok for check in api.verify(bundle) if check.name != "latency")
    (shown,) = api.recommend(bundle, api.load(bundle).user_ids[:1], k=3)
    assert (shown.source, len(shown.items)) == ("model", 3)
    assert "Trained in the environment tiny (Python 3." in (bundle / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_bundle_of_a_model_that_only_its_framework_can_score_is_refused_with_the_reason(
    models: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BundleError, match="needs tinyframework, which only the environment tiny has"):
        exported(models, tmp_path / "run", tmp_path / "bundle", monkeypatch, "tiny/opaque")
    assert not (tmp_path / "bundle").exists()
