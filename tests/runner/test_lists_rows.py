"""Rows of lists made elsewhere: of a suite, and added to a finished run; real processes, two real models."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Bench
from repository import ROOT

from benchmark import api, runner
from benchmark.api.adapters import registry
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.raw_ids import raw_ids
from benchmark.errors import DataError, PickError, RunError, SuiteError
from benchmark.leaderboard import BoardRow
from benchmark.ledger import select
from benchmark.records import FinalRecord, ListsOpened, TestOpened
from benchmark.results import PerUserPart, RunDirectory
from benchmark.runner.added_lists import add_lists

MODELS = ["baselines/popularity", "native/ease"]
SUITE: dict[str, Any] = {
    "name": "rivals",
    "datasets": [
        {"name": "planted", "synthetic": {"users": 60, "items": 80, "interactions": 900, "seed": 3}}
    ],
    "metrics": {"primary": "ndcg@5", "also": ["recall@3", "coverage@5", "auc"]},
    "budget": {"per_model": "10m", "max_trials": 1, "slot": {"memory": "2GB", "gpu": "no"}},
    "finals": {"seeds": 1, "default": False},
    "models": MODELS,
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A finished run without lists; tests change copies."""
    return RunDirectory(api.run(SUITE, out=tmp_path_factory.mktemp("rivals") / "run").path)


@pytest.fixture
def run(finished: RunDirectory, tmp_path: Path) -> RunDirectory:
    return RunDirectory(Path(shutil.copytree(finished.path, tmp_path / "run")))


def split_of(run: RunDirectory) -> Path:
    return run / "splits/planted"


def ids(run: RunDirectory) -> tuple[Any, Any]:
    return raw_ids(split_of(run), "user"), raw_ids(split_of(run), "item")


def final(run: RunDirectory, model: str) -> PerUserPart:
    """What the board ranks of a model."""
    found = [one for one in select(run.records(), FinalRecord) if one.model == model]
    return PerUserPart(run, next(one for one in found if one.train_on == "train+valid"))


def lists_of_ease(run: RunDirectory) -> pd.DataFrame:
    users, items = ids(run)
    part = final(run, "native/ease")
    whose, lists = users[part.column("user")], items[part.lists()]
    ranks = np.arange(1, lists.shape[1] + 1)
    rows = {"user": np.repeat(whose, len(ranks)), "item": lists.ravel(), "rank": np.tile(ranks, len(whose))}
    return pd.DataFrame(rows)[part.lists().ravel() >= 0]


def counts_for(run: RunDirectory, *known: Any) -> pd.DataFrame:
    """Score every item that is new to a user by its likes, as popularity does."""
    rows = load_parts(split_of(run), *known)
    users, items = ids(run)
    new = np.argwhere(rows.matrix().toarray() == 0)
    likes = np.bincount(rows.items[rows.positive], minlength=len(items))
    return pd.DataFrame({"user": users[new[:, 0]], "item": items[new[:, 1]], "score": likes[new[:, 1]]})


def rows_of(run: RunDirectory) -> dict[str, BoardRow]:
    return {row.model: row for row in api.report(run.path).tables[0].rows}


def p_of_popularity(run: RunDirectory) -> float:
    p = rows_of(run)["baselines/popularity"].p_these_models
    assert p is not None
    return p


def notes_of(run: RunDirectory) -> str:
    return "\n".join(note.text for note in api.report(run.path).tables[0].notes)


