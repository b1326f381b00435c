"""How many users validation and finals take, and what rests on them."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from written_run import split_manifest

from benchmark import runner
from benchmark.datasets.manifest import PartCounts
from benchmark.datasets.store.candidates import load_negatives
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import load_manifest
from benchmark.datasets.store.user_samples import drawn_users, load_users, users_of
from benchmark.errors import DataError
from benchmark.fit import Fit
from benchmark.leaderboard import board
from benchmark.ledger import select
from benchmark.messages import FitRequest
from benchmark.metrics.evaluation import Evaluation
from benchmark.metrics.register import parse_metric
from benchmark.records import FinalRecord, TrialOpened
from benchmark.registry import Registry
from benchmark.reporting import FORMATS
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.runner.draw_samples import ERROR, parts_of_rating, validation_sample, with_samples
from benchmark.runner.splits import StoredSplit, store_all
from benchmark.suite import Suite, parse_suite
from benchmark.trial import Parts, evaluator_for, load

Make = Callable[..., Suite]
PLANTED = [{"name": "planted", "synthetic": {"users": 400, "items": 60, "interactions": 6000, "seed": 3}}]
SPLIT = {"by": "leave_last_out"}


@pytest.fixture
def planted(suite: Make) -> Make:
    """Make a suite of 400 users, the last row of each but one in validation; values are .05 or 0."""
    return lambda **metrics: suite(
        datasets=PLANTED, split=SPLIT, metrics={"primary": "precision@20", "also": ["ndcg@5"], **metrics}
    )


def stored(suite: Suite, folder: Path) -> StoredSplit:
    (data,) = store_all(suite, folder, None, Path(), lambda _: None)
    return data


def popularity_on(parts: Parts, *metrics: str, target: str = "adapters.baselines:Popularity") -> Evaluation:
    """Return what the baseline, or another model, gets on validation after one step, as in a trial."""
    measured = [parse_metric(name) for name in metrics]
    items = parts.candidates
    evaluator = evaluator_for(parts.valid, parts.train, measured, parts.train, items, "popularity")
    request = FitRequest(
        target=target,
        name="baselines/popularity",
        params={},
        seed=0,
        threads=1,
        device="cpu",
        metrics=metrics,
        rates=False,
    )
    fit = Fit.begin(request, parts.train)
    fit.step()
    evaluator.add(evaluator.users, fit.scores(evaluator.users))
    return evaluator.result()


def sd_of_popularity(data: StoredSplit, users: int) -> float:
    """Return the standard deviation of popularity's precision@20 over the first users drawn."""
    evaluation = popularity_on(load(str(data.directory)), "precision@20")
    order = drawn_users("valid", load_parts(data.directory, "valid"), 42)
    values = evaluation.per_user["precision@20"][np.isin(evaluation.users, order[:users])]
    return float(values[np.isfinite(values)].std(ddof=1))


def test_auto_takes_the_square_of_the_spread_over_the_error(planted: Make, tmp_path: Path) -> None:
    suite = planted()
    data = stored(suite, tmp_path)
    sd = sd_of_popularity(data, users=40)
    expected = math.ceil((sd / ERROR) ** 2)
    assert 40 < expected < 400, "the planted log is in this regime"
    sample = validation_sample(data.manifest, data.directory, suite, least=40)
    assert sample is not None
    assert sample.sd == pytest.approx(sd)
    assert (sample.users, sample.of, sample.wanted, sample.seed) == (expected, 400, "auto", 42)
    assert sample.error is not None
    assert sample.error <= ERROR * math.sqrt(400 / len(users_with_likes(data)))


def users_with_likes(data: StoredSplit) -> np.ndarray[Any, Any]:
    valid = load_parts(data.directory, "valid")
    return np.unique(valid.users[valid.positive])


def test_auto_takes_the_least_where_that_is_more(planted: Make, tmp_path: Path) -> None:
    suite = planted()
    data = stored(suite, tmp_path)
    sample = validation_sample(data.manifest, data.directory, suite, least=300)
    assert sample is not None
    assert sample.users == 300
    assert np.array_equal(
        load_users(data.directory, "valid"),
        np.sort(drawn_users("valid", load_parts(data.directory, "valid"), 42)[:300]),
    )


