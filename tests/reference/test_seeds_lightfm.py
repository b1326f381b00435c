"""S5: trainings of one model differ by more than the users-only test allows for."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adapters.lightfm import Warp
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import FitContext, Interactions, Values
from benchmark.statistics.permutation import paired_permutation
from benchmark.statistics.seeds import seed_aware

pytestmark = pytest.mark.slow
SEEDS = 6


@pytest.fixture(scope="module")
def values(data_dir: Path) -> Values:
    """Per-user NDCG@10 on P1's test part, (6, U), of six trainings of one configuration."""
    folder = data_dir / "ml-100k-p1"
    train, valid, test = (_read(folder / f"{part}.csv") for part in ("train", "valid", "test"))
    evaluator = Evaluator(test, seen=[train, valid], metrics=[parse_metric("ndcg@10")], train=train)
    rows = []
    for seed in range(SEEDS):
        model = Warp(dim=10, lr=0.05, l2=0.0, max_epochs=30)  # dim and lr are the library's own defaults
        for _ in model.fit_steps(train, FitContext(seed)):
            pass
        evaluator.reset()
        evaluator.add(evaluator.users, model.score(evaluator.users))
        rows.append(evaluator.result().per_user["ndcg@10"])
    return np.stack(rows)


def _read(path: Path) -> Interactions:
    frame = pd.read_csv(path)
    users, items = (frame[name].to_numpy(np.int32) - 1 for name in ("user", "item"))
    return Interactions(
        users=users,
        items=items,
        values=frame["rating"].to_numpy(np.float32),
        times=frame["timestamp"].to_numpy(np.int64),
        positive=np.ones(len(frame), dtype=np.bool_),
        n_users=943,
        n_items=1682,
    )


def test_users_only_test_calls_trainings_of_one_model_different(values: Values) -> None:
    means = values.mean(axis=1)
    assert 0.002 < means.std(ddof=1) < 0.02
    called = [paired_permutation(values[a] - values[b]) <= 0.05 for a, b in combinations(range(SEEDS), 2)]
    assert len(called) == 15
    assert sum(called) >= 2


def test_seed_aware_verdict_does_not(values: Values) -> None:
    assert seed_aware(values[:3], values[3:]).p > 0.05
    assert seed_aware(values[::2], values[1::2]).p > 0.05
