"""Cold users and items: filled in by the engine, the same for every model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmark.cold_start import Cold
from benchmark.protocol import Features, Interactions, KnowledgeGraph


def log(users: list[int], items: list[int], n_users: int = 4, n_items: int = 4) -> Interactions:
    n = len(users)
    return Interactions(
        users=np.array(users, dtype=np.int32),
        items=np.array(items, dtype=np.int32),
        values=np.ones(n, dtype=np.float32),
        times=np.zeros(0, dtype=np.int64),
        positive=np.ones(n, dtype=np.bool_),
        n_users=n_users,
        n_items=n_items,
    )


TRAIN = log([0, 0, 1, 2], [0, 1, 1, 2])  # user 3 and item 3 have no row
EVERYBODY = np.arange(4, dtype=np.int32)
SCORES = np.array([[4, 3, 2, 9]] * 4, dtype=np.float32)


def test_cold_user_gets_popularity_and_the_others_their_own_scores() -> None:
    filled = Cold.from_log(TRAIN).fill(EVERYBODY, SCORES)
    assert filled[3, :3].tolist() == [1, 2, 1]
    assert (filled[:3, :3] == SCORES[:3, :3]).all()


def test_cold_items_rank_behind_all_others_as_equals() -> None:
    train = log([0, 1, 2, 3], [1, 1, 2, 2])
    filled = Cold.from_log(train).fill(EVERYBODY, SCORES)
    assert (filled[:, [0, 3]] < filled[:, [1, 2]].min(axis=1, keepdims=True)).all()
    assert (filled[:, 0] == filled[:, 3]).all()


def test_filling_leaves_the_models_own_array_alone() -> None:
    before = SCORES.copy()
    assert Cold.from_log(TRAIN).fill(EVERYBODY, SCORES) is not SCORES
    assert (before == SCORES).all()


def test_nothing_is_copied_where_nobody_in_the_batch_is_cold() -> None:
    warm = log([0, 1, 2], [0, 1, 2], n_items=3)
    scores = np.ones((2, 3), dtype=np.float32)
    assert Cold.from_log(warm).fill(np.array([0, 2], dtype=np.int32), scores) is scores


KNOWN = Features(csr_matrix(np.eye(4, dtype=np.float32)), ("a", "b", "c", "d"))
UNKNOWN = Features(csr_matrix((4, 2), dtype=np.float32), ("a", "b"))
DESCRIBED = replace(TRAIN, user_features=KNOWN, item_features=KNOWN)
BOTH = ("users", "items")


@pytest.mark.parametrize(("by_features", "column"), [(("users",), 0), (("items",), 3)])
def test_model_that_scores_by_features_keeps_its_own_scores(
    by_features: tuple[str, ...], column: int
) -> None:
    filled = Cold.from_log(DESCRIBED, by_features).fill(EVERYBODY, SCORES)
    person = 3 if "users" in by_features else 0
    assert filled[person, column] == SCORES[person, column]


@pytest.mark.parametrize("features", [None, UNKNOWN])
def test_rows_of_which_nothing_is_known_are_filled_in_for_models_of_features_too(
    features: Features | None,
) -> None:
    cold = Cold.from_log(replace(TRAIN, user_features=features, item_features=features), BOTH)
    assert (cold.fill(EVERYBODY, SCORES) == Cold.from_log(TRAIN).fill(EVERYBODY, SCORES)).all()


def test_words_alone_describe_a_row() -> None:
    words = replace(UNKNOWN, texts=("", "", "", "comedy"))
    assert not Cold.from_log(replace(TRAIN, item_features=words), ("items",)).items.any()


def test_chance_keeps_its_own_scores_of_everything() -> None:
    assert Cold.from_log(TRAIN, scores_all=True).fill(EVERYBODY, SCORES) is SCORES


def test_lowest_possible_score_stays_finite() -> None:
    scores = np.full((1, 4), np.finfo(np.float32).min, dtype=np.float32)
    assert np.isfinite(Cold.from_log(TRAIN).fill(EVERYBODY[:1], scores)).all()


def test_log_without_a_row_makes_every_item_equal() -> None:
    filled = Cold.from_log(log([], [])).fill(EVERYBODY, SCORES)
    assert (filled == 0).all()


def test_item_without_a_row_is_left_to_a_model_of_the_graph_where_it_has_a_triple() -> None:
    ids = (np.array(column, dtype=np.int32) for column in ([3], [0], [5]))
    train = replace(log([0, 1, 2, 3], [0, 0, 1, 1]), graph=KnowledgeGraph(*ids, 6, ("by",)))
    assert Cold.from_log(train, from_graph=True).items.tolist() == [False, False, True, False]
    assert Cold.from_log(train).items.tolist() == [False, False, True, True]
