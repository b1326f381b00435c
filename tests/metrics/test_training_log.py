"""What is read off the training rows by blocks equals what the whole log says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.metrics.relevance import union
from benchmark.metrics.training_log import TrainingLog
from benchmark.protocol import Interactions

USERS, ITEMS, ROWS = 30, 20, 400


@pytest.fixture
def log() -> Interactions:
    """Rows in no order, some pairs several times, one user and one item without a row."""
    rng = np.random.default_rng(0)
    return Interactions(
        users=rng.integers(1, USERS, ROWS, dtype=np.int32),
        items=rng.integers(0, ITEMS - 1, ROWS, dtype=np.int32),
        values=rng.integers(1, 6, ROWS).astype(np.float32),
        times=np.empty(0, dtype=np.int64),
        positive=rng.random(ROWS) < 0.5,
        n_users=USERS,
        n_items=ITEMS,
    )


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("long_columns", "metrics.training_log"):
        monkeypatch.setattr(f"benchmark.{module}.BLOCK", 7)


def test_counts_by_blocks_are_those_of_the_whole_log(log: Interactions) -> None:
    found = TrainingLog(log, log, np.arange(USERS, dtype=np.int32))
    matrix = log.matrix()
    assert matrix.nnz < ROWS
    assert found.rows_of_user.tolist() == np.bincount(log.users, minlength=USERS).tolist()
    assert found.rows_of_item.tolist() == np.bincount(log.items, minlength=ITEMS).tolist()
    assert found.users_of_item.tolist() == np.asarray(matrix.sum(axis=0)).ravel().tolist()
    assert found.users_of_item.dtype == np.float32


def test_history_has_the_pairs_of_the_evaluated_users(log: Interactions) -> None:
    users = np.array([0, 3, 17], dtype=np.int32)
    history = TrainingLog(log, log, users).history
    assert (history != log.matrix()[users]).nnz == 0
    assert history.dtype == np.float32


def test_union_holds_each_pair_of_the_wanted_users_once(log: Interactions) -> None:
    halves = [log.rows(np.arange(0, 250)), log.rows(np.arange(150, ROWS))]
    users = np.array([2, 5], dtype=np.int32)
    some, every = union(halves, log, users), union(halves, log)
    assert (every != log.matrix()).nnz == 0
    assert every.has_canonical_format
    assert np.flatnonzero(np.diff(some.indptr)).tolist() == users.tolist()
    assert (some[users] != every[users]).nnz == 0
    assert union([], log, users).nnz == 0


@pytest.mark.parametrize(
    ("liked", "threshold"), [(">= 4", 4.0), (">= 1", None), ("> 5", None), ("odd", None)]
)
def test_threshold_is_the_lowest_liked_rating_of_both_logs(
    log: Interactions, liked: str, threshold: float | None
) -> None:
    marks = {
        ">= 4": log.values >= 4,
        ">= 1": log.values >= 1,
        "> 5": log.values > 5,
        "odd": log.values % 2 == 1,
    }
    marked = Interactions(**{**vars(log), "positive": marks[liked]})
    found = TrainingLog(
        marked.rows(np.arange(300)), marked.rows(np.arange(300, ROWS)), log.users[:0]
    ).threshold
    assert found == threshold if threshold else np.isnan(found)


def test_log_without_a_row_has_no_counts(log: Interactions) -> None:
    nothing = log.rows(np.arange(0))
    found = TrainingLog(nothing, nothing, log.users[:0])
    assert found.users_of_item.tolist() == [0] * ITEMS
    assert np.isnan(found.threshold)
