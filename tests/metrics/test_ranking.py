"""Ranking metrics against hand-computed cases, published answers, plain Python and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import MetricError
from benchmark.metrics import ranking
from benchmark.metrics.inputs import HitInputs
from benchmark.metrics.register import registered


def hits_at(ranks: list[int], length: int) -> np.ndarray:
    """One row with hits at these ranks, the first being 1."""
    row = np.zeros((1, length), dtype=bool)
    row[0, [rank - 1 for rank in ranks]] = True
    return row


# Krichene & Rendle, KDD 2020, table 1. Five users, one relevant item each, 10,000 candidates.
@pytest.mark.parametrize(
    ("ranks", "area", "ap", "ndcg", "recall"),
    [
        ([100] * 5, 0.9901, 0.0100, 0.1502, 0.0),
        ([40, 40, 8437, 9266, 4482], 0.5548, 0.0101, 0.1217, 0.0),
        ([212, 2, 743, 5342, 1548], 0.8431, 0.1014, 0.2080, 0.2),
    ],
)
def test_exact_metrics_of_three_recommenders_equal_the_published_ones(ranks, area, ap, ndcg, recall):
    n = 10_000
    hits = np.concatenate([hits_at([rank], n) for rank in ranks])
    one = np.ones(5, dtype=int)
    scores = np.tile(np.arange(n, 0, -1, dtype=np.float32), (5, 1))
    got = [
        ranking.auc(scores, (np.arange(6), np.array(ranks, dtype=np.int32) - 1)).mean(),
        ranking.average_precision(hits, one, n).mean(),
        ranking.ndcg(hits, one, n).mean(),
        ranking.recall(hits, one, 10).mean(),
    ]
    assert got == pytest.approx([area, ap, ndcg, recall], abs=5.1e-5)


def test_one_list_equals_the_hand_computed_values():
    hits, relevant = hits_at([1, 3], 5), np.array([8])
    assert ranking.ndcg(hits, relevant, 5)[0] == pytest.approx(0.508740, abs=1e-6)
    assert ranking.average_precision(hits, relevant, 5)[0] == pytest.approx(1 / 3)
    assert ranking.recall(hits, relevant, 5)[0] == 0.25
    assert ranking.precision(hits, relevant, 5)[0] == 0.4
    assert ranking.f1(hits, relevant, 5)[0] == pytest.approx(2 * 0.25 * 0.4 / 0.65)
    assert ranking.mrr(hits, relevant, 5)[0] == ranking.hit(hits, relevant, 5)[0] == 1.0


OF_HITS = {base: entry.function for base, entry in registered().items() if entry.made_from(HitInputs)}
"""Metrics of the hits in a list, by the base of their name: what is true of all is tested of all."""


def test_metrics_of_hits_are_among_those_that_are_tested_together():
    assert {"precision", "recall", "hit", "f1", "ndcg", "mrr", "map"} <= set(OF_HITS)


@pytest.mark.parametrize("name", OF_HITS)
def test_metric_user_with_nothing_to_find_is_nan(name):
    values = OF_HITS[name](np.zeros((2, 3), dtype=bool), np.array([0, 1]), 3)
    assert np.isnan(values[0])
    assert values[1] == 0.0


@pytest.mark.parametrize("name", OF_HITS)
@pytest.mark.parametrize("k", [0, 4])
def test_metric_k_beyond_the_list_is_refused(name, k):
    with pytest.raises(MetricError, match="the lists have 3 positions"):
        OF_HITS[name](np.zeros((1, 3), dtype=bool), np.array([1]), k)


def plain(hits: list[bool], relevant: int, k: int) -> dict[str, float]:
    """The same metrics, written as one would on paper."""
    found = [rank for rank, is_hit in enumerate(hits[:k], start=1) if is_hit]
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, relevant) + 1))
    precision, recall = len(found) / k, len(found) / relevant
    return {
        "precision": precision,
        "recall": recall,
        "hit": float(bool(found)),
        "f1": 2 * precision * recall / (precision + recall) if found else 0.0,
        "ndcg": sum(1 / math.log2(rank + 1) for rank in found) / ideal,
        "mrr": 1 / found[0] if found else 0.0,
        "map": sum((n + 1) / rank for n, rank in enumerate(found)) / min(k, relevant),
    }


lists = st.lists(st.booleans(), min_size=1, max_size=12)


@settings(deadline=None)
@given(hits=lists, more=st.integers(0, 20), data=st.data())
def test_metrics_equal_plain_python_and_stay_between_0_and_1(hits, more, data):
    relevant, k = max(sum(hits) + more, 1), data.draw(st.integers(1, len(hits)))
    for name, expected in plain(hits, relevant, k).items():
        value = OF_HITS[name](np.array([hits]), np.array([relevant]), k)[0]
        assert value == pytest.approx(expected, abs=1e-12)
        assert 0.0 <= value <= 1.0 + 1e-12


@settings(deadline=None)
@given(hits=lists, place=st.integers(0, 10))
def test_metrics_never_fall_when_a_hit_moves_up(hits, place):
    better, relevant = list(hits), np.array([max(sum(hits), 1)])
    place = min(place, len(hits) - 1)
    before = place - 1 if place else 0
    if hits[place] and not hits[before]:
        better[before], better[place] = True, False
    for metric in OF_HITS.values():
        low, high = (metric(np.array([row]), relevant, len(hits))[0] for row in (hits, better))
        assert high >= low - 1e-12


def test_order_sensitive_metrics_rise_when_a_hit_moves_up():
    for name in ("ndcg", "mrr", "map"):
        low, high = (OF_HITS[name](hits_at([rank], 4), np.array([1]), 4)[0] for rank in (3, 2))
        assert high > low


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_metrics_follow_a_permutation_of_users(seed):
    rng = np.random.default_rng(seed)
    hits, relevant, order = rng.random((6, 5)) < 0.4, rng.integers(0, 9, 6), rng.permutation(6)
    relevant = np.where(relevant, np.maximum(relevant, hits.sum(1)), 0)
    for metric in OF_HITS.values():
        np.testing.assert_array_equal(
            metric(hits, relevant, 4)[order], metric(hits[order], relevant[order], 4)
        )


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_graded_ndcg_equals_scikit_learn(seed):
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(seed)
    gains, scores = rng.integers(0, 4, (4, 12)).astype(float), rng.random((4, 12))
    gains[:, 0] = 1
    listed = np.take_along_axis(gains, np.argsort(-scores, axis=1), axis=1)
    got = ranking.graded_ndcg(listed, gains[gains > 0], (gains > 0).sum(1), 5)
    expected = [ndcg_score([gain], [score], k=5) for gain, score in zip(gains, scores, strict=True)]
    assert got == pytest.approx(expected, abs=1e-12)
