"""A run on purchases that come again, from suite to bundle: seen items stay candidates in every list."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adapters import ADAPTERS
from benchmark import bundle, cli, runner
from benchmark.bundle.export import export
from benchmark.bundle.format import MANIFEST, write_sums
from benchmark.bundle.verify import verify
from benchmark.datasets.store.parts import load_parts
from benchmark.leaderboard import ranked_results
from benchmark.registry import Registry
from benchmark.results import PerUserPart, RunDirectory
from benchmark.runner import RunOptions
from benchmark.suite import parse_suite

SUITE = """
name: again
datasets:
  - {name: baskets, synthetic: {users: 60, items: 30, interactions: 1800, repeats: 0.7, basket: 3, seed: 3}}
prepare: {pairs: repeat, seen: allow}
split: {by: leave_last_out}
metrics: {primary: ndcg@5, also: [recall@5, hit@3/9neg]}
budget: {per_model: 5s, max_trials: 1, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1}
models: [baselines/most-frequent, baselines/most-recent, baselines/popularity]
"""
REGISTRY = Registry(ADAPTERS)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    runner.run(parse_suite(SUITE, "again.yaml", REGISTRY), REGISTRY, RunOptions(out=folder))
    return ranked_results(RunDirectory(folder))


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory) -> Path:
    return export(results, "baselines/most-frequent", tmp_path_factory.mktemp("b") / "bundle")


def test_board_splits_every_ranking_metric_and_the_parts_add_up(results):
    for row in results.table.ranked:
        for name in ("ndcg@5", "recall@5", "hit@3/9neg"):
            parts = row.metrics[f"{name}/repeated"] + row.metrics[f"{name}/new"]
            assert parts == pytest.approx(row.metrics[name], abs=1e-12)
    first = results.table.ranked[0]
    assert first.model == "baselines/most-frequent"
    assert first.metrics["recall@5/repeated"] > first.metrics["recall@5/new"]


def test_board_says_that_seen_items_compete_and_how_much_comes_again(results):
    notes = " ".join(note.text for note in results.table.notes)
    assert "Full ranking over all items, those that a user has had included." in notes
    assert "Items come again: " in notes
    assert "/repeated, /new: " in notes
    assert "seen in training and" not in notes


def test_model_is_tuned_on_lists_in_which_seen_items_compete(results):
    rows = {row.model: row for row in results.table.ranked}
    assert rows["baselines/most-frequent"].valid > 2 * rows["baselines/popularity"].valid


def test_bundle_lists_are_those_of_the_run_and_hold_seen_items(results, exported):
    per_user = PerUserPart(
        results.run_of("baselines/most-frequent"), results.finals["baselines/most-frequent"]
    ).frame()
    loaded = bundle.load(exported, REGISTRY)
    lists = loaded.recommend([loaded.user_ids[user] for user in per_user["user"]], k=5)
    for found, stored in zip(lists, per_user["items"], strict=True):
        assert [item.id for item in found.items] == [loaded.item_ids[item] for item in stored[:5]]
    known = load_parts(results.split_folder, "train", "valid")
    first = lists[0].items[0].id
    assert first in {loaded.item_ids[item] for item in known.items[known.users == per_user["user"].iloc[0]]}


def test_bundle_keeps_what_the_suite_said_and_verifies(exported):
    manifest = json.loads((exported / MANIFEST).read_text("utf-8"))
    assert (manifest["seen"], manifest["data"]["pairs"]) == ("allow", "repeat")
    assert manifest["hidden"] == "nothing: items come again"
    assert [check.ok for check in verify(exported, REGISTRY) if check.name != "latency"] == [True, True]
    assert "recommended again (`seen: allow`)" in (exported / "README.md").read_text("utf-8")


def test_new_user_gets_the_history_back_the_most_frequent_first(exported):
    loaded = bundle.load(exported, REGISTRY)
    often, once = loaded.item_ids[20], loaded.item_ids[21]
    found = loaded.recommend_new([once, often, often], k=2)
    assert (found.source, [item.id for item in found.items]) == ("history", [often, once])
    assert [item.id for item in loaded.recommend_new([once, often, often], k=1, exclude=[often]).items] == [
        once
    ]


def test_batch_lists_hold_seen_items(exported, tmp_path):
    loaded = bundle.load(exported, REGISTRY)
    pd.DataFrame({"user": loaded.user_ids[:3]}).to_csv(tmp_path / "users.csv", index=False)
    words = ["--users", tmp_path / "users.csv", "--out", tmp_path / "lists.csv", "-k", 3]
    assert cli.main(["recommend", str(exported), *map(str, words)]) == 0
    found = pd.read_csv(tmp_path / "lists.csv")
    expected = [item.id for one in loaded.recommend(loaded.user_ids[:3], k=3) for item in one.items]
    assert found["item"].tolist() == expected


def test_bundle_made_before_the_key_hides_what_a_new_user_has_had(exported, tmp_path):
    manifest = json.loads((exported / MANIFEST).read_text("utf-8"))
    del manifest["seen"], manifest["data"]["pairs"]
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    write_sums(tmp_path)
    loaded = bundle.load(tmp_path, REGISTRY)
    history = [loaded.item_ids[20], loaded.item_ids[21]]
    assert not {item.id for item in loaded.recommend_new(history, k=30).items} & set(history)


def test_scores_of_the_run_do_not_hide_anything(results, exported):
    loaded = bundle.load(exported, REGISTRY)
    assert np.isfinite(loaded.candidates(np.arange(5, dtype=np.int32))).all()
