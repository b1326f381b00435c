"""What holds for the whole repository: how it is written, what its pages show, what must not be in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from house import House, Module
from repository import ROOT

import adapters
import benchmark
from benchmark import api
from benchmark.cli import COMMANDS
from benchmark.registry import EXTRAS, OPTIONAL

LITERAL_LOOKUPS_PER_1000_LINES = 12
UNTYPED_MAPPINGS = 25
PRIVATE_CALLED_ONCE = 0.09
LINES_OF_A_FILE = 400
PLANTED = """
class Twice: ...
class Twice: ...
def _half(): x["a"]; x.get("b"); y: dict[str, Any]
def whole(): return _half()
raise ValueError("it cannot be had")
"""


@cache
def house() -> House:
    """The code as it stands."""
    return House.at(ROOT)


def test_what_flows_has_a_type_and_is_seldom_looked_up_by_a_literal_string() -> None:
    found = house().literal_lookups
    assert 1000 * found.total() / house().lines <= LITERAL_LOOKUPS_PER_1000_LINES, found.most_common(20)


def test_mappings_of_anything_are_few() -> None:
    found = house().untyped_mappings
    assert found.total() <= UNTYPED_MAPPINGS, found.most_common(20)


def test_functions_are_cut_at_joints_so_few_private_ones_have_one_caller() -> None:
    halves, functions = house().private_called_once, house().functions
    assert len(halves) <= PRIVATE_CALLED_ONCE * len(functions), sorted(halves)


def test_no_class_name_is_defined_twice() -> None:
    assert house().classes_defined_twice == []


def test_no_module_name_is_used_twice_in_the_engine() -> None:
    assert house().stems_used_twice == []


def test_no_file_holds_two_matters() -> None:
    assert [f"{one.path}: {one.lines}" for one in house().modules if one.lines > LINES_OF_A_FILE] == []


def test_no_message_or_docstring_has_an_idiom_that_is_not_english() -> None:
    assert house().foreign_idioms == []


def test_house_finds_what_is_planted() -> None:
    planted = House(
        (Module(Path("benchmark/one/same.py"), PLANTED), Module(Path("benchmark/two/same.py"), ""))
    )
    assert planted.literal_lookups == {"benchmark/one/same.py": 2}
    assert planted.untyped_mappings.total() == 1
    assert (planted.private_called_once, planted.functions) == (["_half"], ["_half", "whole"])
    assert planted.classes_defined_twice == ["benchmark: Twice"]
    assert planted.stems_used_twice == ["same"]
    assert planted.foreign_idioms == ["benchmark/one/same.py:6: cannot be had"]


def test_both_packages_tell_type_checkers_that_they_are_typed() -> None:
    assert [name for name in ("benchmark", "adapters") if not (ROOT / name / "py.typed").is_file()] == []


def test_native_models_have_a_package_of_their_own() -> None:
    assert (ROOT / "adapters" / "native" / "__init__.py").is_file()


def test_both_packages_are_ours_and_not_those_of_the_registry() -> None:
    """`benchmark` and `adapters` are names on the package index too."""
    assert Path(benchmark.__file__ or "").parent == ROOT / "benchmark"
    assert Path(adapters.__file__ or "").parent == ROOT / "adapters"


def test_importing_both_packages_imports_no_framework() -> None:
    code = "import sys, benchmark, adapters; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pandas", "optuna", "torch", "tensorflow", "keras", "surprise", "lightfm"}
    assert not heavy & set(done.stdout.split())


def calls_in(command: str) -> set[str]:
    """Return the names of `benchmark.api` that the file of a command uses."""
    tree = ast.parse((ROOT / "benchmark" / "cli" / f"{command.replace('-', '_')}.py").read_text("utf-8"))
    uses = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in uses if isinstance(node.value, ast.Name) and node.value.id == "api"}


def test_every_command_has_a_file_of_its_name_that_makes_the_python_call_of_its_name() -> None:
    assert {name for name in COMMANDS if name.replace("-", "_") not in calls_in(name)} == set()


def test_every_python_call_is_made_by_a_command_unless_it_takes_frames() -> None:
    calls = {name for name in api.__all__ if not isinstance(getattr(api, name), type)}
    assert set().union(*map(calls_in, COMMANDS)) == calls - {"evaluate", "split"}


def test_every_python_call_can_be_imported_from_benchmark_unless_a_package_hides_it() -> None:
    hidden = {path.parent.name for path in (ROOT / "benchmark").glob("*/__init__.py")}
    assert set(api.__all__) - hidden <= set(benchmark.__all__)
    assert {"Board", "Bundle", "Pick", "Run"} <= set(benchmark.__all__)
    assert set(api.__all__) - hidden - set(dir(benchmark)) == {"DataSplit", "Evaluated", "Pick", "Run"}
    assert all(getattr(benchmark, name) is getattr(api, name) for name in api.__all__ if name not in hidden)


def test_type_checkers_see_every_name_that_benchmark_imports_when_it_is_used() -> None:
    (block,) = [
        node
        for node in ast.parse(Path(benchmark.__file__).read_text("utf-8")).body
        if isinstance(node, ast.If)
    ]
    shown = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(shown) == sorted(benchmark.__all__)


def test_readme_names_no_command_that_does_not_exist() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )?bench ([a-z][a-z-]*)", page, flags=re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)


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
