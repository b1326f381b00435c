"""A result older than its inputs: what differs is named and refused, or made anew while the rest is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes import Fixed

from benchmark import runner
from benchmark.errors import RunError
from benchmark.leaderboard import board
from benchmark.ledger import select
from benchmark.records import FinalRecord, StudyClosed
from benchmark.registry import Adapter, Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.suite import Suite

Make = Callable[..., Suite]


class Heard(runner.Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, text: str) -> None:  # type: ignore[override]
        self.lines.append(text)


@pytest.fixture
def shop(suite: Make, fakes: Registry, tmp_path: Path) -> Callable[..., RunDirectory]:
    """Run a small suite over a log, a table of items and a list of candidates of the user's own."""
    rows = [(user, item, 1.0 + (user + item) % 5) for user in range(30) for item in range(user % 4, 16)]
    pd.DataFrame(rows, columns=["user", "item", "rating"]).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "items.csv").write_text("item,title\n" + "".join(f"{item},t{item}\n" for item in range(16)))
    own = {
        "name": "own",
        "path": "log.csv",
        "value": "rating",
        "scale": [1, 5],
        "titles": {"path": "items.csv", "item": "item", "title": "title"},
    }
    other = {"name": "other", "synthetic": {"users": 40, "items": 30, "interactions": 400}}
    mine = suite(
        datasets=[own, other],
        models=["fake/fixed"],
        finals={"seeds": 1},
        metrics={"primary": "ndcg@2", "candidates": {"items": "shelf.txt"}},
    )
    (tmp_path / "shelf.txt").write_text("".join(f"{item}\n" for item in range(12)))

    def run(registry: Registry = fakes, watcher: runner.Watcher | None = None, **more: Any) -> RunDirectory:
        options = RunOptions(out=tmp_path / "run", base=tmp_path, **more)
        return runner.run(mine, registry, options, watcher)

    return run


def studies_closed(run_dir: RunDirectory) -> list[str]:
    """Return the data set of each closed study; studies run side by side, so in no order."""
    return sorted(one.dataset for one in select(run_dir.records(), StudyClosed))


def users_of(run_dir: RunDirectory) -> int:
    """Return how many users of the log have stored values."""
    stored = pd.read_parquet(run_dir / "per_user.parquet")
    return int(stored.loc[stored["dataset"] == "own", "user"].nunique())


def test_finished_run_of_unchanged_inputs_is_shown_again(shop: Callable[..., RunDirectory]) -> None:
    run_dir = shop()
    manifest = run_dir.manifest()
    assert [file.role for file in manifest.datasets["own"].files] == ["log", "items"]
    assert len(manifest.adapters["fake/fixed"].source_sha256) == 64
    assert manifest.datasets["other"].files == ()
    heard = Heard()
    shop(watcher=heard)
    assert heard.lines == [f"{run_dir.path}: is finished and nothing has changed; --fresh starts a new run"]
    assert studies_closed(run_dir) == ["other", "own"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "log.csv",
            r"own: .*log\.csv \(log\) was sha256 \w{8}, is \w{8} \([\d,]+ bytes before, [\d,]+ now\)",
        ),
        ("items.csv", r"own: .*items\.csv \(items\) was sha256"),
        ("shelf.txt", r"shelf\.txt \(candidates\) was sha256"),
    ],
)
def test_file_that_changed_under_a_finished_run_is_named_and_refused_with_both_ways_on(
    shop: Callable[..., RunDirectory], tmp_path: Path, file: str, words: str
) -> None:
    shop()
    with (tmp_path / file).open("a") as opened:
        opened.write({"log.csv": "99,1,5.0\n", "items.csv": "99,more\n", "shelf.txt": "13\n"}[file])
    with pytest.raises(RunError, match=words) as caught:
        shop()
    assert "--fresh" in str(caught.value)
    assert "--follow" in str(caught.value)


def test_file_that_was_only_touched_is_the_same(shop: Callable[..., RunDirectory], tmp_path: Path) -> None:
    shop()
    os.utime(tmp_path / "log.csv", (1, 1))
    shop()


