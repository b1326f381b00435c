"""Paths with a variable: found by its value, kept as they are written, in every file of a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from command_line import Bench

from benchmark import api
from benchmark.errors import DataError, SuiteError
from benchmark.runner.written_paths import WrittenPaths, hidden_folders
from benchmark.suite import Suite

SUITE = """\
name: own
datasets:
  - {name: shop, path: "${SHOP_DATA}/log.csv", titles: {path: "${SHOP_DATA}/items.csv"}}
metrics: {primary: ndcg@5, also: [recall@5], candidates: {items: "${SHOP_DATA}/listed.txt"}}
budget: {per_model: 1s, max_trials: 1, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1, train_on: train, default: false}
models: [baselines/popularity]
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite in one folder, its data in another that only a variable names."""
    data = tmp_path / "secret-folder" / "shop"
    data.mkdir(parents=True)
    rows = [f" u{user},i{(user + item) % 9}\n" for user in range(12) for item in range(6)]
    (data / "log.csv").write_text("user,item\n" + "".join(rows))  # the blanks are a note that names the file
    (data / "items.csv").write_text("item,title\n" + "".join(f"i{item},Item {item}\n" for item in range(9)))
    (data / "listed.txt").write_text("".join(f"i{item}\n" for item in range(9)))
    monkeypatch.setenv("SHOP_DATA", str(data))
    path = tmp_path / "own.yaml"
    path.write_text(SUITE)
    return path


def texts_with(word: str, folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and word.encode() in path.read_bytes()
    ]


def test_a_run_keeps_the_text_and_never_the_value_and_goes_on_where_the_value_differs(
    bench: Bench, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    code, _, said = bench("run", suite, "--out", run)
    assert (code, said) == (0, "")
    assert texts_with("secret-folder", run) == []
    kept = {"suite.yaml", "suite.json", "manifest.json", "splits/shop/manifest.json", "leaderboard.html"}
    assert kept <= set(texts_with("${SHOP_DATA}/log.csv", run))
    shutil.copytree(os.environ["SHOP_DATA"], tmp_path / "elsewhere")
    monkeypatch.setenv("SHOP_DATA", str(tmp_path / "elsewhere"))
    code, shown, _ = bench("run", suite, "--out", run)
    assert code == 0
    assert "is finished and nothing has changed" in shown
    (tmp_path / "elsewhere" / "log.csv").write_text("user,item\nu1,i1\n")
    refused = bench("run", suite, "--out", run)[2]
    assert "shop: ${SHOP_DATA}/log.csv (log) was sha256" in refused
    assert "elsewhere" not in refused
    monkeypatch.delenv("SHOP_DATA")
    assert bench("report", run)[0] == 0


@pytest.mark.parametrize("command", [("check",), ("plan",), ("data", "check"), ("run",)])
def test_a_variable_that_is_not_set_is_refused_by_every_command_at_its_line(
    bench: Bench, suite: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.delenv("SHOP_DATA")
    code, _, said = bench(*command, suite)
    assert code == 2
    assert said.startswith(
        f"bench: {suite}:3: datasets[0].path: the variable SHOP_DATA is not set; set it, as in export SHOP_"
    )


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("${EMPTY}/log.csv", "the variable EMPTY is empty"),
        ("${EMPTY", r"has '\$\{EMPTY'; a variable is written \$\{NAME\}"),
        ("${A:-b}", r"has '\$\{A:-b\}'; a variable is written"),
    ],
)
def test_what_is_no_variable_with_a_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, path: str, complaint: str
) -> None:
    monkeypatch.setenv("EMPTY", "")
    content = {"name": "s", "datasets": [{"name": "d", "path": path}], "models": ["native/ease"]}
    with pytest.raises(SuiteError, match=complaint):
        api.check(content)


def test_a_variable_is_one_in_keys_that_hold_a_path_alone() -> None:
    entry = {"name": "${NOBODY}", "path": "$HOME/log.csv", "user": "${NOBODY}"}
    (log,) = api.check({"name": "s", "datasets": [entry], "models": ["native/ease"]}).datasets
    assert (log.name, log.path, log.user) == ("${NOBODY}", "$HOME/log.csv", "${NOBODY}")


def test_texts_are_written_back_at_the_borders_of_paths_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOT_OF_DATA", "/data")
    monkeypatch.setenv("DAY", "1")
    paths = {"train": "${ROOT_OF_DATA}/day-${DAY}/a.csv", "test": "${ROOT_OF_DATA}/day-${DAY}/b.csv"}
    content = {
        "name": "s",
        "datasets": ["mine"],
        "split": {"by": "files", "files": paths},
        "models": ["native/ease"],
    }
    suite: Suite = api.check(content)
    written = WrittenPaths.of(suite, Path).in_text
    assert written("/data/x") == "/data/x"  # Path knows nothing of variables

    def resolve(text: str) -> Path:
        return Path(text.replace("${ROOT_OF_DATA}", "/data").replace("${DAY}", "1"))

    written = WrittenPaths.of(suite, resolve).in_text
    assert written("/data/day-1/a.csv: 3 rows.") == "${ROOT_OF_DATA}/day-${DAY}/a.csv: 3 rows."
    assert (
        written("in /data/day-1, not /data/day-11")
        == "in ${ROOT_OF_DATA}/day-${DAY}, not ${ROOT_OF_DATA}/day-11"
    )
    assert written("/database, a/data, /data.") == "/database, a/data, ${ROOT_OF_DATA}."
    assert hidden_folders(suite) == [Path("/data")]


def test_a_resolved_path_without_its_variable_is_a_complaint_about_the_data() -> None:
    from benchmark.datasets.sources.folders import DataFolders

    with pytest.raises(DataError, match="the variable NOBODY is not set"):
        DataFolders().resolve("${NOBODY}/log.csv")
