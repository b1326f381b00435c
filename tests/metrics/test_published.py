"""Published results on real data, with plain numpy models: what the protocol and the metrics must give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from repository import real_data
from scipy.linalg import cho_factor, cho_solve

from benchmark.metrics.evaluator import Evaluation, Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Interactions


@pytest.fixture(scope="module")
def data() -> Path:
    folder = real_data()
    if not folder.is_dir():
        pytest.skip("set BENCH_DATA to a folder with MovieLens to run this")
    return folder


def code(parts: list[np.ndarray]) -> list[Interactions]:
    """Logs with dense ids from parts (N, 3) of user, item, rating; every row counts as a like."""
    whole = np.concatenate(parts)
    users, items = np.unique(whole[:, 0]), np.unique(whole[:, 1])
    return [
        Interactions(
            users.searchsorted(part[:, 0]).astype(np.int32),
            items.searchsorted(part[:, 1]).astype(np.int32),
            part[:, 2].astype(np.float32),
            np.empty(0, np.int64),
            np.ones(len(part), bool),
            len(users),
            len(items),
        )
        for part in parts
    ]


def ease(train: Interactions, l2: float) -> np.ndarray:
    """Scores (U, I) of EASE (Steck 2019, arXiv:1905.03375)."""
    x = train.matrix().astype(np.float64)
    gram = (x.T @ x).toarray()
    gram[np.diag_indices_from(gram)] += l2
    inverse = cho_solve(cho_factor(gram), np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(x @ weights, dtype=np.float32)


def popularity(train: Interactions) -> np.ndarray:
    counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
    return np.tile(counts, (train.n_users, 1))


def evaluate(scores, target, seen, train, names, seed=0) -> Evaluation:
    evaluator = Evaluator(target, seen, [parse_metric(name) for name in names], train, seed)
    for users in np.array_split(evaluator.users, 8):
        evaluator.add(users, scores[users])
    return evaluator.result()


@pytest.mark.parametrize(("by", "rmse", "mae"), [("user", 1.06300, 0.85019), ("item", 1.03341, 0.82757)])
def test_averages_on_u1_equal_mymedialite(data, by, rmse, mae):
    train, test = code([np.loadtxt(data / "ml-100k" / f"u1.{part}", int) for part in ("base", "test")])
    index, size = (train.users, train.n_users) if by == "user" else (train.items, train.n_items)
    counts = np.bincount(index, minlength=size)
    means = np.bincount(index, weights=train.values, minlength=size) / np.maximum(counts, 1)
    means[counts == 0] = train.values.mean()
    grid = np.broadcast_to(means[:, None] if by == "user" else means, (train.n_users, train.n_items))
    evaluator = Evaluator(test, [train], [parse_metric("rmse"), parse_metric("mae")], train)
    evaluator.add_ratings(evaluator.users, grid[evaluator.held_out(evaluator.users)])
    got = evaluator.result().values
    assert got["rmse"] == pytest.approx(rmse, abs=1e-5)
    assert got["mae"] == pytest.approx(mae, abs=1e-5)


@pytest.fixture(scope="module")
def p1(data):
    """Train, validation and test of MovieLens-100K cut by protocol P1."""
    return code(
        [
            np.loadtxt(data / "ml-100k-p1" / f"{part}.csv", int, delimiter=",", skiprows=1)
            for part in ("train", "valid", "test")
        ]
    )


def test_popularity_on_p1_reaches_the_anchor(p1):
    train, valid, test = p1
    got = [
        evaluate(popularity(train), test, [train, valid], train, ["ndcg@10", "recall@10"], seed).values
        for seed in range(5)
    ]
    assert all(0.1395 <= values["ndcg@10"] <= 0.1405 for values in got)
    assert np.mean([values["recall@10"] for values in got]) == pytest.approx(0.1186, abs=5e-4)


def test_ease_on_p1_reaches_the_anchor(p1):
    train, valid, test = p1
    got = evaluate(ease(train, 300.0), test, [train, valid], train, ["ndcg@10", "recall@10"]).values
    assert got["ndcg@10"] == pytest.approx(0.3179, abs=1e-4)
    assert got["recall@10"] == pytest.approx(0.2649, abs=1e-4)


def test_constant_scores_on_p1_are_as_good_as_chance(p1):
    train, valid, test = p1
    constant = np.zeros((train.n_users, train.n_items), np.float32)
    seeds = range(20)
    got = [evaluate(constant, test, [train, valid], train, ["ndcg@10"], s).values["ndcg@10"] for s in seeds]
    assert np.mean(got) == pytest.approx(0.0077, abs=0.0006)  # one draw has sd .0009
    assert 0.0003 < np.std(got) < 0.0016


def read_lists(path: Path) -> np.ndarray:
    rows = [line.split() for line in path.read_text().splitlines()]
    return np.array([(int(user), int(item), 1) for user, *items in rows for item in items])


CUTS = (20, 40, 60, 80, 100)
SPECTRAL_NAMES = [f"{base}@{k}" for base in ("recall", "map") for k in CUTS]


@pytest.fixture(scope="module")
def spectral(data):
    """Train and test of the published split of MovieLens-1M; its 3,705 items include some without a row."""
    parts = [read_lists(data / "spectralcf-ml-1m" / f"{part}_users.dat") for part in ("train", "test")]
    return [replace(part, n_items=3705) for part in code(parts)]


def test_popularity_on_the_spectralcf_split_equals_the_published_values(spectral):
    train, test = spectral
    got = evaluate(popularity(train), test, [train], train, SPECTRAL_NAMES)
    assert got.counts.users - got.counts.without_relevant == 5479
    expected = [0.0382, 0.0969, 0.1207, 0.1651, 0.2286, 0.0065, 0.0092, 0.0101, 0.0113, 0.0127]
    assert list(got.values.values()) == pytest.approx(expected, abs=7e-4)


def test_ease_on_the_spectralcf_split_equals_the_published_values(spectral):
    train, test = spectral
    got = evaluate(ease(train, 292.0), test, [train], train, SPECTRAL_NAMES).values
    expected = [0.0956, 0.1563, 0.1983, 0.2354, 0.2650, 0.0212, 0.0243, 0.0259, 0.0270, 0.0278]
    assert list(got.values()) == pytest.approx(expected, abs=3e-4)