def test_file_that_has_gone_is_said_and_the_stored_rows_are_used(
    shop: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    shop()
    (tmp_path / "log.csv").unlink()
    heard = Heard()
    shop(watcher=heard)
    assert heard.lines[0].startswith("own: no longer here: ")


def test_follow_makes_anew_what_rests_on_the_changed_file_and_keeps_the_rest(
    shop: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    run_dir = shop()
    before, old = run_dir.manifest(), (tmp_path / "log.csv").read_text()
    with (tmp_path / "log.csv").open("a") as file:
        file.write("".join(f"99,{item},5.0\n" for item in range(10)))
    shop(follow=True)
    after = run_dir.manifest()
    assert after.state == "finished"
    assert after.datasets["own"].hash != before.datasets["own"].hash
    assert after.datasets["other"].hash == before.datasets["other"].hash
    assert studies_closed(run_dir) == ["other", "own", "own"]
    assert users_of(run_dir) == 31
    assert [table.rows[0].status for table in board(run_dir).tables] == ["ok", "ok"]

    (tmp_path / "log.csv").write_text(old)
    with pytest.raises(RunError, match="was sha256"):
        shop()
    shop(follow=True)
    assert run_dir.manifest().datasets["own"].hash == before.datasets["own"].hash
    assert studies_closed(run_dir) == ["other", "own", "own"], "the first result is there already"
    finals = {one.study_key for one in select(run_dir.records(), FinalRecord) if one.dataset == "own"}
    assert len(finals) == 2
    assert users_of(run_dir) == 30, "and it alone is on the board"


def test_follow_keeps_results_where_the_rows_did_not_change(
    shop: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    run_dir = shop()
    with (tmp_path / "items.csv").open("a") as file:
        file.write("99,of an item that the log does not have\n")
    shop(follow=True)
    assert studies_closed(run_dir) == ["other", "own"]
    shop()


class Edited(Registry):
    """The fakes after their code was edited and installed again."""

    def __getitem__(self, name: str) -> Adapter:
        found = super().__getitem__(name)
        found.__dict__["source_hash"] = "e" * 64
        found.__dict__["versions"] = {"numpylib": "2.0"}
        return found


def test_adapter_that_was_edited_is_named_and_made_anew(shop: Callable[..., RunDirectory]) -> None:
    run_dir = shop()
    edited = Edited({"fake/fixed": f"fakes:{Fixed.__name__}"})
    with pytest.raises(RunError, match=r"fake/fixed: its code was \w{8}, is eeeeeeee"):
        shop(edited)
    shop(edited, follow=True)
    assert studies_closed(run_dir) == ["other", "other", "own", "own"]
    shop(edited)


def test_library_and_engine_of_another_version_are_named(shop: Callable[..., RunDirectory]) -> None:
    run_dir = shop()
    path = run_dir / "manifest.json"
    content = json.loads(path.read_text())
    content["adapters"]["fake/fixed"]["versions"] = {"numpylib": "1.0"}
    content["adapters"]["fake/fixed"]["source_sha256"] = "e" * 64
    content["engine"]["numpy"] = "0.9"
    path.write_text(json.dumps(content))
    with pytest.raises(RunError) as caught:
        shop(Edited({"fake/fixed": "fakes:Fixed"}))
    assert "numpylib was 1.0, is 2.0 (fake/fixed)" in str(caught.value)
    assert "numpy was 0.9, is " in str(caught.value)


def test_run_made_before_hashes_were_kept_is_shown_and_that_is_said(
    shop: Callable[..., RunDirectory],
) -> None:
    run_dir = shop()
    run_dir.update(adapters={}, engine={})
    heard = Heard()
    shop(watcher=heard)
    assert heard.lines[0].endswith("made before runs kept the hashes of what they rest on: not compared")


def test_board_shows_when_it_was_made_and_from_what_although_the_data_are_gone(
    shop: Callable[..., RunDirectory], tmp_path: Path
) -> None:
    run_dir = shop()
    (tmp_path / "log.csv").unlink()
    texts = [note.text for note in board(run_dir).tables[0].notes]
    made = next(
        text for text in texts if text.startswith(f"Made {run_dir.manifest().finished} from log.csv of ")
    )
    split = run_dir.manifest().datasets["own"]
    assert f"({split.files[0].sha256[:8]})" in made
    assert f"split {split.hash[:8]}" in made
