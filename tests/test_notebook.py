"""In a notebook: the example runs, a bar shows the progress, Tab shows the calls, types can be imported."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import inspect
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from repository import ROOT

import benchmark
from benchmark import api
from benchmark.api.notebook import Bar, notebook_progress

EXAMPLE = ROOT / "examples" / "notebook.ipynb"
CALLS = [name for name in benchmark.__all__ if inspect.isfunction(getattr(benchmark, name))]
FOREIGN = {"Path", "pd", "Figure"}
"""Types of other libraries, which are imported from there."""


def named_in(call: Any) -> Iterator[str]:
    """Yield the names of types in the signature of a call."""
    for note in inspect.signature(call).parameters.values():
        yield from names_in(note.annotation)
    yield from names_in(inspect.signature(call).return_annotation)


def names_in(annotation: Any) -> Iterator[str]:
    """Yield the names of types in an annotation, as it is written."""
    if isinstance(annotation, str):
        tree = ast.parse(annotation.removeprefix("*"))
        yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def methods(kind: type) -> Iterator[Any]:
    yield from (method for name, method in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_")


def test_tab_shows_the_calls_and_nothing_else() -> None:
    assert dir(benchmark) == CALLS
    assert {*dir(api)} == {*CALLS, "metrics"}


def test_every_type_in_a_signature_can_be_imported_from_where_the_call_is() -> None:
    offered = [getattr(benchmark, name) for name in CALLS]
    for kind in (api.Run, benchmark.Board, benchmark.Bundle, api.Pick, api.DataSplit, api.Evaluated):
        offered += methods(kind)
    own = {name for call in offered for name in named_in(call)}
    elsewhere = {*dir(builtins), *dir(typing), *dir(collections.abc), *FOREIGN}
    assert {name for name in own - elsewhere if not hasattr(benchmark, name)} == set()
    assert {name for name in own - elsewhere if not hasattr(api, name)} == set()
    assert {"Frame", "Watcher", "Suite", "Board", "Changes", "Recommendation"} <= own


def test_bar_grows_with_seconds_and_finals_and_names_cannot_break_out_of_it() -> None:
    shown: list[str] = []
    bar = Bar(shown.append)
    studies = [SimpleNamespace(name=name, excluded=None) for name in ("a<b", "c")]
    bar.planned(studies, 10.0, 1, 2)
    assert 'value="0.000"' in bar.html
    bar.spent("a<b", 5.0)
    assert 'value="0.200"' in bar.html
    bar.study_closed("a<b", "ok", 0.5, "budget used")
    bar.final("a<b", 1, 2)
    assert 'value="0.450"' in bar.html
    bar.study_closed("c", "failed", None, "it crashed")
    assert 'value="0.950"' in bar.html
    assert "c: failed: it crashed" in bar.html
    bar.trial("a<b", 3)
    assert "a&lt;b: trial 3" in bar.html
    bar.finish()
    assert 'value="1.000"' in bar.html
    assert len(shown) < 8  # not every word is worth a picture


def test_bar_is_for_notebooks_and_for_whoever_brings_no_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    with notebook_progress(None) as heard:
        assert heard is None
    monkeypatch.setitem(
        sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1))
    )
    mine = benchmark.Silent()
    with notebook_progress(mine) as heard:
        assert heard is mine


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_example_runs_from_a_frame_to_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(EXAMPLE, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # what is committed says no figure
    client = NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = {
        kind for cell in notebook.cells for one in cell.get("outputs", []) for kind in one.get("data", {})
    }
    assert {"text/html", "image/png"} <= shown
    printed = [str(one.get("text", "")) for cell in notebook.cells for one in cell.get("outputs", [])]
    assert not any("IProgress" in text for text in printed), "a widget that nothing here shows"
    texts = [str(one["data"]) for cell in notebook.cells for one in cell.get("outputs", []) if "data" in one]
    assert any("<progress" in text and "100%" in text for text in texts)
    assert list(tmp_path.glob("results/shop/frames/log-*.parquet"))