@pytest.fixture(scope="module")
def scored(finished: RunDirectory, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same run with EASE's own lists as production, and without those of a user as a."""
    folder = tmp_path_factory.mktemp("scored")
    run, lists = RunDirectory(Path(shutil.copytree(finished.path, folder / "run"))), lists_of_ease(finished)
    lists.sample(frac=1, random_state=0).to_parquet(folder / "production.parquet")
    api.score(run.path, folder / "production.parquet")
    lists[lists["user"] > lists["user"].min()].to_csv(folder / "some.csv", index=False)
    add_lists(run, {"test": folder / "some.csv"}, "a")
    return run


def test_lists_of_a_model_score_what_it_scores_and_only_add_a_row(
    finished: RunDirectory, scored: RunDirectory
) -> None:
    before, after = rows_of(finished), rows_of(scored)
    ease, lists = after["native/ease"], after["production"]
    assert lists.metrics == {**ease.metrics, "auc": None}
    assert (lists.low, lists.high, lists.popularity_lift) == (ease.low, ease.high, ease.popularity_lift)
    for column in ("ndcg@5", "recall@3", "recall_head"):
        mine, its = (final(scored, model).column(column) for model in ("production", "native/ease"))
        np.testing.assert_array_equal(mine, its)
    assert (lists.tuned, lists.library, lists.trials, lists.charged_s) == (False, "lists", 0, 0.0)
    assert (lists.trained_on, lists.latency_ms_p50, lists.is_reference) == (None, None, False)
    assert {model: after[model].metrics for model in before} == {
        model: row.metrics for model, row in before.items()
    }
    assert (scored / "suite.json").read_bytes() == (finished / "suite.json").read_bytes()
    assert set(pd.read_parquet(scored / "per_user.parquet")["model"]) == {*MODELS, "production", "a"}


def test_row_is_marked_and_each_opening_of_test_is_on_record_and_counted(
    finished: RunDirectory, scored: RunDirectory
) -> None:
    opened = len(select(finished.records(), TestOpened))
    assert len(select(scored.records(), TestOpened)) == opened + 2
    assert [look.added for look in select(scored.records(), ListsOpened)] == [True, True]
    said, users = notes_of(scored), final(scored, "native/ease").final.scores.counts.users
    assert f"a: lists for {users - 1} of {users} users; for the others nothing was shown" in said
    assert f"production: lists for {users} of {users} users." in said
    assert "auc: n/a for them, lists hold no scores of all items" in said
    assert "Lists were scored on test 2 times by bench score" in said
    assert "a (not tuned here)" in api.report(scored.path)._repr_html_()
    assert p_of_popularity(scored) == pytest.approx(3 * p_of_popularity(finished))


def test_opening_without_a_row_stays_in_the_family(scored: RunDirectory, tmp_path: Path) -> None:
    run = RunDirectory(Path(shutil.copytree(scored.path, tmp_path / "run")))
    ledger = run.ledger()
    ledger.append(replace(select(run.records(), ListsOpened)[0], entry="interrupted", final_key="another"))
    ledger.shut()
    assert p_of_popularity(run) == pytest.approx(4 / 3 * p_of_popularity(scored))
    assert "Lists were scored on test 3 times" in notes_of(run)
    assert "1 without a row here" in notes_of(run)


def test_resumed_run_keeps_its_added_rows(scored: RunDirectory, tmp_path: Path) -> None:
    run = RunDirectory(Path(shutil.copytree(scored.path, tmp_path / "run")))
    before = rows_of(run)["a"]
    run.update(state="stopped")
    runner.run(run.suite(), registry(), runner.RunOptions(out=run.path))
    assert rows_of(run)["a"] == before
    assert set(pd.read_parquet(run / "per_user.parquet")["model"]) == {*MODELS, "production", "a"}


def test_row_of_another_split_stays_with_the_reason(scored: RunDirectory, tmp_path: Path) -> None:
    run = RunDirectory(Path(shutil.copytree(scored.path, tmp_path / "run")))
    one, other = run.manifest().scored
    assert other.lists is not None
    run.update(scored=(one, replace(other, lists=replace(other.lists, split="another"))))
    row = rows_of(run)["a"]
    assert (row.status, row.value, "a split that was replaced since" in row.reason) == ("n/a", None, True)


@pytest.mark.parametrize(
    ("name", "dataset", "said"),
    [
        ("native/ease", None, "has a row of that name, and rows are kept: choose another name"),
        ("Native/Ease", None, r"has a row of that name but for capitals \(native/ease\), and rows are kept"),
        ("b", None, "is the file of the row a; it has been scored"),
        ("b", "plant", "has no such data set; did you mean 'planted'"),
        (" ", None, "must not be empty"),
    ],
)
def test_scoring_that_would_open_test_for_nothing_is_refused(
    scored: RunDirectory, name: str, dataset: str | None, said: str
) -> None:
    before = (scored / "ledger.jsonl").read_bytes()
    with pytest.raises(RunError, match=said):
        api.score(scored.path, scored.path.parent / "some.csv", name=name, dataset=dataset)
    assert (scored / "ledger.jsonl").read_bytes() == before


def test_wrong_file_ends_with_its_message_and_opens_nothing(
    run: RunDirectory, tmp_path: Path, bench: Bench
) -> None:
    lists = lists_of_ease(run)
    lists[lists["rank"] < 3].to_csv(tmp_path / "short.csv", index=False)
    code, _, complaint = bench("score", run.path, tmp_path / "short.csv")
    assert code == 2
    assert re.fullmatch(r"bench: .*short.csv: 60 of 60 lists have fewer than 5 items, .*\n", complaint)
    assert bench("score", run.path, tmp_path / "none.csv")[0] == 2
    assert not select(run.records(), ListsOpened)


def test_run_that_is_held_or_not_finished_takes_no_lists(run: RunDirectory, tmp_path: Path) -> None:
    lists_of_ease(run).to_csv(tmp_path / "a.csv", index=False)
    with run.locked(), pytest.raises(RunError, match="is running in this directory"):
        api.score(run.path, tmp_path / "a.csv")
    run.update(state="stopped")
    with pytest.raises(RunError, match="is not finished"):
        api.score(run.path, tmp_path / "a.csv")


@pytest.fixture(scope="module")
def with_lists(finished: RunDirectory, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run of popularity and of lists that somebody made who counts likes as it does."""
    folder = tmp_path_factory.mktemp("lists")
    counts_for(finished, "train").to_csv(folder / "valid.csv", index=False)
    counts_for(finished, "train", "valid").to_parquet(folder / "test.parquet")
    files = {"valid": str(folder / "valid.csv"), "test": str(folder / "test.parquet")}
    models = [MODELS[0], {"lists": files, "name": "production"}]
    return RunDirectory(api.run({**SUITE, "models": models}, out=folder / "run").path)


def test_suite_row_has_its_value_on_validation_and_ties_as_models_have(with_lists: RunDirectory) -> None:
    rows = rows_of(with_lists)
    popularity, lists = rows["baselines/popularity"], rows["production"]
    assert lists.metrics == {**popularity.metrics, "auc": None}
    assert lists.valid == popularity.valid
    assert (popularity.is_reference, lists.is_reference) == (True, False)
    assert [look.added for look in select(with_lists.records(), ListsOpened)] == [False]
    assert "by bench score" not in notes_of(with_lists)


def test_pick_exports_no_lists_and_says_why(with_lists: RunDirectory, tmp_path: Path) -> None:
    picked = api.pick(with_lists.path, export=tmp_path / "bundle")
    assert picked.model == "baselines/popularity"
    assert "not tuned here: lists made elsewhere, so there is no model that could be exported" in str(picked)
    with pytest.raises(
        PickError, match=r"production: .*; not tuned here: .* no model that could be exported"
    ):
        api.pick(with_lists.path, max_latency_ms=0.0, export=tmp_path / "other")


def test_changed_file_of_lists_is_noticed(with_lists: RunDirectory, tmp_path: Path) -> None:
    copy = RunDirectory(Path(shutil.copytree(with_lists.path, tmp_path / "run")))
    (study,) = (study for study in copy.manifest().studies if study.lists is not None)
    assert study.lists is not None
    assert study.lists.valid is not None
    path = Path(study.lists.valid.path)
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"\n")
        with pytest.raises(RunError, match=r"production: .*valid.csv \(valid\) was sha256"):
            api.run(copy.suite(), out=copy.path)
    finally:
        path.write_bytes(content)


def test_run_goes_on_where_the_files_of_its_scored_lists_are_gone(
    with_lists: RunDirectory, tmp_path: Path
) -> None:
    copy = RunDirectory(Path(shutil.copytree(with_lists.path, tmp_path / "run")))
    (study,) = (study for study in copy.manifest().studies if study.lists is not None)
    assert study.lists is not None
    path = Path(study.lists.test.path)
    content = path.read_bytes()
    copy.update(state="stopped")
    try:
        path.unlink()
        api.run(copy.suite(), out=copy.path)
    finally:
        path.write_bytes(content)
    assert rows_of(copy)["production"] == rows_of(with_lists)["production"]
    assert len(select(copy.records(), ListsOpened)) == 1


def test_wrong_file_of_a_suite_is_refused_before_anything_is_spent(
    finished: RunDirectory, tmp_path: Path
) -> None:
    lists = lists_of_ease(finished)
    lists.assign(item=lists["item"] + 1000).to_csv(tmp_path / "wrong.csv", index=False)
    models = [*MODELS, {"lists": {"test": str(tmp_path / "wrong.csv")}}]
    for start in (api.plan, lambda suite: api.run(suite, out=tmp_path / "run")):
        with pytest.raises(DataError, match=r"wrong.csv:2: item 1.* is not in planted"):
            start({**SUITE, "models": models})
    assert RunDirectory(tmp_path / "run").records() == []


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"primary": "auc", "also": []}, "lists hold no scores of all items, so they have no auc"),
        (
            {"primary": "ndcg@5", "candidates": "test-items"},
            "the candidates are the items that occur in test",
        ),
    ],
)
def test_lists_that_cannot_be_measured_are_a_row_with_the_reason(
    metrics: dict[str, Any], reason: str
) -> None:
    models = [*MODELS, {"lists": {"test": "none.csv"}, "name": "production"}]
    (row,) = (
        row for row in api.plan({**SUITE, "models": models, "metrics": metrics}) if row.library == "lists"
    )
    assert row.excluded is not None
    assert (row.excluded.status, reason in row.excluded.reason) == ("n/a", True)


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([{"lists": {"test": "a.csv"}}], "at least one model must be tuned here"),
        ([*MODELS, {"lists": {"tset": "a.csv"}}], "models.2..lists.tset: unknown key; did you mean 'test'"),
        ([*MODELS, {"lists": {"test": "a"}, "use": "native/slim"}], "a row is one or the other"),
        ([*MODELS, {"lists": {"test": "a"}, "dataset": "plant"}], "no split 'plant'; did you mean 'planted'"),
    ],
)
def test_suite_says_what_is_wrong_with_a_row_of_lists(models: list[Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        api.check({**SUITE, "models": models})


def test_row_of_lists_for_one_of_several_splits_must_say_which() -> None:
    models = [*MODELS, {"lists": {"test": "a.csv"}}]
    with pytest.raises(SuiteError, match="say which with dataset, of planted#1, planted#2"):
        api.check({**SUITE, "models": models, "split": {"by": "random", "repeats": 2}})


def test_example_of_the_page_competes(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/lists.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example.replace('"RUN"', '"run"'), "lists.md", "exec"), {})
    assert "counts  not tuned here: lists made elsewhere" in capsys.readouterr().out
    test = load_parts(split_of(run), "test")
    users, items = ids(run)
    held_out = set(zip(users[test.users].tolist(), items[test.items].tolist(), strict=True))
    for part in ("train", "valid"):
        frame, stored = pd.read_parquet(f"competition/{part}.parquet"), load_parts(split_of(run), part)
        assert frame["user"].tolist() == users[stored.users].tolist()
        assert frame["item"].tolist() == items[stored.items].tolist()
        assert not held_out & set(zip(frame["user"], frame["item"], strict=True))
    assert sorted(path.name for path in Path("competition").iterdir()) == [
        *("README.md", "items.parquet", "manifest.json", "train.parquet", "users.parquet", "valid.parquet")
    ]
    assert "5 items or more for every user" in " ".join(Path("competition/README.md").read_text().split())


def test_split_is_exported_to_an_empty_folder_only(run: RunDirectory, tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    assert bench("export-split", run.path, tmp_path / "full")[0] == 2
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == ["mine.txt"]
    code, _, complaint = bench("export-split", run.path, tmp_path / "link")
    assert (code, "not an empty folder" in complaint, (tmp_path / "link").is_symlink()) == (2, True, True)
    code, shown, _ = bench("export-split", run.path, tmp_path / "empty")
    assert (code, "without test" in shown) == (0, True)
    assert not list(tmp_path.glob(".*"))
