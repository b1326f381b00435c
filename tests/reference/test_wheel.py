"""What an installed wheel can do, away from the repository."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.alone]  # Keras needs its seconds to trace a graph
ROOT = Path(__file__).parents[2]


def test_wheel_installed_elsewhere_runs_the_quickstart(tmp_path: Path) -> None:
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(wheels), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    away = {key: value for key, value in os.environ.items() if key != "BENCH_DATA"}
    away["PYTHONPATH"] = str(site)

    def python(*words: str) -> str:
        command = [sys.executable, "-P", *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=away, cwd=tmp_path)
        return done.stdout

    where = python("-c", "import benchmark, adapters; print(benchmark.__file__, adapters.__file__)")
    assert where.count(str(site)) == 2
    assert all((site / name / "py.typed").is_file() for name in ("benchmark", "adapters"))
    python("-m", "benchmark.cli", "run", "quickstart", "--out", "run")
    with (tmp_path / "run" / "leaderboard.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["library"] for row in rows} == {
        "baselines",
        "surprise",
        "lightfm",
        "keras",
        "torch",
        "native",
    }
