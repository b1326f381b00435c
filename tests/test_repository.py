"""What holds for the whole repository: names, pages that are tested, nothing that must not be here."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from repository import ROOT

import adapters
import benchmark
from benchmark.cli import VERBS
from benchmark.registry import EXTRAS, OPTIONAL
from benchmark.testing import AdapterContract


def test_both_packages_are_ours_and_not_those_of_the_registry() -> None:
    """`benchmark` and `adapters` are names on the package index too."""
    assert Path(benchmark.__file__ or "").parent == ROOT / "benchmark"
    assert Path(adapters.__file__ or "").parent == ROOT / "adapters"


def test_importing_both_packages_imports_no_framework() -> None:
    code = "import sys, benchmark, adapters; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pandas", "optuna", "torch", "tensorflow", "keras", "surprise", "lightfm"}
    assert not heavy & set(done.stdout.split())


def test_adapter_shown_in_contributing_passes_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "shown_in_contributing.py").write_text(blocks[0])
    monkeypatch.syspath_prepend(tmp_path)
    shown = import_module("shown_in_contributing")
    checks = type("Checks", (AdapterContract,), {"adapter": shown.MeanRating, "learns": False})()
    tests = [name for name in dir(checks) if name.startswith("test_")]
    assert len(tests) >= 8
    for name in tests:
        getattr(checks, name)()


def test_readme_names_no_verb_that_does_not_exist() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )?bench ([a-z]+)", page, flags=re.MULTILINE))
    assert named
    assert named <= set(VERBS)


def test_every_python_verb_has_a_command_of_the_same_name() -> None:
    assert set(benchmark.__all__) - {"audit"} <= set(VERBS) | {"load"}


def test_torch_is_pinned_for_the_two_commands_and_ranged_for_users() -> None:
    constraints = (ROOT / "constraints.txt").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "\ntorch==2.13.0\n" in constraints
    assert not any("==" in need for needs in project["optional-dependencies"].values() for need in needs)
    assert project["name"] == "recsys-bench"


def test_hints_name_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) >= EXTRAS
    assert extras["all"] == [f"recsys-bench[{','.join(n for n in extras if n in EXTRAS - OPTIONAL)}]"]


def test_no_row_of_data_is_tracked() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    data = re.compile(r"(u\.data|ratings\.(csv|dat)|\.base$|\.npz$|\.parquet$|user_artists)")
    assert [path for path in listed.stdout.split() if data.search(path)] == []
