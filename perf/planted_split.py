"""The planted log as a suite names it, and its stored split, which programs beside the engine read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from planted_log import planted_path

from benchmark import api
from benchmark.datasets.store.parts import load_parts
from benchmark.fit import batches
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Ids, Interactions, Scores, Values
from benchmark.runner.splits import store_all


class Ranks(Protocol):
    """What can be ranked by."""

    def score(self, users: Ids) -> Scores:
        """Return scores (B, I)."""


PRIMARY = "ndcg@10"
LEAST_USERS = 6_500


def planted_suite(rows: int, cache: Path) -> dict[str, Any]:
    """Return what suites over the planted log have in common; the log is made if it is not there."""
    log = {
        "name": f"planted-{rows}",
        "path": str(planted_path(rows, cache)),
        "user": "userId",
        "item": "movieId",
        "value": "rating",
        "time": "timestamp",
        "scale": [0.5, 5.0],
    }
    return {
        "name": "planted",
        "datasets": [log],
        "prepare": {"positive": ">= 4"},
        "split": {"by": "random", "test": 0.1, "valid": 0.1, "seed": 42},
        "metrics": {"primary": PRIMARY, "also": ["rmse"]},
    }


def stored_split(rows: int, cache: Path, scratch: Path) -> Path:
    """Return the folder of the planted log's split, stored as a run stores it."""
    suite = api.check(planted_suite(rows, cache) | {"models": ["baselines/popularity"]})
    (stored,) = store_all(suite, scratch / "splits", None, Path(), lambda _: None)
    return Path(stored.directory)


def sampled_users(folder: Path, valid: Interactions) -> Ids:
    """Return the users that trials are validated on: the stored sample, or else as many, drawn here."""
    stored = folder / "valid-users.npy"
    if stored.exists():
        return np.sort(np.load(stored))
    return np.sort(np.random.default_rng(0).permutation(np.unique(valid.users))[:LEAST_USERS])


def validation(folder: Path, *, sampled: bool) -> tuple[Interactions, Evaluator]:
    """Return train, and what measures validation as the engine does: all users of it, or the sample."""
    train, valid = load_parts(folder, "train"), load_parts(folder, "valid")
    asked = np.zeros(train.n_users, dtype=np.bool_)
    asked[sampled_users(folder, valid) if sampled else valid.users] = True
    target, seen = valid.rows(asked[valid.users]), train.rows(asked[train.users])
    return train, Evaluator(target, seen=[seen], metrics=[parse_metric(PRIMARY)], train=train)


def values_of(evaluator: Evaluator, n_items: int, model: Ranks) -> Values:
    """Return the NDCG@10 of each user of the evaluator, nan for those with nothing to find."""
    evaluator.reset()
    for positions in batches(len(evaluator.users), n_items):
        users = evaluator.users[positions]
        evaluator.add(users, np.ascontiguousarray(model.score(users), dtype=np.float32))
    return evaluator.result().per_user[PRIMARY]
