"""What a run stores of its data: folds of their own, candidates, and a refusal when the source changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark import runner
from benchmark.datasets.manifest import Fold
from benchmark.datasets.store.candidates import candidates_for
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import DataError, SuiteError
from benchmark.ledger import select
from benchmark.records import FinalRecord, ReferenceNamed, StudyClosed
from benchmark.registry import Registry
from benchmark.runner import RunOptions
from benchmark.runner.splits import StoredSplit, store_all
from benchmark.suite import Suite

Make = Callable[..., Suite]


def stored(suite: Suite, folder: Path, base: Path = Path()) -> list[StoredSplit]:
    return store_all(suite, folder, None, base, lambda _: None)


@pytest.fixture
def own(tmp_path: Path) -> dict[str, Any]:
    """A log of the user's own, and the data set that names it."""
    rows = [(user, item, 1.0 + (user + item) % 5) for user in range(30) for item in range(user % 4, 16)]
    pd.DataFrame(rows, columns=["user", "item", "rating"]).to_csv(tmp_path / "log.csv", index=False)
    return {"name": "own", "path": "log.csv", "value": "rating", "scale": [1, 5]}


def test_each_fold_is_a_data_set_of_its_own(suite: Make, tmp_path: Path) -> None:
    folded = suite(split={"by": "k_fold", "folds": 3})
    found = stored(folded, tmp_path / "run")
    assert [data.label for data in found] == ["planted#1", "planted#2", "planted#3"]
    assert [data.directory.name for data in found] == folded.split.labels("planted")
    assert len({data.hash for data in found}) == 3
    assert found[1].manifest.fold == Fold(dataset="planted", number=2, count=3)


def test_every_row_is_in_test_of_one_fold(suite: Make, tmp_path: Path) -> None:
    found = stored(suite(split={"by": "k_fold", "folds": 3}), tmp_path / "run")
    tests = [load_parts(data.directory, "test") for data in found]
    pairs = {pair for rows in tests for pair in zip(rows.users.tolist(), rows.items.tolist(), strict=True)}
    assert len(pairs) == sum(map(len, tests)) == 400