def test_auto_takes_all_where_the_spread_asks_for_more_than_there_are(planted: Make, tmp_path: Path) -> None:
    suite = planted(primary="ndcg@5")
    data = stored(suite, tmp_path)
    assert validation_sample(data.manifest, data.directory, suite, least=40) is None
    assert not (data.directory / "valid-users.npy").exists()


@pytest.mark.parametrize("users", [6_040, 6_500])
def test_auto_leaves_movielens_1m_whole_and_opens_nothing(planted: Make, tmp_path: Path, users: int) -> None:
    manifest = split_manifest(parts=dict.fromkeys(("valid", "test"), counts(users)))
    assert with_samples(manifest, tmp_path, planted()) == manifest
    assert list(tmp_path.iterdir()) == []


def test_auto_looks_at_a_log_with_one_user_more(planted: Make, tmp_path: Path) -> None:
    manifest = split_manifest(parts=dict.fromkeys(("valid", "test"), counts(6_501)))
    with pytest.raises(DataError, match="no such part"):
        with_samples(manifest, tmp_path, planted())


def counts(users: int) -> PartCounts:
    return PartCounts(rows=users, positives=users, users=users, items=10)


@pytest.mark.parametrize("wanted", ["auto", "all", 400, 5000])
def test_a_number_of_all_users_or_more_draws_none(planted: Make, tmp_path: Path, wanted: object) -> None:
    data = stored(planted(valid_users=wanted), tmp_path)
    assert data.manifest.valid_sample is None
    assert data.manifest.validated_users == 400
    assert "valid_users_sha256" not in data.key_inputs


def test_split_keeps_its_hash_and_the_sample_has_its_own(planted: Make, tmp_path: Path) -> None:
    whole, small, large = (
        stored(planted(valid_users=wanted), tmp_path / str(wanted)) for wanted in ("all", 100, 200)
    )
    assert whole.hash == small.hash == large.hash
    assert small.manifest.valid_sample is not None
    assert large.manifest.valid_sample is not None
    keys = [data.key_inputs.get("valid_users_sha256") for data in (whole, small, large)]
    assert keys == [None, small.manifest.valid_sample.sha256, large.manifest.valid_sample.sha256]
    assert keys[1] != keys[2]
    assert set(load_users(small.directory, "valid")) < set(load_users(large.directory, "valid"))


def test_values_on_a_sample_are_those_of_the_whole_for_its_users(planted: Make, tmp_path: Path) -> None:
    data = stored(planted(valid_users=150, candidates="test-items"), tmp_path)
    whole = popularity_on(load(str(data.directory), "test-items"), "ndcg@5", "precision@20")
    part = popularity_on(
        load(str(data.directory), "test-items", valid_sampled=True), "ndcg@5", "precision@20"
    )
    assert np.array_equal(part.users, load_users(data.directory, "valid"))
    chosen = np.isin(whole.users, part.users)
    assert np.array_equal(whole.lists[chosen], part.lists)
    for name in ("ndcg@5", "precision@20"):
        assert np.array_equal(whole.per_user[name][chosen], part.per_user[name], equal_nan=True)


def test_sampled_negatives_are_those_of_the_samples_users(planted: Make, tmp_path: Path) -> None:
    data = stored(planted(valid_users=150, also=["hit@5/9neg"]), tmp_path)
    parts = load(str(data.directory), sampled=True, valid_sampled=True)
    assert parts.candidates.negatives is not None
    assert parts.candidates.negatives.shape == (150, 9)
    everybody = users_of(load_parts(data.directory, "valid"))
    rows = load_negatives(data.directory, "valid")[np.isin(everybody, users_of(parts.valid))]
    assert np.array_equal(parts.candidates.negatives, rows)
    assert len(parts.both) == len(parts.train) + 400, "what finals learn from is whole"


