"""A pick from several runs on one split: one family, names with their run, no latencies of two machines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Bench

from benchmark import runner
from benchmark.api import pick
from benchmark.api.adapters import registry
from benchmark.errors import PickError, RunError
from benchmark.leaderboard import board
from benchmark.reporting import write_all
from benchmark.results import RunDirectory
from benchmark.suite import Suite

Make = Callable[..., Suite]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of one suite name on one split: a model alone, and it with another."""
    from conftest import SUITE

    from benchmark.suite import parse_suite

    folder, made = tmp_path_factory.mktemp("several"), []
    for name, models in (
        ("one", ["baselines/popularity"]),
        ("two", ["baselines/popularity", "baselines/random"]),
    ):
        suite = parse_suite(SUITE, "small.yaml", registry(), {"models": models})
        run_dir = runner.run(suite, registry(), runner.RunOptions(out=folder / name))
        write_all(board(run_dir), run_dir.path)
        made.append(run_dir.path)
    return made


def on_processor(path: Path, processor: str) -> Path:
    """Say that a run was made on another processor."""
    content = json.loads((path / "manifest.json").read_text())
    content["hardware"]["processor"] = processor
    (path / "manifest.json").write_text(json.dumps(content))
    return path


def test_models_of_both_runs_are_compared_and_the_record_is_where_out_says(
    runs: list[Path], tmp_path: Path
) -> None:
    picked = pick(*runs, out=tmp_path / "record")
    models = {one.model for one in picked.decision.assessments}
    assert models == {"baselines/popularity@one", "baselines/popularity@two", "baselines/random"}
    assert picked.record == tmp_path / "record" / "pick.md"
    text = picked.record.read_text()
    assert "Models of several runs are compared" in text
    assert not (runs[0] / "pick.md").exists()
    with pytest.raises(RunError, match="has a record already"):
        pick(*runs, out=tmp_path / "record")


def test_record_of_several_runs_needs_a_folder(runs: list[Path]) -> None:
    with pytest.raises(RunError, match="needs a folder for its record: --out DIR"):
        pick(*runs)


def test_winner_is_exported_from_its_own_run(runs: list[Path], tmp_path: Path) -> None:
    picked = pick(*runs, rule="not-significantly-worse", export=tmp_path / "bundle")
    assert picked.bundle == tmp_path / "bundle"
    assert picked.record == tmp_path / "bundle" / "pick.md"


def test_latencies_of_two_processors_choose_nothing(runs: list[Path], tmp_path: Path) -> None:
    copies = [shutil.copytree(path, tmp_path / path.name) for path in runs]
    on_processor(copies[1], "another")
    with pytest.raises(PickError, match=r"made on different processors .*another"):
        pick(*copies, max_latency_ms=5.0, out=tmp_path / "record")
    picked = pick(*copies, out=tmp_path / "record")
    content = json.loads((tmp_path / "record" / "pick.json").read_text())
    assert content["order"] == ["size_mb"]
    assert any("size alone decides" in warning for warning in picked.decision.warnings)
    reasons = " ".join(one.reason for one in picked.decision.assessments)
    assert "latency" not in reasons


def test_pick_of_two_runs_from_the_command_line(bench: Bench, runs: list[Path], tmp_path: Path) -> None:
    code, shown, _ = bench("pick", *runs, "--out", tmp_path / "record")
    assert code == 0
    assert f"Record: {tmp_path / 'record' / 'pick.md'}" in shown
    assert RunDirectory(runs[0]).manifest().state == "finished"
