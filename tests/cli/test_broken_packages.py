"""Packages of others that are broken: a row in ``models`` and ``doctor``, a message for suites of theirs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark import cli, registry

WHOLE = """
from dataclasses import dataclass
from typing import ClassVar

from benchmark.protocol import Choice

@dataclass
class Model:
    dim: int = 8
    space: ClassVar = {}
    def fit_steps(self, train, context):
        yield
    def score(self, users): ...
"""
BROKEN = {
    "raises": "raise ValueError('planted')",
    "syntax": "def broken(:",
    "exits": "import sys; sys.exit(3)",
    "exits_quietly": "raise SystemExit",
    "no_class": "x = 1",
    "no_type": "Model = 5",
    "missing_import": "import a_package_that_is_nowhere",
    "half_import": "from benchmark.protocol import NothingOfThatName",
    "name_error": "Model = NotDefined",
    "devices": WHOLE.replace("dim: int = 8", "dim: int = 8\n    devices: ClassVar = 5"),
    "requires": WHOLE.replace("dim: int = 8", "dim: int = 8\n    requires: ClassVar = (5,)"),
    "no_dataclass": WHOLE.replace("@dataclass\n", "").replace("{}", "{'dim': Choice((1, 2))}"),
    "space_of_strings": WHOLE.replace("space: ClassVar = {}", "space: ClassVar = ('dim',)"),
    "space_of_nothing": WHOLE.replace("space: ClassVar = {}", "space: ClassVar = {'nothing': 5}"),
    "metaclass": """
class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError("no attribute for you")
class Model(metaclass=Meta):
    pass
""",
    "property": WHOLE + "\nclass Late:\n    def __get__(self, one, cls):\n        raise OSError('late')\n"
    "Model.space = Late()\n",
    "recursion": "def f():\n    return f()\nf()",
    "unicode": "raise UnicodeError('\\udcff')",
}
VALUES = {"empty": "", "no_colon": "broken_raises", "no_name": "broken_raises:", "nowhere": "nowhere:Model"}
SUITE = """
name: broken
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400}}]
models: [%s]
"""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, whose modules are published as models of others."""
    points = []
    for name, code in BROKEN.items():
        (tmp_path / f"broken_{name}.py").write_text(code, encoding="utf-8")
        points.append(point(f"theirs/{name}", f"broken_{name}:Model"))
    values = {
        "empty": "",
        "no_colon": "broken_raises",
        "no_name": "broken_raises:",
        "nowhere": "nowhere:Model",
    }
    points += [point(f"theirs/{name}", value) for name, value in values.items()]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_published", lambda: points)
    return tmp_path


def point(name: str, value: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, value=value, dist=None)


def test_models_lists_all_others_and_says_why_each_is_broken(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models"]) == 0
    shown = capsys.readouterr()

    assert "native/ease" in shown.out
    assert shown.out.count("broken: ") >= len(BROKEN)
    assert "ValueError: planted" in " ".join(shown.out.split())
    assert "Traceback" not in shown.out + shown.err


def test_doctor_says_which_are_broken_and_leaves_with_the_code_of_the_others(
    published: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(registry, "_published", list)
        code = cli.main(["doctor"])
    capsys.readouterr()

    assert cli.main(["doctor"]) == code
    shown = capsys.readouterr().out
    assert "theirs/exits" in shown
    assert "broken: " in shown


@pytest.mark.parametrize("name", [*BROKEN, *VALUES])
@pytest.mark.parametrize("command", ["check", "plan"])
def test_suite_that_names_a_broken_model_gets_one_message(
    published: Path, name: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (published / "suite.yaml").write_text(SUITE % f"theirs/{name}", encoding="utf-8")

    assert cli.main([command, str(published / "suite.yaml")]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert (
        f"theirs/{name}" in error
        or f"broken_{name}" in error
        or "published as 'module:Class'" in error
        or "nowhere" in error
    )


def test_suite_that_names_none_of_them_is_not_troubled(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (published / "suite.yaml").write_text(SUITE % "baselines/popularity", encoding="utf-8")

    assert cli.main(["check", str(published / "suite.yaml")]) == 0
    assert cli.main(["models", "--detail", "theirs/raises"]) == 2
    assert "ValueError: planted" in capsys.readouterr().err
