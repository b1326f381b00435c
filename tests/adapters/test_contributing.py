"""The models of the contributing page, as it shows them, keep the contract."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from repository import ROOT

import adapters.keras
import adapters.torch
from benchmark.testing import AdapterContract


def shown_files() -> dict[str, str]:
    """Return the files of the page by their paths: blocks that begin with a comment naming one."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    blocks = re.findall(r"```python\n# (adapters/\S+\.py)\n(.*?)```", page, flags=re.DOTALL)
    return dict(blocks)


@pytest.mark.parametrize(
    "library",
    ["torch", pytest.param("keras", marks=pytest.mark.slow)],  # Keras traces a graph for seconds
)
def test_model_shown_with_a_framework_keeps_the_contract(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = {"torch": adapters.torch, "keras": adapters.keras}[library]
    files = {path: text for path, text in shown_files().items() if path.startswith(f"adapters/{library}/")}
    assert len(files) == 2
    for path, text in files.items():
        (tmp_path / Path(path).name).write_text(text)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    adapter = import_module(f"adapters.{library}.gmf").Gmf
    checks = type("Checks", (AdapterContract,), {"adapter": adapter})()
    tests = [name for name in dir(checks) if name.startswith("test_")]
    assert len(tests) >= 8
    for name in tests:
        getattr(checks, name)()
