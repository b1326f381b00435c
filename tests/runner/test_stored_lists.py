"""Metrics that are added to a finished run, measured on stored lists; real processes, fake models."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from changed_suite import give_suite

from benchmark import api, runner
from benchmark.files import file_sha256
from benchmark.leaderboard import BoardRow, board
from benchmark.ledger import select
from benchmark.records import FinalOpened, FinalRecord, TestOpened
from benchmark.registry import Registry
from benchmark.results import PerUserPart, RunDirectory
from benchmark.runner import RunOptions
from benchmark.suite import Suite, parse_suite

MODELS = ["fake/fixed", "fake/steady", "fake/rating"]
ADDED = ["recall@10", "map@5", "coverage@10", "personalisation@10", "recall@10/new"]
SUITE = """
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}, scale: [1, 5]}]
prepare: {positive: ">= 3"}
metrics: {primary: ndcg@10, also: [rmse]}
budget: {per_model: 10m, max_trials: 3, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 2}
models: [fake/fixed, fake/steady, fake/rating]
"""

Resume = Callable[..., list[FinalRecord]]


@pytest.fixture(scope="module")
def of(fakes: Registry) -> Callable[..., Suite]:
    """Make the suite with these metrics beside the primary one."""
    return lambda *also: parse_suite(
        SUITE, "small.yaml", fakes, {"metrics": {"primary": "ndcg@10", "also": list(also)}}
    )


@pytest.fixture(scope="module")
def finished(
    of: Callable[..., Suite], fakes: Registry, tmp_path_factory: pytest.TempPathFactory
) -> RunDirectory:
    """A finished run with NDCG and RMSE; tests change copies."""
    return runner.run(of("rmse"), fakes, RunOptions(out=tmp_path_factory.mktemp("finished") / "run"))


@pytest.fixture
def run(finished: RunDirectory, tmp_path: Path) -> RunDirectory:
    return RunDirectory(Path(shutil.copytree(finished.path, tmp_path / "run")))


@pytest.fixture
def resume(run: RunDirectory, of: Callable[..., Suite], fakes: Registry) -> Resume:
    """Go on in the run with these metrics; return what became of finals."""

    def go_on(*also: str) -> list[FinalRecord]:
        before = len(run.records())
        runner.run(of(*also), fakes, RunOptions(out=give_suite(run, of(*also)).path))
        return select(run.records()[before:], FinalRecord)

    return go_on


def finals(run: RunDirectory) -> list[FinalRecord]:
    return select(run.records(), FinalRecord)


def identity(final: FinalRecord) -> tuple[object, ...]:
    return final.model, final.train_on, final.config_source, final.seed


def rows(run: RunDirectory) -> dict[str, BoardRow]:
    return {row.model: row for row in board(run).tables[0].rows}


def test_added_metrics_are_those_of_a_fresh_run_bit_for_bit_and_nothing_is_fitted(
    run: RunDirectory, resume: Resume, of: Callable[..., Suite], fakes: Registry, tmp_path: Path
) -> None:
    names = ("rmse", "mae", *ADDED)
    earlier = {identity(final): final for final in finals(run)}
    files = {final.scores.path: file_sha256(run / final.scores.path) for final in earlier.values()}
    again = resume(*names)
    fresh = runner.run(of(*names), fakes, RunOptions(out=tmp_path / "fresh"))
    assert len(again) == len(earlier) == 9
    for final, new in ((identity(one), one) for one in again):
        old = earlier[final]
        assert (new.outcome, new.lists_of, new.charged_s) == ("complete", old.entry, 0.0)
        assert (new.fit_key, new.final_key != old.final_key) == (old.fit_key, True)
        assert (new.measured, new.fit_s, new.memory_mb) == (old.measured, old.fit_s, old.memory_mb)
        assert new.scores.state_sha256 == old.scores.state_sha256
    wanted = {identity(final): final.scores for final in finals(fresh)}
    for final in again:
        own = wanted[identity(final)]
        assert dict(final.scores.values) == dict(own.values)
        assert (final.scores.metrics, final.scores.counts) == (own.metrics, own.counts)
        assert final.scores.popularity_lift == own.popularity_lift
        assert final.scores.sha256 == own.sha256
    assert {path: file_sha256(run / path) for path in files} == files
    assert {name: row.metrics for name, row in rows(run).items()} == {
        name: row.metrics for name, row in rows(fresh).items()
    }


def test_board_after_metrics_were_added_has_all_that_it_had(run: RunDirectory, resume: Resume) -> None:
    before = rows(run)
    resume("rmse", *ADDED)
    for name, row in rows(run).items():
        assert row.recall_head == before[name].recall_head is not None
        assert row.metrics["ndcg@10"] == before[name].metrics["ndcg@10"]
        assert (row.seeds, row.fit_s, row.size_mb) == (
            before[name].seeds,
            before[name].fit_s,
            before[name].size_mb,
        )
        assert row.metrics["recall@10"] is not None
    exported = pd.read_parquet(run / "per_user.parquet")
    assert exported["recall@10"].notna().any()
    assert len(exported) == len(pd.concat(PerUserPart(run, one).frame() for one in finals(run)[:9]))


def test_model_is_not_started_and_test_is_opened_on_record(run: RunDirectory, resume: Resume) -> None:
    log = len((run / "log.txt").read_text("utf-8"))
    before = len(run.records())
    again = resume("rmse", "recall@5")
    said = (run / "log.txt").read_text("utf-8")[log:]
    assert "[scorer]" in said
    assert "[planted/" not in said
    new = [one for one in run.records()[before:] if isinstance(one, FinalOpened | TestOpened | FinalRecord)]
    kinds = [(type(one), one.entry) for one in new]
    assert sorted(kinds, key=str) == sorted(
        ((kind, one.entry) for one in again for kind in (FinalOpened, TestOpened, FinalRecord)), key=str
    )
    for one in again:
        assert kinds.index((TestOpened, one.entry)) < kinds.index((FinalRecord, one.entry))


def test_metric_that_was_taken_away_costs_nothing_and_neither_does_its_return(
    run: RunDirectory, resume: Resume
) -> None:
    wanted = rows(run)
    assert resume() == []
    assert list(rows(run)["fake/rating"].metrics) == ["ndcg@10"]
    assert resume("rmse") == []
    assert {name: row.metrics for name, row in rows(run).items()} == {
        name: row.metrics for name, row in wanted.items()
    }


def test_metrics_that_were_taken_away_are_kept_where_others_are_measured(
    run: RunDirectory, resume: Resume
) -> None:
    value = rows(run)["fake/rating"].metrics["rmse"]
    assert len(resume("hit@10")) == 9
    assert resume("hit@10", "rmse") == []
    assert rows(run)["fake/rating"].metrics["rmse"] == value is not None


@pytest.mark.parametrize("name", ["recall@11", "auc", "hit@5/9neg", "rprecision"])
def test_metric_that_lists_do_not_hold_is_measured_on_models_fitted_again(
    run: RunDirectory, resume: Resume, name: str
) -> None:
    again = resume("rmse", name)
    assert [one.lists_of for one in again] == [""] * 9
    assert all(one.charged_s > 0 for one in again)
    assert all(row.metrics[name] is not None for row in rows(run).values())


def test_values_that_lists_do_not_hold_are_taken_over_when_others_are_added(
    run: RunDirectory, resume: Resume
) -> None:
    names = ("rmse", "auc", "hit@5/9neg", "r2")
    resume(*names)
    wanted = rows(run)
    again = resume(*names, "hit@10")
    assert len(again) == 9
    assert all(one.lists_of for one in again)
    for model, row in rows(run).items():
        assert {name: row.metrics[name] for name in names} == {
            name: wanted[model].metrics[name] for name in names
        }


def test_ratings_of_a_model_that_was_asked_for_none_are_asked_for_by_fitting_it(
    run: RunDirectory, resume: Resume
) -> None:
    """Only models that rate lack anything: the others have no RMSE, whatever the suite says."""
    again = resume("rmse", "r2")
    assert {one.model for one in again} == {"fake/rating"}
    assert {one.lists_of for one in again} == {""}


def test_metric_without_a_value_is_measured_once(run: RunDirectory, resume: Resume) -> None:
    assert len(resume("rmse", "diversity@1")) == 9
    assert all("diversity@1" not in one.scores.values for one in finals(run))  # noqa: PD011 - no frame
    assert resume("rmse", "diversity@1") == []


def test_final_whose_file_was_changed_is_fitted_again(run: RunDirectory, resume: Resume) -> None:
    changed = finals(run)[0]
    (run / changed.scores.path).write_bytes(b"")
    again = {identity(one): one for one in resume("rmse", "recall@5")}
    assert len(again) == 9
    assert [key for key, one in again.items() if not one.lists_of] == [identity(changed)]


def test_lists_that_no_ranker_makes_are_refused_and_the_model_is_fitted_again(
    run: RunDirectory, resume: Resume
) -> None:
    wrong = finals(run)[0]
    path = run / wrong.scores.path
    rows_of_users = pd.read_parquet(path)
    rows_of_users["items"] = [np.zeros(10, dtype=np.int32)] * len(rows_of_users)
    rows_of_users.to_parquet(path, index=False)
    ledger = (run / "ledger.jsonl").read_text("utf-8")
    (run / "ledger.jsonl").write_text(ledger.replace(wrong.scores.sha256, file_sha256(path)))
    own = [one for one in resume("rmse", "recall@5") if identity(one) == identity(wrong)]
    assert [(one.outcome, bool(one.lists_of)) for one in own] == [("broken", True), ("complete", False)]
    assert "twice" in own[0].reason
    assert rows(run)[wrong.model].metrics["recall@5"] is not None


def test_board_shows_nothing_of_a_metric_that_was_added_before_all_seeds_have_it(
    run: RunDirectory, resume: Resume, of: Callable[..., Suite]
) -> None:
    names = ("rmse", "recall@5", "coverage@10", "coverage@20", "personalisation@5")
    give_suite(run, of(*names))
    assert rows(run)["fake/steady"].metrics["coverage@10"] is not None  # made from the lists themselves
    for row in rows(run).values():
        assert {row.metrics[name] for name in names if name not in {"rmse", "coverage@10"}} == {None}
    resume("rmse", "recall@5", "personalisation@5")
    unseen = [one for one in finals(run) if identity(one) == ("fake/steady", "train+valid", "tuned", 1)][-1]
    lines = (run / "ledger.jsonl").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not ("final-closed" in line and unseen.entry in line)]
    (run / "ledger.jsonl").write_text("".join(kept))
    assert rows(run)["fake/fixed"].metrics["recall@5"] is not None
    steady = rows(run)["fake/steady"]
    assert (steady.status, steady.seeds) == ("ok", 2)
    assert (steady.metrics["recall@5"], steady.metrics["personalisation@5"]) == (None, None)


def test_runs_made_before_fits_had_keys_keep_their_finals(run: RunDirectory, resume: Resume) -> None:
    ledger = run / "ledger.jsonl"
    lines = ledger.read_text("utf-8")
    for final in finals(run):
        lines = lines.replace(f'"fit_key": "{final.fit_key}"', '"fit_key": ""')
    ledger.write_text(lines)
    assert {one.fit_key for one in finals(run)} == {""}
    assert resume("rmse") == []
    assert {one.lists_of for one in resume("rmse", "recall@5")} == {""}


@pytest.mark.parametrize(
    ("changes", "had", "wanted"),
    [
        ({"finals": {"users": 12}}, ["ndcg@10", "rmse"], ["ndcg@10", "rmse", "recall@5", "gini@10"]),
        (
            {"finals": {"train_on": "train"}},
            ["hit@3/9neg", "recall@10"],
            ["hit@3/9neg", "recall@10", "map@7"],
        ),
        ({"metrics": {"candidates": "test-items"}}, ["ndcg@10", "auc"], ["ndcg@10", "auc", "mrr@5"]),
        ({"prepare": {"positive": ">= 3", "seen": "allow"}}, ["ndcg@10"], ["ndcg@10", "recall@5/repeated"]),
        ({}, ["rmse"], ["rmse", "mae"]),
        ({}, ["rmse", "recall@10", "ndcg@5"], ["rmse", "ndcg@5"]),
        ({}, ["ndcg@30"], ["ndcg@30", "novelty@30", "hit@1"]),
    ],
)
def test_values_are_those_of_a_fresh_run_whoever_is_ranked_among_what(
    fakes: Registry, tmp_path: Path, changes: dict[str, Any], had: list[str], wanted: list[str]
) -> None:
    def suite(primary: str, *also: str) -> Suite:
        small: dict[str, Any] = {
            "models": ["fake/rating"],
            "budget": {"per_model": "10m", "max_trials": 1, "slot": {"memory": "2GB", "gpu": "no"}},
            "finals": {"seeds": 1} | changes.get("finals", {}),
            "metrics": {"primary": primary, "also": list(also)} | changes.get("metrics", {}),
        }
        return parse_suite(SUITE, "small.yaml", fakes, {**changes, **small})

    run = runner.run(suite(*had), fakes, RunOptions(out=tmp_path / "run"))
    before = len(finals(run))
    runner.run(suite(*wanted), fakes, RunOptions(out=give_suite(run, suite(*wanted)).path))
    fresh = runner.run(suite(*wanted), fakes, RunOptions(out=tmp_path / "fresh"))
    again, expected = finals(run)[before:], finals(fresh)
    assert len(again) == before == len(expected)
    for final, own in zip(sorted(again, key=identity), sorted(expected, key=identity), strict=True):
        assert final.lists_of
        mine = dict(final.scores.values)
        assert {name: mine[name] for name in wanted} == dict(own.scores.values)
        assert final.scores.popularity_lift == own.scores.popularity_lift
        if set(had) <= set(wanted):
            assert final.scores.sha256 == own.scores.sha256
    (row,), (other,) = rows(run).values(), rows(fresh).values()
    assert (row.metrics, row.recall_head, row.recall_tail) == (
        other.metrics,
        other.recall_head,
        other.recall_tail,
    )


def test_lists_of_real_models_have_the_values_of_a_fresh_run_and_their_board(tmp_path: Path) -> None:
    def suite(*also: str) -> dict[str, Any]:
        return {
            "name": "real",
            "datasets": [{"name": "planted", "synthetic": {"users": 60, "items": 80, "interactions": 900}}],
            "metrics": {"primary": "ndcg@10", "also": list(also)},
            "budget": {"per_model": "10m", "max_trials": 1, "slot": {"memory": "2GB", "gpu": "no"}},
            "finals": {"seeds": 2},
            "models": ["baselines/random", "baselines/popularity", "native/ease"],
        }

    wanted = ("recall@10", "map@5", "coverage@10")
    run = RunDirectory(api.run(suite(), out=tmp_path / "run").path)
    before = len(finals(run))
    give_suite(run, api.check(suite(*wanted)))
    api.run(suite(*wanted), out=run.path)
    fresh = api.run(suite(*wanted), out=tmp_path / "fresh")
    hashes = {identity(one): one.scores.sha256 for one in finals(RunDirectory(fresh.path))}
    again = finals(run)[before:]
    assert all(one.lists_of for one in again)
    assert {identity(one): one.scores.sha256 for one in again} == hashes
    csv = [(path / "leaderboard.csv") for path in (run.path, fresh.path)]
    columns = ["model", "rank", "ndcg@10", *wanted, "popularity_lift", "recall_tail"]
    mine, other = (pd.read_csv(path)[columns] for path in csv)
    pd.testing.assert_frame_equal(mine, other, check_exact=True)