def test_primary_metric_among_sampled_items_can_be_measured(planted: Make, tmp_path: Path) -> None:
    data = stored(planted(valid_users=150, primary="hit@5/9neg"), tmp_path)
    assert data.manifest.valid_sample is not None
    assert data.manifest.valid_sample.sd == pytest.approx(0.48, abs=0.05), "of a coin, nearly"


def test_error_of_a_rating_metric_is_that_of_the_mean_over_drawn_users(tmp_path: Path, planted: Make) -> None:
    data = stored(planted(), tmp_path)
    train, valid = (load_parts(data.directory, part) for part in ("train", "valid"))
    many = replace(valid, users=valid.users % 40)  # users with about ten ratings each
    terms = parts_of_rating(parse_metric("rmse"), train, many)
    error = np.square(np.subtract(vars(many)["values"], vars(train)["values"].mean()))
    left_out = [float(np.sqrt(error[many.users != user].mean())) for user in range(40)]
    jackknife = math.sqrt(39 / 40 * ((np.array(left_out) - np.mean(left_out)) ** 2).sum())
    assert terms.std(ddof=1) / math.sqrt(40) == pytest.approx(jackknife, rel=0.05)


def test_rating_metric_that_ranks_has_a_sample_too(planted: Make, tmp_path: Path) -> None:
    data = stored(planted(valid_users=150, primary="rmse"), tmp_path)
    sample = data.manifest.valid_sample
    assert sample is not None
    assert sample.sd is not None
    assert sample.error == pytest.approx(sample.sd / math.sqrt(150))


def test_sample_in_which_nobody_has_anything_to_find_is_refused(suite: Make, tmp_path: Path) -> None:
    picky = {"datasets": PLANTED, "prepare": {"positive": ">= 5"}, "metrics": {"valid_users": 1}}
    everybody = stored(suite(**picky | {"metrics": {}}, split=SPLIT), tmp_path / "all")
    valid = load_parts(everybody.directory, "valid")
    liked = {
        seed: valid.positive[valid.users == drawn_users("valid", valid, seed)[0]].any() for seed in range(9)
    }
    with_like, without = (next(seed for seed in liked if liked[seed] == has) for has in (True, False))
    data = stored(suite(**picky, split={**SPLIT, "seed": with_like}), tmp_path / "with")
    assert data.manifest.valid_sample is not None
    assert data.manifest.valid_sample.error is None, "one value has no spread"
    with pytest.raises(
        DataError, match=r"planted: metrics\.valid_users: none of the first 1 validation users"
    ):
        stored(suite(**picky, split={**SPLIT, "seed": without}), tmp_path / "without")


def test_stored_sample_is_kept_and_a_damaged_one_drawn_again(planted: Make, tmp_path: Path) -> None:
    suite = planted(valid_users=150)
    data = stored(suite, tmp_path)
    path, drawn = data.directory / "valid-users.npy", load_users(data.directory, "valid")
    written = path.stat().st_mtime_ns
    assert stored(suite, tmp_path).manifest == data.manifest
    assert path.stat().st_mtime_ns == written
    np.save(path, drawn[:10])
    assert stored(suite, tmp_path).manifest == data.manifest
    assert np.array_equal(load_users(data.directory, "valid"), drawn)


def run_on(users: tuple[object, object], fakes: Registry, folder: Path) -> RunDirectory:
    """Run two models on 120 users, with these values of metrics.valid_users and finals.users."""
    text = """
name: small
datasets: [{name: planted, synthetic: {users: 120, items: 30, interactions: 1500, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 10m, max_trials: 1, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1, train_on: train}
models: [fake/fixed, fake/steady]
"""
    changes = {
        "metrics": {"primary": "ndcg@5", "also": ["recall@5"], "valid_users": users[0]},
        "finals": {"seeds": 1, "train_on": "train", "users": users[1]},
    }
    return runner.run(parse_suite(text, "small.yaml", fakes, changes), fakes, RunOptions(out=folder))