def test_run_over_folds_tunes_and_tests_each_by_itself(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    two = suite(split={"by": "random", "repeats": 2}, models=["fake/fixed"], finals={"seeds": 1})
    place = runner.run(two, fakes, RunOptions(out=tmp_path / "run"))
    records = place.records()
    assert {one.dataset for one in select(records, StudyClosed)} == {"planted#1", "planted#2"}
    assert len(select(records, ReferenceNamed)) == 2


def test_plan_counts_the_studies_of_every_fold(suite: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark import api

    fakes = Registry({"fake/fixed": "fakes:Fixed", "fake/steady": "fakes:Steady"})
    monkeypatch.setattr("benchmark.api.suites.registry", lambda: fakes)
    studies = api.plan(suite(split={"by": "k_fold", "folds": 4}))
    assert len(studies) == 2 * 4
    assert studies[-1].name == "planted#4/fake/steady"


def test_run_that_goes_on_refuses_a_stored_split_that_was_damaged(suite: Make, tmp_path: Path) -> None:
    (data,) = stored(suite(), tmp_path / "run")
    assert stored(suite(), tmp_path / "run") == [data]
    path = data.directory / "valid" / "users.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(DataError, match=r"valid/users.npy: damaged, its checksum differs; run the suite"):
        stored(suite(), tmp_path / "run")


def test_data_sets_that_would_share_a_folder_are_refused(suite: Make, tmp_path: Path) -> None:
    generated = {"users": 40, "items": 30, "interactions": 400}
    twins = [{"name": name, "synthetic": generated} for name in ("my shop", "my/shop")]
    with pytest.raises(DataError, match=r"'my shop' and 'my/shop' would both go to splits/my-shop"):
        stored(suite(datasets=twins), tmp_path / "run")


def test_candidates_are_all_items_unless_the_suite_says_otherwise(suite: Make, tmp_path: Path) -> None:
    (data,) = stored(suite(), tmp_path / "run")
    assert data.manifest.candidates.rule == "all"
    rows = load_parts(data.directory, "train")
    assert candidates_for("all", data.directory, train=rows, seen=rows, target=rows) is None


def test_split_by_cold_items_takes_only_items_without_a_known_row(suite: Make, tmp_path: Path) -> None:
    (data,) = stored(suite(split={"by": "cold_item"}, metrics={"primary": "ndcg@2"}), tmp_path / "run")
    assert data.manifest.candidates.rule == "cold-items"
    train, seen = load_parts(data.directory, "train"), load_parts(data.directory, "train", "valid")
    test = load_parts(data.directory, "test")
    mask = candidates_for("cold-items", data.directory, train=train, seen=seen, target=test)
    assert mask is not None
    assert mask[test.items].all()
    assert not mask[seen.items].any()


@pytest.mark.parametrize(("rule", "part"), [("train", "train"), ("test-items", "test")])
def test_candidates_by_part_are_the_items_with_a_row_there(
    suite: Make, tmp_path: Path, rule: str, part: str
) -> None:
    (data,) = stored(suite(metrics={"primary": "ndcg@2", "candidates": rule}), tmp_path / "run")
    rows = {name: load_parts(data.directory, name) for name in ("train", "test")}
    mask = candidates_for(rule, data.directory, train=rows["train"], seen=rows["train"], target=rows["test"])
    assert np.array_equal(np.flatnonzero(mask), np.unique(rows[part].items))


def test_list_of_candidates_is_stored_and_unknown_items_are_counted(
    suite: Make, own: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "shelf.txt").write_text("3\n5\n\n999\n")
    wanted = {"primary": "ndcg@2", "candidates": {"items": "shelf.txt"}}
    (data,) = stored(suite(datasets=[own], metrics=wanted), tmp_path / "run", tmp_path)
    candidates = data.manifest.candidates
    assert (candidates.rule, candidates.items, candidates.unknown) == ("given", 2, 1)
    ids = pd.read_parquet(data.directory / "items.parquet")["id"].astype(str)
    rows = load_parts(data.directory, "train")
    mask = candidates_for("given", data.directory, train=rows, seen=rows, target=rows)
    assert set(ids[mask]) == {"3", "5"}


def test_list_that_names_no_item_of_the_log_is_refused(
    suite: Make, own: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "shelf.txt").write_text("a\nb\n")
    wanted = {"primary": "ndcg@2", "candidates": {"items": "shelf.txt"}}
    with pytest.raises(DataError, match=r"names 2 items, and none is in the log"):
        stored(suite(datasets=[own], metrics=wanted), tmp_path / "run", tmp_path)


def test_rule_of_candidates_that_does_not_exist_is_refused(suite: Make) -> None:
    with pytest.raises(SuiteError, match=r"metrics\.candidates"):
        suite(metrics={"candidates": "most"})


def test_sampled_metric_ranks_the_same_stored_items_for_every_model(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    sampled = suite(metrics={"primary": "ndcg@5", "also": ["hit@5/9neg"]}, models=["fake/fixed"])
    place = runner.run(sampled, fakes, RunOptions(out=tmp_path / "run"))
    split = place / "splits" / "planted"
    train, test = load_parts(split, "train", "valid"), load_parts(split, "test")
    valid_drawn, drawn = (np.load(split / f"negatives-{part}.npy") for part in ("valid", "test"))
    users = np.unique(test.users)
    assert drawn.shape == (len(users), 9)
    assert valid_drawn.shape[1] == 9
    known = {*zip(train.users, train.items, strict=True), *zip(test.users, test.items, strict=True)}
    assert not any((user, item) in known for user, row in zip(users, drawn, strict=True) for item in row)
    values = pd.read_parquet(place / "per_user.parquet")["hit@5/9neg"].dropna()
    assert values.isin([0.0, 1.0]).all()


def test_validation_may_draw_a_row_of_test(suite: Make, tmp_path: Path) -> None:
    """If it never did, what is missing among the drawn would tell the test rows."""
    sampled = suite(metrics={"primary": "ndcg@5", "also": ["hit@5/15neg"]})
    (data,) = stored(sampled, tmp_path / "run")
    test, valid = load_parts(data.directory, "test"), load_parts(data.directory, "valid")
    drawn = np.load(data.directory / "negatives-valid.npy")
    rows = {user: set(row.tolist()) for user, row in zip(np.unique(valid.users), drawn, strict=True)}
    assert any(item in rows.get(user, ()) for user, item in zip(test.users, test.items, strict=True))


def test_metrics_that_draw_different_numbers_are_refused(suite: Make) -> None:
    with pytest.raises(
        SuiteError, match="metrics: sampled metrics draw 9 and 15 negatives; all must draw the same number"
    ):
        suite(metrics={"primary": "ndcg@5", "also": ["hit@5/9neg", "hit@5/15neg"]})


def test_model_without_features_is_at_chance_on_cold_items(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    cold = suite(
        datasets=[{"name": "planted", "synthetic": {"users": 200, "items": 60, "interactions": 4000}}],
        split={"by": "cold_item"},
        metrics={"primary": "auc", "also": ["ndcg@2"]},
        models=["fake/fixed"],
        finals={"seeds": 1, "train_on": "train"},
    )
    place = runner.run(cold, fakes, RunOptions(out=tmp_path / "run"))
    (final,) = select(place.records(), FinalRecord)
    assert final.measured is not None
    assert final.measured.filled_items > 0
    assert final.scores.values["auc"] == 0.5  # noqa: PD011 - the field of a record, not of a frame
