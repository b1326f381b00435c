"""The example packages: built, installed elsewhere, found by their entry points, checked and run.

The one with an environment of its own is installed with a lock file of wheels that lie here, since no
network is at hand: those of its framework, and of what bench needs there, borrowed from our own Python.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import lock_file, offline
from wheels import borrowed, lock_line, wheel

from adapters import ADAPTERS
from benchmark import runner
from benchmark.environments import Environments, LockFile, environment
from benchmark.environments.inside import NEEDED
from benchmark.environments.making import make
from benchmark.leaderboard import board
from benchmark.registry import Registry
from benchmark.suite import parse_suite

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE, WITH_ENVIRONMENT = EXAMPLES / "adapter-package", EXAMPLES / "environment-package"
FRAMEWORK = WITH_ENVIRONMENT / "framework" / "tinyframework.py"
SUITE = """\
name: outside
datasets: [{name: planted, synthetic: {users: 60, items: 40, interactions: 900, seed: 3}}]
metrics: {primary: ndcg@5}
budget: {per_model: MINUTES, max_trials: 3, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1}
models: [baselines/random, MODEL]
"""
Call = Callable[..., str]


def installed(example: Path, away: Path, **variables: str) -> Call:
    """Install an example in an empty folder; return what runs Python there."""
    wheels, site = away / "wheels", away / "site"
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(away / "built"), str(example)]
    subprocess.run(build, check=True, capture_output=True)
    (made,) = (away / "built").glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(made)]
    subprocess.run(install, check=True, capture_output=True)
    paths = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": paths, "COLUMNS": "200", **variables}
    environment |= {"PIP_FIND_LINKS": str(wheels), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}

    def call(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-P", *words],
            capture_output=True,
            text=True,
            env=environment,
            cwd=away,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return installed(EXAMPLE, tmp_path_factory.mktemp("away"))


@pytest.fixture(scope="module")
def tiny_python(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """The example with an environment, with a lock file of wheels that are here; it is not made yet."""
    away = tmp_path_factory.mktemp("tiny-away")
    example = Path(shutil.copytree(WITH_ENVIRONMENT, away / "example"))
    framework = wheel(away / "wheels", "tinyframework", "1.0", code=FRAMEWORK.read_text("utf-8"))
    wheels = [framework, *borrowed(away / "wheels", NEEDED)]
    (example / "src" / "bench_tiny" / "tiny.txt").write_text("".join(map(lock_line, wheels)))
    return installed(example, away, XDG_DATA_HOME=str(away / "data"))


def ranked(python: Call, folder: Path, model: str, budget: str = "3s") -> dict[str, dict[str, str]]:
    """Run a suite with a model of an example; return the rows of its board."""
    suite = folder / "outside.yaml"
    suite.write_text(SUITE.replace("MODEL", model).replace("MINUTES", budget))
    python("-m", "benchmark.cli", "run", str(suite), "--out", str(folder / "run"), "--quiet")
    with (folder / "run" / "leaderboard.csv").open(encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def passes_its_contract(python: Call, example: Path) -> None:
    tests = example / "tests"
    shown = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests))
    assert int(shown.split(" passed")[0].split()[-1]) >= 15
    assert "failed" not in shown


def test_example_package_is_found_by_its_entry_point(python: Call) -> None:
    shown = python("-m", "benchmark.cli", "models", "--detail", "also-liked/count")
    assert "Counts of common likes" in shown
    assert "damping" in shown


def test_example_package_passes_the_contract(python: Call) -> None:
    passes_its_contract(python, EXAMPLE)


def test_example_package_is_tuned_and_ranked_beside_ours(python: Call, tmp_path: Path) -> None:
    rows = ranked(python, tmp_path, "also-liked/count")
    assert rows["also-liked/count"]["rank"] == "1"
    assert rows["also-liked/count"]["trials"] == "3"


def test_example_with_an_environment_says_what_to_create_then_is_checked_and_ranked(
    tiny_python: Call, tmp_path: Path
) -> None:
    assert "bench env create tiny" in tiny_python(
        "-m", "benchmark.cli", "models", "--detail", "tiny/counting"
    )
    suite = tmp_path / "before.yaml"
    suite.write_text(SUITE.replace("MODEL", "tiny/counting").replace("MINUTES", "3s"))
    refused = tiny_python("-m", "benchmark.cli", "run", str(suite), "--out", str(tmp_path / "no"), code=2)
    assert (
        "tiny/counting needs the environment tiny: it is not there; make it: bench env create tiny" in refused
    )
    assert not (tmp_path / "no").exists()
    tiny_python("-m", "benchmark.cli", "env", "create", "tiny")
    assert "yes (environment tiny)" in tiny_python("-m", "benchmark.cli", "models")
    passes_its_contract(tiny_python, WITH_ENVIRONMENT)
    rows = ranked(tiny_python, tmp_path, "tiny/counting", budget="10m")
    assert (rows["tiny/counting"]["rank"], rows["tiny/counting"]["trials"]) == ("1", "3")


def test_lock_file_of_the_example_has_the_hash_of_its_framework(tmp_path: Path) -> None:
    lock = LockFile.read(WITH_ENVIRONMENT / "src" / "bench_tiny" / "tiny.txt")
    assert {*NEEDED, "tinyframework"} == set(lock.wanted("3.11.4"))
    made = wheel(tmp_path, "tinyframework", "1.0", code=FRAMEWORK.read_text("utf-8"))
    assert lock_line(made) in lock.path.read_text("utf-8")


@pytest.mark.network
def test_environment_with_numpy_1_26_from_an_index_fits_and_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = ("numpy==1.26.4", "scipy==1.14.1", "numba==0.61.2", "llvmlite==0.44.0", "safetensors==0.5.3")
    wheels = tmp_path / "wheels"
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d"]
    subprocess.run([*download, str(wheels), *older], check=True)
    wheel(wheels, "tinyframework", "1.0", code=FRAMEWORK.read_text("utf-8"))
    offline(monkeypatch, tmp_path)
    own = environment("tiny", LockFile.read(lock_file(tmp_path, *wheels.iterdir())))
    make(own, lambda _: None)
    assert own.installed()["numpy"] == "1.26.4"
    monkeypatch.syspath_prepend(str(WITH_ENVIRONMENT / "src"))
    targets = {
        "tiny/counting": "bench_tiny.counting:Counting",
        "baselines/random": ADAPTERS["baselines/random"],
    }
    models = Registry(targets, environments=Environments({"tiny": own.lock.path}))
    suite = parse_suite(SUITE.replace("MODEL", "tiny/counting").replace("MINUTES", "10m"), "s.yaml", models)
    found = runner.run(suite, models, runner.RunOptions(out=tmp_path / "run"))
    assert board(found).tables[0].rows[0].model == "tiny/counting"
