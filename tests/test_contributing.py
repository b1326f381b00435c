"""What the contributing page shows does what it says: its code is linted, and run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from metrics.test_metric_docstrings import lacking
from repository import ROOT

import adapters.keras
import adapters.torch
from adapters import ADAPTERS
from adapters.torch.base import TorchTraining
from benchmark.datasets.log import Role
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources import known
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.movielens import ML_CSV
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec
from benchmark.metrics import ranking, register
from benchmark.metrics.inputs import ListInputs, RatingInputs, offered
from benchmark.modelkit.footprints import counts_alone
from benchmark.modelkit.sparse_state import pack_histories, unpack_histories
from benchmark.protocol import Interactions, Needs
from benchmark.registry import Registry
from benchmark.suite import parse_suite
from benchmark.testing import AdapterContract

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def block(start: str) -> str:
    """Return the one block that begins with these words, a comment that names its file left out."""
    (found,) = [text for text in BLOCKS if text.startswith(start)]
    return re.sub(r"^# \S+\.py\n", "", found)


def source(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


METRIC = block('@metric(\n    "rbp"')
ENTRY = block("KnownDataset(")
LINTED = {
    "adapters/native/mean_rating.py": block('"""Items by their mean rating'),
    "adapters/torch/gmf_network.py": block("# adapters/torch/gmf_network.py"),
    "adapters/torch/gmf.py": block("# adapters/torch/gmf.py"),
    "adapters/keras/gmf_network.py": block("# adapters/keras/gmf_network.py"),
    "adapters/keras/gmf.py": block("# adapters/keras/gmf.py"),
    "benchmark/metrics/ranking.py": source("benchmark/metrics/ranking.py") + "\n\n" + METRIC,
    "tests/metrics/test_rbp.py": block('"""Rank-biased precision'),
    "benchmark/datasets/sources/known.py": source("benchmark/datasets/sources/known.py")
    + f"\n\nTINY = {ENTRY}",
    "benchmark/datasets/sources/films.py": block("# benchmark/datasets/sources/films.py"),
    "tests/datasets/sources/test_layouts.py": source("tests/datasets/sources/test_layouts.py")
    + "\n\n"
    + block("def test_films_are_read"),
}


def test_needs_of_the_page_are_those_of_a_matrix_over_all_pairs_of_items() -> None:
    found: dict[str, Any] = {"Interactions": Interactions, "Needs": Needs}
    exec(block("def needs(self"), found)
    needs = found["needs"](None, counts_alone(n_users=10, n_items=1000, rows=50))
    assert needs == Needs(8e6, why="a 1,000 x 1,000 matrix of float64")


def test_every_block_is_looked_at() -> None:
    alone = 2  # the contract's, which belongs into somebody else's package, and a method
    assert len(BLOCKS) == len(LINTED) + alone


