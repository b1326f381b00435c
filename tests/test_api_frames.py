"""Frames in and out: run, split, evaluate and recommend on tables of pandas, Polars and Arrow."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import benchmark
from benchmark import api
from benchmark.api.in_memory import FILE_KEYS, FrameKeys
from benchmark.datasets.specs import LogSpec
from benchmark.errors import BundleError, DataError, RunError, SuiteError
from benchmark.ledger import select
from benchmark.records import ListsOpened, TestOpened
from benchmark.results import RunDirectory

REST: dict[str, Any] = {
    "metrics": {"primary": "ndcg@5", "also": ["recall@5"]},
    "budget": {"max_trials": 1, "slot": {"memory": "2GB", "gpu": "no"}},
    "finals": {"seeds": 1, "train_on": "train", "default": False},
}
COLUMNS: dict[str, Any] = {"user": "uid", "item": "sku", "value": "stars", "scale": (1, 5), "name": "shop"}
CALL: dict[str, Any] = {**COLUMNS, "suite": REST, "models": ["baselines/popularity"], "budget": "5m"}


def rows() -> pd.DataFrame:
    """40 users with 12 of 30 items each, and a column that no file could hold."""
    draw = np.random.default_rng(5)
    items = np.concatenate([draw.choice(30, 12, replace=False) for _ in range(40)])
    users = np.repeat([f"u{number}" for number in range(40)], 12)
    return pd.DataFrame(
        {"sku": items, "uid": users, "stars": draw.integers(1, 6, 480).astype(float), "odd": [object()] * 480}
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def finished(results: Path) -> api.Run:
    """A finished run of the frame."""
    return api.run(rows(), **CALL, results=results)


@pytest.fixture
def copied(finished: api.Run, tmp_path: Path) -> api.Run:
    return api.Run(Path(shutil.copytree(finished.path, tmp_path / "run")))


def popular(known: pd.DataFrame, users: pd.Series, k: int = 5) -> pd.DataFrame:
    """Return lists of the most frequent items that a user does not have."""
    counts = known["sku"].value_counts().rename("score").reset_index()
    lists = users.drop_duplicates().to_frame().merge(counts, how="cross")
    lists = lists.merge(known[["uid", "sku"]], how="left", indicator=True)
    lists = lists[lists["_merge"] == "left_only"].sort_values("score", ascending=False, kind="stable")
    return lists.groupby("uid").head(k)[["uid", "sku", "score"]]


def test_run_of_a_frame_lies_below_its_name_with_its_rows_beside_it(finished: api.Run, results: Path) -> None:
    assert finished.path.parent == results / "shop"
    (entry,) = RunDirectory(finished.path).suite().datasets
    assert entry.path is not None
    stored = pd.read_parquet(finished.path / entry.path)
    assert stored.equals(rows()[["uid", "sku", "stars"]])  # what nothing asks for is not kept
    assert [row.model for row in finished.board.rows()] == ["baselines/popularity"]


def test_same_rows_go_on_in_the_same_run_whatever_frame_they_come_in(
    finished: api.Run, results: Path
) -> None:
    again = pl.from_pandas(rows().drop(columns="odd"))
    assert api.run(again, **CALL, results=results).path == finished.path


def test_suite_file_of_a_frames_run_is_that_run_on_the_command_line(finished: api.Run, results: Path) -> None:
    assert api.run(finished.path / "suite.yaml", results=results) == finished


def test_run_in_a_folder_of_its_own_holds_its_rows_and_goes_on_there(tmp_path: Path) -> None:
    first = api.run(rows(), **CALL, out=tmp_path / "mine")
    assert len(list((tmp_path / "mine" / "frames").glob("log-*.parquet"))) == 1
    moved = first.path.rename(tmp_path / "elsewhere")
    assert api.run(rows(), **CALL, out=moved).path == moved


def test_temporary_run_is_gone_with_its_object_and_its_bundle_stays_with_titles_of_a_frame(
    tmp_path: Path,
) -> None:
    titles = pl.DataFrame({"sku": range(30), "title": [f"Thing {number}" for number in range(30)]})
    call = {**CALL, "items": {"path": titles, "id": "sku", "title": "title"}}
    kept = api.run(rows(), **call, temporary=True, results=tmp_path / "results")
    path, board = kept.path, kept.board
    picked = kept.pick(export=tmp_path / "best")
    assert path.is_dir()
    del kept
    gc.collect()
    assert not path.exists()
    assert not (tmp_path / "results").exists()
    assert board.rows()[0].model == "baselines/popularity"
    lists = benchmark.load(picked).recommend(pl.DataFrame({"uid": ["u1"]}), 2)
    assert isinstance(lists, pl.DataFrame)
    assert lists["title"].str.starts_with("Thing ").all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"item": "skuu"}, "frame: has no column 'skuu'; it has sku, uid, stars, odd; did you mean 'sku'?"),
        ({"value": "odd"}, "frame: cannot be held as a table of Arrow"),
        ({"usr": "uid"}, "suite: datasets[0].usr: unknown key; did you mean 'user'"),
        ({"path": "log.csv"}, "path: is for files; beside a frame leave it out"),
        ({"models": None}, "models: name the models to compare"),
        ({"suite": {"datasets": ["movielens-100k"]}}, "suite: datasets: the frame is the data set"),
        ({"suite": "quickstart"}, "suite: is 'quickstart'; beside a frame it must be a mapping"),
        ({"temporary": True, "out": "mine"}, "temporary: is for a run that nobody named a folder for"),
    ],
)
def test_frame_that_cannot_be_run_is_refused_before_anything_is_kept(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises((SuiteError, DataError, RunError)) as caught:
        api.run(rows(), **{**CALL, "results": tmp_path, **change})
    assert complaint in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_rows_that_cannot_be_read_are_called_rows_of_the_frame(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^frame: row 3: ") as caught:
        api.run(rows().assign(stars=["1", "2", "many"] * 160), **CALL, results=tmp_path)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "more", "complaint"),
    [
        ("quickstart", {"user": "uid"}, "user: is a key of a data set's entry"),
        (pl.LazyFrame({"user": [1]}), {}, r"is a LazyFrame; .* also take a LazyFrame after its collect\(\)"),
        (pd.DataFrame({"user": [1]}), {"models": "native/ease"}, r"as in models=\['native/ease'\]"),
        (None, {}, "suite: give the path or name of a suite, a mapping, or a frame"),
        ("quickstart", {"suite": {}}, "give either a suite or a frame"),
    ],
)
def test_what_is_neither_frame_nor_suite_is_refused(
    source: Any, more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SuiteError, match=complaint):
        api.run(source, **more)


def test_every_key_of_a_data_sets_entry_may_stand_beside_a_frame_unless_it_is_for_files() -> None:
    named = {"user", "item", "value", "time"}
    assert set(FrameKeys.__annotations__) | named | FILE_KEYS == set(LogSpec.model_fields)


def test_split_gives_train_and_validation_as_frames_of_the_same_library() -> None:
    made = api.split(pl.from_pandas(rows().drop(columns="odd")), **COLUMNS, suite=REST)
    assert isinstance(made.train, pl.DataFrame)
    assert made.train.columns == made.valid.columns == ["uid", "sku", "stars", "like"]
    assert len(made.train) + len(made.valid) + made.manifest.parts["test"].rows == 480
    folder = made.stored.directory
    assert repr(made).startswith("<DataSplit shop: train 400, valid 40, test 40 rows; 40 users")
    del made
    gc.collect()
    assert not folder.exists()


def test_split_of_a_frame_is_that_of_its_run(finished: api.Run) -> None:
    assert api.split(rows(), **COLUMNS, suite=REST).manifest.hash == api.split(finished).manifest.hash


def test_lists_are_worth_the_same_on_a_split_and_on_the_run_and_validation_opens_nothing(
    copied: api.Run,
) -> None:
    made = api.split(rows(), **COLUMNS, suite=REST)
    lists = popular(made.train, rows()["uid"])
    before = (copied.path / "ledger.jsonl").read_bytes()
    own, run = api.evaluate(lists, made), api.evaluate(pa.Table.from_pandas(lists), copied)
    assert own == run
    assert (own.part, own.users, own.with_list) == ("valid", 40, 40)
    assert 0 < own["ndcg@5"] <= 1
    assert own.to_pandas().index.tolist() == ["ndcg@5", "recall@5"]
    assert "ndcg@5" in own._repr_html_()
    assert (copied.path / "ledger.jsonl").read_bytes() == before


def test_evaluating_on_the_test_of_a_run_is_an_opening_that_the_board_counts(copied: api.Run) -> None:
    made = api.split(copied)
    lists = popular(pd.concat([made.train, made.valid]), rows()["uid"])
    directory = RunDirectory(copied.path)
    opened = len(select(directory.records(), TestOpened))
    found = api.evaluate(lists, made, part="test")
    (look,) = select(directory.records(), ListsOpened)
    assert look.added
    assert len(select(directory.records(), TestOpened)) == opened + 1
    assert found == api.evaluate(lists, api.split(rows(), **COLUMNS, suite=REST), part="test")
    board = api.report(copied)
    assert [row.model for row in board.rows()] == ["baselines/popularity"]
    assert any("1 without a row here" in note.text for note in board.tables[0].notes)
    assert api.evaluate(lists, copied, part="test") == found  # they are known by now
    assert len(select(directory.records(), ListsOpened)) == 1


def test_lists_that_cannot_be_used_are_named_as_lists(finished: api.Run) -> None:
    made = api.split(finished)
    with pytest.raises(DataError, match=r"^lists: row 1: item \d+ in the list of user 'u\d+' is hidden"):
        api.evaluate(made.train[["uid", "sku"]].assign(score=1.0), finished)
    with pytest.raises(RunError, match="part: must be valid or test"):
        api.evaluate(made.train, finished, part="train")  # type: ignore[arg-type]


def test_lists_of_a_frame_become_a_row_of_the_board(copied: api.Run) -> None:
    made = api.split(copied)
    lists = popular(pd.concat([made.train, made.valid]), rows()["uid"])
    board = api.score(copied, lists.rename(columns={"uid": "user", "sku": "item"})).board
    assert {row.model for row in board.rows()} == {"baselines/popularity", "lists"}


@pytest.fixture(scope="module")
def bundle(finished: api.Run, tmp_path_factory: pytest.TempPathFactory) -> benchmark.Bundle:
    return benchmark.load(finished.pick(export=tmp_path_factory.mktemp("bundles") / "best"))


def test_bundle_recommends_the_users_of_a_frame_what_it_recommends_to_each(bundle: benchmark.Bundle) -> None:
    lists = bundle.recommend(rows(), 3, user="uid", exclude=[4])
    singly = bundle.recommend(rows()["uid"].unique(), 3, exclude=[4])
    assert lists.columns.tolist() == ["uid", "rank", "item", "score", "source"]
    assert list(zip(lists["uid"], lists["item"], strict=True)) == [
        (one.user, item.id) for one in singly for item in one.items
    ]
    assert lists["score"].tolist() == [item.score for one in singly for item in one.items]


def test_users_whom_a_bundle_does_not_know_get_what_is_popular_in_their_place(
    bundle: benchmark.Bundle,
) -> None:
    lists = bundle.recommend(pa.table({"user": ["stranger", "u1"]}), 2)
    assert lists["user"].to_pylist() == ["stranger", "stranger", "u1", "u1"]
    assert lists["source"].to_pylist() == ["popularity", "popularity", "model", "model"]
    (found,) = bundle.recommend(["stranger"], 2)
    assert lists["item"].to_pylist()[:2] == [item.id for item in found.items]


def test_frame_without_users_is_refused(bundle: benchmark.Bundle) -> None:
    with pytest.raises(BundleError, match="has the columns sku, uid, stars, odd; say which one"):
        bundle.recommend(rows())
    with pytest.raises(BundleError, match=r"frame: row 2 has no user \(1 rows\)"):
        bundle.recommend(pl.DataFrame({"user": ["u1", None]}))


def test_calls_that_take_no_frame_say_which_do(finished: api.Run, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"is a DataFrame; .* run and split also take a frame"):
        api.plan(rows())  # type: ignore[arg-type]
    with pytest.raises(BundleError, match=r"load\(bundle\).recommend\(frame\) returns its lists"):
        api.recommend(tmp_path, rows())  # type: ignore[arg-type]


def test_pick_without_a_bundle_cannot_be_loaded(finished: api.Run) -> None:
    with pytest.raises(BundleError, match="was picked, not exported"):
        benchmark.load(finished.pick())


def test_run_board_pick_and_bundle_are_short_in_text_and_tables_in_a_notebook(
    finished: api.Run, bundle: benchmark.Bundle
) -> None:
    shown = (finished, finished.board, finished.pick(), bundle)
    assert max(len(repr(one)) for one in shown) < 200
    assert all("baselines/popularity" in one._repr_html_() for one in shown)


def test_board_of_a_run_is_never_older_than_its_rows(copied: api.Run) -> None:
    before = copied.board
    known = api.split(copied)
    lists = popular(pd.concat([known.train, known.valid]), known.train["uid"])
    api.score(copied, lists, name="mine")

    assert "mine" in [row.model for row in copied.board.tables[0].rows]
    assert "mine" not in [row.model for row in before.tables[0].rows]
    assert copied.board is copied.board


def test_score_takes_the_columns_of_the_log_and_keeps_no_frame_that_it_refuses(copied: api.Run) -> None:
    kept = set(copied.path.glob("frames/*"))
    with pytest.raises(DataError, match=r"^lists"):
        api.score(copied, pd.DataFrame({"uid": ["u1"], "sku": [-5], "rank": [1]}), name="bad")

    assert set(copied.path.glob("frames/*")) == kept


@pytest.mark.parametrize(
    "column", [pd.Series(["u1", "u2"]), pl.Series(["u1", "u2"]), pa.chunked_array([["u1", "u2"]])]
)
def test_single_column_is_a_list_of_ids_where_ids_are_meant_and_else_refused(
    column: Any, bundle: benchmark.Bundle, finished: api.Run
) -> None:
    assert bundle.recommend(column, k=2) == bundle.recommend(["u1", "u2"], k=2)
    with pytest.raises(DataError, match="lists: is a single column"):
        api.evaluate(column, api.split(finished))


def test_levels_of_an_index_count_as_columns_of_lists(finished: api.Run) -> None:
    known = api.split(finished)
    lists = popular(known.train, known.valid["uid"])

    assert api.evaluate(lists.set_index(["uid", "sku"]), known) == api.evaluate(lists, known)
