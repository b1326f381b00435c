"""The contract of an adapter with an environment: run there, since its framework is not here.

All tests run in one process of the environment's interpreter, on the planted log that this side writes; each
test then passes or fails here as it did there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from benchmark.datasets.store.parts import load_parts, write_features, write_part
from benchmark.registry import load
from benchmark.testing import planted

if TYPE_CHECKING:
    from benchmark.environments.inside import InsidePython
    from benchmark.testing.contract import AdapterContract

ANSWER_S = 1800.0
"""Seconds that all tests of one contract may take there."""
SETTINGS = ("config", "steps", "learns", "from_history")
"""Attributes of a contract that its tests read, besides the adapter."""
PASSED, SKIPPED = "passed", "skipped: "


def run_where_it_belongs(test: Callable[..., None]) -> Callable[[AdapterContract], None]:
    """Return a test of a contract that runs here, or passes or fails as in the environment of the adapter."""

    def inherited(contract: AdapterContract) -> None:
        if not getattr(contract.adapter, "environment", ""):
            return test(contract)
        from benchmark.environments import Environments  # not at import: the environment itself imports this
        from benchmark.registry import Adapter

        adapter = contract.adapter
        where = Environments(contract.lock_files, entry_points=True)
        own = Adapter(adapter.__qualname__, f"{adapter.__module__}:{adapter.__qualname__}", where)
        assert not own.lack, f"{own.name} {own.lack}"
        assert own.inside is not None
        return outcome(contract, own.inside, test.__name__)

    inherited.__doc__ = test.__doc__
    return inherited


def outcome(contract: AdapterContract, there: InsidePython, name: str) -> None:
    """Pass or fail as a test of a contract did in the environment.

    Raises:
        AssertionError: it failed there; with its traceback.
        SkipTest: it was skipped there.
    """
    adapter = contract.adapter
    settings = json.dumps({setting: getattr(contract, setting) for setting in SETTINGS}, default=dict)
    found = outcomes(there, f"{adapter.__module__}:{adapter.__qualname__}", settings)
    said = found if isinstance(found, str) else found[name]
    if said.startswith(SKIPPED):
        raise SkipTest(said.removeprefix(SKIPPED))
    assert said == PASSED, f"in the environment of {there.python.parents[1].name}:\n{said}"


@cache
def outcomes(there: InsidePython, target: str, settings: str) -> Mapping[str, str] | str:
    """Return what became of each test of a contract in the environment, by its name.

    Or how the process failed as a whole: an exception would not be cached, and each test would start it anew.
    """
    with tempfile.TemporaryDirectory(prefix="bench-contract-") as folder:
        write_planted(Path(folder))
        answer = Path(folder) / "answer.json"
        command = there.command(
            "from benchmark.testing.in_environment import main; main(*sys.argv[1:])",
            target,
            settings,
            folder,
            answer,
        )
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=ANSWER_S,
                env=there.variables(os.environ),
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            return f"{command[0]} had not ended after {ANSWER_S:.0f} s"
        if not answer.is_file():
            return f"{command[0]} left: {done.stderr.decode('utf-8', 'replace')[-2000:]}"
        found: dict[str, str] = json.loads(answer.read_text("utf-8"))
    return found


def write_planted(folder: Path) -> None:
    """Write the planted log to a folder, train as "train" and the rest as "test"."""
    parts = dict(zip(("train", "test"), planted.planted_parts(), strict=True))
    for name, rows in parts.items():
        write_part([rows], None, folder / name, liked=False)
    write_features(parts["train"], folder)


def main(target: str, settings: str, folder: str, answer: str) -> None:
    """Run every test of a contract, in the environment, and write down what became of each."""
    from benchmark.testing.contract import AdapterContract

    planted.given = load_parts(Path(folder), "train"), load_parts(Path(folder), "test")
    own = load(target)
    own.environment = ""  # it runs here now
    contract: Any = type("Inside", (AdapterContract,), {"adapter": own, **json.loads(settings)})()
    found = {}
    for name in tests_of(AdapterContract):
        try:
            getattr(contract, name)()
            found[name] = PASSED
        except SkipTest as reason:
            found[name] = f"{SKIPPED}{reason}"
        except Exception:  # noqa: BLE001 - whatever a model raises fails its test
            found[name] = traceback.format_exc()
    Path(answer).write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # a framework's own threads do not keep it


def tests_of(contract: type) -> list[str]:
    """Return the names of a contract's tests."""
    return [name for name in dir(contract) if name.startswith("test_")]
