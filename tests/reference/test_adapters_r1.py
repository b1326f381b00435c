"""Published figures reproduced through the adapters, on MovieLens-100K as GroupLens publishes it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from adapters.lightfm import Warp
from adapters.surprise import KnnMeans, Svd
from benchmark.metrics.evaluate import Evaluator
from benchmark.metrics.names import parse
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


def fitted(model, train: Interactions):
    for _ in model.fit_steps(train, FitContext()):
        pass
    return model


# Surprise's own table (surpriselib.com): 5 folds, library defaults, mean of the folds' RMSE and MAE
@pytest.mark.parametrize(
    ("adapter", "rmse", "mae", "tolerance"), [(Svd, 0.934, 0.737, 0.003), (KnnMeans, 0.951, 0.749, 0.0006)]
)
def test_five_folds_reproduce_the_table_of_surprise(folder, adapter, rmse, mae, tolerance):
    log = read(folder / "u.data")
    order = np.arange(100_000)
    np.random.RandomState(0).shuffle(order)  # the published rule; not ours to modernise
    errors = []
    for fold in np.split(order, 5):
        held_out = np.zeros(len(log), dtype=np.bool_)
        held_out[fold] = True
        test, model = log.rows(held_out), fitted(adapter(), log.rows(~held_out))
        error = model.rate(test.users, test.items) - test.values
        errors.append([np.sqrt(np.mean(error**2)), np.abs(error).mean()])
    assert np.mean(errors, axis=0) == pytest.approx([rmse, mae], abs=tolerance)


# LightFM's example (making.lyst.com/lightfm/docs/examples/movielens_implicit.html), train items not hidden
def test_warp_reproduces_the_figures_of_lightfm(folder):
    train, test = read(folder / "ua.base"), read(folder / "ua.test")
    judge = Evaluator(test, seen=[], metrics=[parse("precision@10"), parse("auc")], train=train)
    judge.add(judge.users, fitted(Warp(dim=10, lr=0.05, l2=0.0, max_epochs=10), train).score(judge.users))
    values = judge.result().values
    assert [values["precision@10"], values["auc"]] == pytest.approx([0.11, 0.90], abs=0.01)
