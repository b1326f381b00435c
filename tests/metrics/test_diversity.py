"""Diversity, serendipity, personalisation, popularity, sampled negatives, metrics of predicted ratings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.test_evaluator import evaluate, log
from scipy.sparse import csr_matrix

from benchmark.metrics import coverage, diversity, rating
from benchmark.metrics.negatives import draw
from benchmark.metrics.register import parse_metric
from benchmark.metrics.training_log import positive_threshold
from benchmark.protocol import Features


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def random_case(seed: int):
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 3, (12, 4)) * (rng.random((12, 1)) < 0.8)
    lists = np.array([rng.permutation(12)[:5] for _ in range(6)])
    lists[0, 3:] = -1
    return features.astype(float), lists, rng.random((6, 5)) < 0.5, rng.random((6, 12)) < 0.3


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_diversity_equals_a_loop_over_pairs(seed):
    features, lists, _, _ = random_case(seed)
    got = diversity.diversity(lists, csr_matrix(features))
    for row, value in zip(lists, got, strict=True):
        known = [features[item] for item in row if item >= 0 and features[item].any()]
        pairs = [cosine(a, b) for i, a in enumerate(known) for b in known[:i]]
        assert value == pytest.approx(1 - np.mean(pairs) if pairs else np.nan, nan_ok=True, abs=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_serendipity_equals_a_loop_over_hits_and_history(seed):
    features, lists, hits, history = random_case(seed)
    everybody = np.ones(len(lists), dtype=int)
    got = diversity.serendipity(
        lists, hits, everybody, csr_matrix(features), csr_matrix(history.astype(float))
    )
    for user, value in enumerate(got):
        known = [features[item] for item in np.flatnonzero(history[user]) if features[item].any()]
        useful = [features[item] for item in lists[user][hits[user] & (lists[user] >= 0)]]
        far = [1 - np.mean([cosine(f, h) for h in known]) for f in useful if f.any() and known]
        assert value == pytest.approx(sum(far) / 5 if known else np.nan, nan_ok=True, abs=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), users=st.integers(2, 6))
def test_personalisation_equals_a_loop_over_pairs_of_users(seed, users):
    lists = np.array([np.random.default_rng(seed + user).permutation(9)[:4] for user in range(users)])
    overlap = [len(set(a) & set(b)) / 4 for i, a in enumerate(lists) for b in lists[:i]]
    assert coverage.personalisation(lists, 9) == pytest.approx(1 - np.mean(overlap))


def test_serendipity_of_a_user_with_nothing_to_find_is_nan():
    lists, hits, features = np.array([[0, 1]]), np.zeros((1, 2), bool), csr_matrix(np.eye(2))
    assert np.isnan(diversity.serendipity(lists, hits, np.array([0]), features, csr_matrix([[1, 0]]))).all()
    assert diversity.serendipity(lists, hits, np.array([1]), features, csr_matrix([[1, 0]])).tolist() == [0.0]


def test_personalisation_of_one_user_is_nan():
    assert np.isnan(coverage.personalisation(np.array([[0, 1]]), 3))


def test_popularity_of_an_empty_list_is_nan():
    lists, counts = np.array([[-1], [1]]), np.array([1, 3])
    np.testing.assert_array_equal(coverage.popularity(lists, counts), [np.nan, 3.0])
    np.testing.assert_array_equal(coverage.popularity_lift(lists, counts), [np.nan, 1.2])


def test_evaluator_without_item_features_leaves_their_metrics_nan():
    target, train = log([(0, 1), (1, 2)], shape=(2, 3)), log([(0, 0)], shape=(2, 3))
    metrics = [parse_metric("diversity@2"), parse_metric("serendipity@2")]
    got = evaluate(target, train, np.zeros((2, 3), np.float32), metrics)
    assert np.isnan(list(got.values.values())).all()


def test_evaluator_with_item_features_measures_both():
    target, train = log([(0, 1), (1, 2)], shape=(2, 3)), log([(0, 0), (1, 0)], shape=(2, 3))
    matrix = csr_matrix(np.array([[1, 0], [1, 0], [0, 1]], np.float32))
    train = replace(train, item_features=Features(matrix, ("a", "b")))
    metrics = [parse_metric("diversity@2"), parse_metric("serendipity@2")]
    got = evaluate(target, train, np.zeros((2, 3), np.float32), metrics)
    assert got.per_user["diversity@2"].tolist() == [1.0, 1.0]
    assert got.per_user["serendipity@2"].tolist() == [0.0, 0.5]  # only the second user's hit was unlike


def test_draw_takes_each_unknown_item_equally_often_and_no_known_one():
    known = csr_matrix(np.tile(np.arange(20) < 5, (3000, 1)).astype(float))
    negatives = draw(np.arange(3000, dtype=np.int32), known, n=3, seed=1)
    shown = np.bincount(negatives.ravel(), minlength=20)
    assert not shown[:5].any()
    assert ((shown[5:] - 600) ** 2 / 600).sum() < 45  # 14 degrees of freedom, p about 1e-4
    assert (np.diff(negatives, axis=1) > 0).all()


def test_draw_of_a_user_depends_on_nobody_else():
    known, users = csr_matrix(np.eye(30)), np.arange(30, dtype=np.int32)
    np.testing.assert_array_equal(draw(users, known, 5)[7:9], draw(users[7:9], known, 5))


def rated(seed: int):
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 6, 40)
    pairs = [(n // 8, n % 8) for n in range(40)]
    target = log(pairs, values, values >= 4, shape=(5, 8))
    return replace(target, scale=(1.0, 5.0)), rng.integers(2, 11, 40) / 2


def of_predictions(predicted, target):
    """Every metric that looks at each predicted rating."""
    threshold = positive_threshold(target)
    return {
        "r2": rating.r2(predicted, target),
        "accuracy": rating.accuracy(predicted, target, threshold),
        "rocauc": rating.rocauc(predicted, target),
        "logloss": rating.logloss(predicted, target),
    }


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_metrics_of_predicted_ratings_equal_scikit_learn(seed):
    from sklearn import metrics

    target, predicted = rated(seed)
    likely = np.clip((predicted - 1) / 4, 0.001, 0.999)
    assert of_predictions(predicted, target) == pytest.approx(
        {
            "r2": metrics.r2_score(target.values, predicted),
            "accuracy": metrics.accuracy_score(target.positive, predicted >= 4),
            "rocauc": metrics.roc_auc_score(target.positive, predicted),
            "logloss": metrics.log_loss(target.positive, likely),
        }
    )


def test_evaluator_measures_predicted_ratings_in_any_batches():
    target, predicted = rated(0)
    names = ("r2", "accuracy", "rocauc", "logloss")
    grid = predicted.reshape(5, 8).astype(np.float32)
    for batch in (1, 5):
        got = evaluate(
            target, log([], shape=(5, 8)), grid, [parse_metric(name) for name in names], batch=batch
        )
        assert got.values == pytest.approx(of_predictions(predicted, target))


def test_metrics_of_predicted_ratings_without_two_kinds_are_nan():
    target, predicted = rated(0)
    alike = replace(target, positive=np.ones(40, bool), values=np.full(40, 4, np.float32))
    assert np.isnan(list(of_predictions(predicted, alike).values())).all()


def test_threshold_of_likes_that_no_rating_divides_is_nan():
    target, _ = rated(0)
    assert positive_threshold(target) == 4.0
    assert np.isnan(positive_threshold(replace(target, positive=np.arange(40) % 2 == 0)))