@pytest.fixture(scope="module")
def sampled_run(fakes: Registry, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run whose trials are validated on 50 of 120 users, and whose finals are scored on 30."""
    return run_on((50, 30), fakes, tmp_path_factory.mktemp("sampled") / "run")


@pytest.fixture(scope="module")
def whole_run(fakes: Registry, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The same, with finals that are scored on all users."""
    return run_on((50, "all"), fakes, tmp_path_factory.mktemp("whole") / "run")


def test_all_models_are_tuned_and_tested_on_the_same_users(sampled_run: RunDirectory) -> None:
    split = sampled_run / "splits" / "planted"
    finals = [one for one in select(sampled_run.records(), FinalRecord) if one.test is not None]
    assert len({one.model for one in finals}) == 2
    per_user = pd.read_parquet(sampled_run / "per_user.parquet")
    tested = {tuple(one["user"].tolist()) for _, one in per_user.groupby(["model", "config_source"])}
    assert tested == {tuple(load_users(split, "test").tolist())}
    rows = board(sampled_run).tables[0].rows
    assert {(row.valid_users, row.valid_users_of) for row in rows} == {(50, 120)}
    assert {(row.test_users, row.test_users_of) for row in rows} == {(30, 120)}
    again = popularity_on(load(str(split), valid_sampled=True), "ndcg@5", target="fakes:Fixed")
    (fixed,) = (row for row in rows if row.model == "fake/fixed")
    assert len(again.users) == 50
    assert fixed.valid == pytest.approx(vars(again)["values"]["ndcg@5"])


def test_value_on_a_sample_of_test_is_that_of_the_whole_for_its_users(
    sampled_run: RunDirectory, whole_run: RunDirectory
) -> None:
    one, other = (
        pd.read_parquet(place / "per_user.parquet").set_index(["model", "user"])["ndcg@5"]
        for place in (sampled_run, whole_run)
    )
    assert len(other) == 4 * len(one)
    fixed = one["fake/fixed"]
    assert fixed.equals(other["fake/fixed"][fixed.index])


@pytest.mark.parametrize("suffix", [*FORMATS])
def test_every_output_says_that_test_values_are_of_a_sample(sampled_run: RunDirectory, suffix: str) -> None:
    text = FORMATS[suffix](board(sampled_run))
    if suffix == "csv":
        (row, *_) = csv.DictReader(text.splitlines())
        assert (row["test_users"], row["test_users_of"]) == ("30", "120")
    else:
        assert "Test values are of 30 of 120 test users" in text


def test_board_says_on_how_many_users_models_were_tuned(sampled_run: RunDirectory) -> None:
    (table,) = board(sampled_run).tables
    (note,) = (note for note in table.notes if note.text.startswith("Tuned on"))
    sample = table.facts.split.valid_sample
    assert sample is not None
    assert note.text.startswith(
        f"Tuned on 50 of 120 validation users (seed 42; standard error of a value about {sample.error:.4f})"
    )
    assert note.is_warning, "fifty are few"


def test_sample_of_test_belongs_to_the_keys_of_finals_alone(
    sampled_run: RunDirectory, whole_run: RunDirectory
) -> None:
    studies, finals = (
        [{getattr(one, key) for one in select(run.records(), kind)} for run in (sampled_run, whole_run)]
        for kind, key in ((TrialOpened, "study_key"), (FinalRecord, "final_key"))
    )
    assert studies[0] == studies[1]
    assert finals[0].isdisjoint(finals[1])


def test_run_with_another_number_of_users_is_tuned_anew_and_keeps_the_sample_of_before(
    sampled_run: RunDirectory, fakes: Registry, tmp_path: Path
) -> None:
    shutil.copytree(sampled_run.path, tmp_path / "run")
    (before,) = sampled_run.manifest().datasets.values()
    (after,) = run_on((60, 30), fakes, tmp_path / "run").manifest().datasets.values()
    assert before.valid_sample is not None
    assert after.valid_sample is not None
    assert (before.valid_sample.users, after.valid_sample.users) == (50, 60)
    (aside,) = (tmp_path / "run" / "splits").glob(f"*@{before.hash[:8]}")
    assert load_manifest(aside).valid_sample == before.valid_sample
    keys = [
        {one.study_key for one in select(run.records(), TrialOpened)}
        for run in (sampled_run, RunDirectory(tmp_path / "run"))
    ]
    assert keys[0] < keys[1]
