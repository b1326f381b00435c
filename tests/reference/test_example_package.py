"""The example package: built, installed elsewhere, found by its entry point, checked and run."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "examples" / "adapter-package"
SUITE = """\
name: outside
datasets: [{name: planted, synthetic: {users: 60, items: 40, interactions: 900, seed: 3}}]
metrics: {primary: ndcg@5}
budget: {per_model: 3s, max_trials: 3, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1}
models: [baselines/random, also-liked/count]
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run Python in an empty folder, with the example installed and nothing of this repository beside it."""
    away = tmp_path_factory.mktemp("away")
    wheels, site = away / "wheels", away / "site"
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--outdir",
        str(wheels),
        str(EXAMPLE),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    environment = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"}

    def call(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", *words],
            capture_output=True,
            text=True,
            env=environment,
            cwd=away,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_example_package_is_found_by_its_entry_point(python: Callable[..., str]) -> None:
    shown = python("-m", "benchmark.cli", "models", "--detail", "also-liked/count")
    assert "Counts of common likes" in shown
    assert "damping" in shown


def test_example_package_passes_the_contract(python: Callable[..., str]) -> None:
    tests = EXAMPLE / "tests"
    shown = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests))
    assert int(shown.split(" passed")[0].split()[-1]) >= 15
    assert "failed" not in shown


def test_example_package_is_tuned_and_ranked_beside_ours(python: Callable[..., str], tmp_path: Path) -> None:
    suite = tmp_path / "outside.yaml"
    suite.write_text(SUITE)
    python("-m", "benchmark.cli", "run", str(suite), "--out", str(tmp_path / "run"), "--quiet")
    with (tmp_path / "run" / "leaderboard.csv").open(encoding="utf-8") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert rows["also-liked/count"]["rank"] == "1"
    assert rows["also-liked/count"]["trials"] == "3"