@pytest.mark.parametrize("path", LINTED)
@pytest.mark.parametrize("command", ["check", "format"])
def test_code_of_the_page_passes_the_checks_where_it_belongs(command: str, path: str) -> None:
    more = ["--check"] if command == "format" else []
    done = subprocess.run(
        [sys.executable, "-m", "ruff", command, *more, "--stdin-filename", path, "-"],
        input=LINTED[path],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def keep_contract(adapter: type) -> None:
    """Call every test of the contract."""
    checks = type("Checks", (AdapterContract,), {"adapter": adapter})()
    tests = [name for name in dir(checks) if name.startswith("test_")]
    assert len(tests) >= 8
    for name in tests:
        getattr(checks, name)()


def test_numpy_model_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shown_in_contributing.py").write_text(LINTED["adapters/native/mean_rating.py"])
    monkeypatch.syspath_prepend(tmp_path)
    keep_contract(import_module("shown_in_contributing").MeanRating)


@pytest.mark.parametrize(
    "library",
    ["torch", pytest.param("keras", marks=pytest.mark.slow)],  # Keras traces a graph for seconds
)
def test_model_of_a_framework_keeps_the_contract(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = {"torch": adapters.torch, "keras": adapters.keras}[library]
    for name in ("gmf_network.py", "gmf.py"):
        (tmp_path / name).write_text(LINTED[f"adapters/{library}/{name}"])
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    keep_contract(import_module(f"adapters.{library}.gmf").Gmf)


def test_metric_gives_the_value_of_its_doctest_and_its_tests_pass() -> None:
    names = dict(vars(ranking))
    exec(re.sub(r"@metric\(.*?\n\)\n", "", METRIC, flags=re.DOTALL), names)  # registered it would stay
    found = names["rank_biased_precision"](np.array([[True, False, True]]), np.array([2]), k=3)
    assert found.round(3).tolist() == [0.328]
    tests = LINTED["tests/metrics/test_rbp.py"].replace(
        "from benchmark.metrics.ranking import rank_biased_precision\n", ""
    )
    exec(tests, names)
    names["test_rbp_of_hits_at_ranks_1_and_3_equals_the_hand_computed_value"]()
    names["test_rbp_equals_a_plain_loop"]()


def test_metric_of_the_page_can_be_registered_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "_REGISTER", dict(register._REGISTER))
    names = dict(vars(ranking))
    exec(METRIC, names)
    assert not lacking(names["rank_biased_precision"])
    (suite,) = re.findall(r"```yaml\n(name: .*?)```", PAGE, flags=re.DOTALL)
    (line,) = re.findall(r"`(metrics: .*?)`", PAGE)
    assert parse_suite(f"{suite}{line}\n", "page.yaml", Registry(ADAPTERS)).metrics.also == ("rbp@10",)


def test_names_of_the_page_are_those_of_the_code() -> None:
    for name in ("untrained", "epochs", "keep"):
        assert f"`{name}`" in PAGE
        assert name in TorchTraining.__abstractmethods__
    assert callable(pack_histories)
    assert callable(unpack_histories)
    assert ", ".join(f"`{role}`" for role in get_args(Role)) in PAGE
    for needed in ("hits", "relevant", "lists", "predicted"):
        assert any(needed in offered(inputs) for inputs in (ListInputs, RatingInputs))


def lay_out(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)


def test_entry_of_a_known_layout_is_read_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = eval(ENTRY, vars(known) | {"ML_CSV": ML_CSV})
    monkeypatch.setitem(known.KNOWN, entry.name, entry)
    ratings = "userId,movieId,rating,timestamp\n1,7,3.5,1\n1,8,4,2\n2,7,5,3\n"
    movies = "movieId,title,genres\n7,One (1990),Drama\n8,Two (1991),Drama\n"
    lay_out(tmp_path / "ml-tiny", {"ratings.csv": ratings, "movies.csv": movies})
    done = prepare(open_log(LogSpec(name="movielens-tiny"), DataFolders(data=tmp_path)))
    assert done.titles == ["One (1990)", "Two (1991)"]
    assert "no published checksum" in done.provenance.origin


def test_new_layout_is_one_file_and_its_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shown_films.py").write_text(LINTED["benchmark/datasets/sources/films.py"])
    monkeypatch.syspath_prepend(tmp_path)
    layout = import_module("shown_films").FILMS
    entry = known.KnownDataset(
        name="films",
        layout=layout,
        folder="films",
        url="https://example.org/films.zip",
        download_mb=0.1,
        rows=600,
        users=60,
        items=50,
        scale=None,
        licence="research use",
        side_information="titles, studios",
    )
    monkeypatch.setitem(known.KNOWN, "films", entry)

    def write(folder: str, files: dict[str, str]) -> None:
        lay_out(tmp_path / folder, files)

    def opened(name: str, data: Path) -> object:
        return open_log(LogSpec(name=name), DataFolders(data=data))

    names = {"prepare": prepare, "opened": opened}
    exec(block("def test_films_are_read"), names)
    names["test_films_are_read_with_titles_and_studios"](write, tmp_path)
    mine = open_log(LogSpec(name="mine", path=str(tmp_path / "films")))  # recognised by its main file
    assert mine.items["title"].tolist() == ["One", "Two"]
