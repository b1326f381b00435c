"""Suites that extend others: what is taken over, what wins, and which file and line a complaint names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark import api
from benchmark.errors import SuiteError
from benchmark.suite import Suite

BASE = """\
name: base
datasets: [{name: shop, path: log.csv}]
split: {by: random, per: user, test: 20%}
budget:
  per_model: 30s
  slot: {memory: 2GB}
models: [baselines/popularity, native/ease]
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a suite below a folder and return its path, which complaints name as it is."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, text: str) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return written


def complaints(path: Path) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        api.check(path)
    return str(caught.value).splitlines()


def test_sections_are_taken_over_key_by_key_and_lists_as_a_whole(write: Write) -> None:
    write("base.yaml", BASE)
    own = write("own.yaml", "extends: base.yaml\nname: own\nbudget: {per_model: 5s}\nmodels: [native/slim]\n")
    suite = api.check(own)
    assert (suite.name, suite.split.test, suite.split.per) == ("own", 0.2, "user")
    assert (suite.budget.per_model, suite.budget.slot.memory) == (5.0, 2048.0)
    assert [model.use for model in suite.models] == ["native/slim"]
    assert (suite.source, suite.bases) == (own, ("base.yaml",))


def test_null_puts_the_default_back(write: Write) -> None:
    write("base.yaml", BASE)
    own = write("own.yaml", "extends: base.yaml\nsplit: {by: global_time, per: ~, test: ~}\nbudget:\n")
    suite = api.check(own)
    assert (suite.split.by, suite.split.per, suite.split.test) == ("global_time", None, 0.1)
    assert suite.budget.per_model == 60.0


def test_a_suite_that_extends_is_stored_and_hashed_as_what_it_amounts_to(write: Write) -> None:
    write("base.yaml", BASE)
    dumped = api.check(write("own.yaml", "extends: base.yaml\n")).model_dump(mode="json")
    assert dumped == api.check("base.yaml").model_dump(mode="json")
    assert "extends" not in dumped
    assert "extends" in Suite.model_json_schema()["properties"]


def test_complaints_name_file_and_line_of_origin_the_suites_own_first(write: Write) -> None:
    write("parts/far.yaml", "verdict: {alpha: 90%}\nseedd: 3\n")
    write("parts/near.yaml", f"extends: far.yaml\n{BASE}".replace("native/ease", "native/eese"))
    own = write("own.yaml", "extends: parts/near.yaml\n\nfinals:\n  seeds: 0\n")
    assert complaints(own) == [
        "own.yaml:4: finals.seeds: must be greater than or equal to 1 (found 0)",
        "parts/near.yaml:8: models[1]: no adapter is called 'native/eese'; did you mean 'native/ease'?",
        "parts/far.yaml:1: verdict.alpha: must be less than 0.5 (found 0.9)",
        "parts/far.yaml:2: seedd: unknown key; did you mean 'seed'?",
    ]


def test_a_value_that_is_no_yaml_is_refused_in_the_file_that_has_it(write: Write) -> None:
    write("base.yaml", f"{BASE}seed: 2020-13-45\n")
    assert complaints(write("own.yaml", "\nextends: base.yaml\n"))[0].startswith(
        "base.yaml:8: is not YAML: month must be in 1..12"
    )


@pytest.mark.parametrize(
    ("extends", "words"),
    [
        (
            "bass.yaml",
            "there is no file bass.yaml; did you mean 'base.yaml'?; the path is relative to the file",
        ),
        ("https://example.org/base.yaml", "must be a file on this machine (found 'https:"),
        ("parts", "parts is a folder; give the path of a suite file"),
        ("[base.yaml]", "must be the path of one suite file, such as base.yaml"),
        ("${NOWHERE}/base.yaml", "the variable NOWHERE is not set; set it"),
        ("/dev/zero", "there is no file /dev/zero"),
    ],
)
def test_what_is_no_suite_file_cannot_be_extended(write: Write, extends: str, words: str) -> None:
    write("base.yaml", BASE)
    Path("parts").mkdir()
    (line,) = complaints(write("own.yaml", f"name: own\nextends: {extends}\n"))
    assert line.startswith("own.yaml:2: extends: ")
    assert words in line


def test_a_circle_is_refused_and_shown(write: Write) -> None:
    write("parts/b.yaml", "extends: ../a.yaml\n")
    (line,) = complaints(write("a.yaml", "extends: parts/b.yaml\n"))
    assert line.startswith(
        "parts/b.yaml:1: extends: goes round in a circle (a.yaml -> parts/b.yaml -> a.yaml)"
    )


def test_a_path_is_relative_to_the_file_that_says_it(write: Write) -> None:
    write("shared/log.csv", "user,item\n")
    write("shared/items.txt", "1\n")
    graph = BASE.replace("log.csv}", "log.csv, graph: {path: /kg.csv, link: log.csv}}")
    write("shared/base.yaml", f"{graph}metrics: {{candidates: {{items: items.txt}}}}\n")
    suite = api.check(write("mine/own.yaml", "extends: ../shared/base.yaml\n"))
    (shop,) = suite.datasets
    assert (shop.path, suite.metrics.candidates.items) == ("../shared/log.csv", "../shared/items.txt")
    assert (shop.graph.path, shop.graph.link.path) == ("/kg.csv", "../shared/log.csv")
    assert api.check("shared/base.yaml").datasets[0].path == "log.csv"


def test_a_dictionary_extends_a_file_of_the_working_directory_and_stays_as_it_was(write: Write) -> None:
    write("base.yaml", BASE)
    mine = {"extends": "base.yaml", "budget": {"per_model": "5s"}}
    suite = api.check(mine, set={"budget.per_model": "6s"})
    assert (suite.name, suite.budget.per_model, suite.bases) == ("base", 6.0, ("base.yaml",))
    assert mine == {"extends": "base.yaml", "budget": {"per_model": "5s"}}
