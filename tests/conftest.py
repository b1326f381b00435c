"""What many tests need: the fake adapters' registry, a small suite, the real data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import SMALL, Bench
from repository import real_data
from tiny import made

from benchmark.cli import main
from benchmark.environments import Environment, Environments
from benchmark.registry import Registry
from benchmark.suite import Suite, parse_suite

FAKES = (
    "Steady",
    "Fixed",
    "Rating",
    "Dear",
    "Streaming",
    "Endless",
    "Vast",
    "Roomy",
    "Oversized",
    "Sliced",
    "Stuck",
    "Crashing",
    "Diverging",
    "Misshapen",
    "Hungry",
    "Killed",
    "Spy",
    "Prying",
)

SUITE = """
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
prepare: {positive: ">= 3"}
metrics: {primary: ndcg@5, also: [recall@5, coverage@5]}
budget: {per_model: 10m, max_trials: 6, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 2}
models: [fake/fixed, fake/steady]
"""


@pytest.fixture(scope="session")
def fakes() -> Registry:
    """The fake adapters by name: fake/steady and so on."""
    return Registry({f"fake/{name.lower()}": f"fakes:{name}" for name in FAKES})


@pytest.fixture(scope="session")
def tiny_environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment of its own with a tiny framework, made once for all tests; none may change it."""
    return made(tmp_path_factory.mktemp("tiny"))[0]


@pytest.fixture
def fakes_inside(tiny_environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The fake adapters, each run in the environment."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tiny_environment.folder.parents[2]))
    for name in FAKES:
        monkeypatch.setattr(f"fakes.{name}.environment", "tiny", raising=False)
    targets = {f"fake/{name.lower()}": f"fakes:{name}" for name in FAKES}
    return Registry(targets, environments=Environments({"tiny": tiny_environment.lock.path}))


@pytest.fixture
def suite(fakes: Registry) -> Callable[..., Suite]:
    """Make the small suite, with changes: ``suite(models=[...], budget={...})``."""
    return lambda **changes: parse_suite(SUITE, "small.yaml", fakes, changes)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets: $BENCH_DATA, or shared/data beside the repository."""
    folder = real_data()
    if not folder.is_dir():
        pytest.skip("no real data here: set BENCH_DATA to a folder with ml-100k and ml-100k-p1")
    return folder


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Call the command line in this process; return exit code, output and complaint."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A suite that runs in a second or two."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path
