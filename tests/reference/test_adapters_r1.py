"""Published figures reproduced through the adapters, on MovieLens-100K as GroupLens publishes it."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from adapters.lightfm import Warp
from adapters.surprise.baselines import BaselineOnly, NormalPredictor
from adapters.surprise.co_clustering import CoClustering
from adapters.surprise.factors import Nmf, Svd, SvdPlusPlus
from adapters.surprise.knn import KnnBaseline, KnnBasic, KnnMeans
from adapters.surprise.slope_one import SlopeOne
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import FitContext, Interactions

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("BENCH_DATA", SHARED)) / "ml-100k"
    if not found.exists():
        pytest.skip("MovieLens-100K is not here: set BENCH_DATA")
    return found


def read(path: Path) -> Interactions:
    user, item, value, time = np.loadtxt(path, dtype=np.int64).T
    ids = (user - 1).astype(np.int32), (item - 1).astype(np.int32)
    likes = np.ones(len(user), dtype=np.bool_)
    return Interactions(*ids, value.astype(np.float32), time, likes, 943, 1682, (1.0, 5.0))


def fitted(model, train: Interactions, seed: int = 0):
    for _ in model.fit_steps(train, FitContext(seed=seed)):
        pass
    return model


# Surprise's own table (surpriselib.com): 5 folds, library defaults, mean of the folds' RMSE and MAE
TABLE = {
    "svd": (Svd(dim=100, lr=0.005, l2=0.02, max_epochs=20), 0.934, 0.737, 0.003),
    "svdpp": (SvdPlusPlus(dim=20, lr=0.007, l2=0.02, max_epochs=20), 0.919, 0.721, 0.003),
    "nmf": (Nmf(dim=15, l2=0.06, max_epochs=50, biased=False), 0.963, 0.758, 0.003),
    "slope-one": (SlopeOne(), 0.946, 0.743, 0.0006),
    "knn-basic": (KnnBasic(neighbours=40, min_neighbours=1, similarity="msd"), 0.980, 0.774, 0.0006),
    "knn-means": (KnnMeans(neighbours=40, min_neighbours=1, similarity="msd"), 0.951, 0.749, 0.0006),
    "knn-baseline": (KnnBaseline(neighbours=40, min_neighbours=1, similarity="msd"), 0.931, 0.733, 0.0006),
    "co-clustering": (CoClustering(user_clusters=3, item_clusters=3, max_epochs=20), 0.963, 0.753, 0.003),
    "baseline": (BaselineOnly(method="als", l2_user=15, l2_item=10, max_epochs=10), 0.944, 0.748, 0.0006),
    "normal": (NormalPredictor(), 1.518, 1.219, 0.01),
}

SEEDS = {CoClustering: 6}
"""One start moves the mean of five folds by .002 (standard deviation); figures in docs/decisions/0024."""


@pytest.mark.parametrize(("model", "rmse", "mae", "tolerance"), TABLE.values(), ids=TABLE)
def test_five_folds_reproduce_the_table_of_surprise(folder, model, rmse, mae, tolerance):
    log = read(folder / "u.data")
    order = np.arange(100_000)
    np.random.RandomState(0).shuffle(order)  # the published rule; not ours to modernise
    errors = []
    for fold, seed in product(np.split(order, 5), range(SEEDS.get(type(model), 1))):
        held_out = np.zeros(len(log), dtype=np.bool_)
        held_out[fold] = True
        test = log.rows(held_out)
        error = fitted(replace(model), log.rows(~held_out), seed).rate(test.users, test.items) - test.values
        errors.append([np.sqrt(np.mean(error**2)), np.abs(error).mean()])
    assert np.mean(errors, axis=0) == pytest.approx([rmse, mae], abs=tolerance)


# LightFM's example (making.lyst.com/lightfm/docs/examples/movielens_implicit.html), train items not hidden
def test_warp_reproduces_the_figures_of_lightfm(folder):
    train, test = read(folder / "ua.base"), read(folder / "ua.test")
    judge = Evaluator(test, seen=[], metrics=[parse_metric("precision@10"), parse_metric("auc")], train=train)
    judge.add(judge.users, fitted(Warp(dim=10, lr=0.05, l2=0.0, max_epochs=10), train).score(judge.users))
    values = judge.result().values
    assert [values["precision@10"], values["auc"]] == pytest.approx([0.11, 0.90], abs=0.01)
