"""Lists from vectors by blocks of items, and of cold users and items: those of whole rows, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranker_oracle import sorted_top_k
from scipy.sparse import csr_matrix

from benchmark.cold_start import Cold
from benchmark.errors import AdapterError, MetricError
from benchmark.fit import Fit
from benchmark.metrics import topk
from benchmark.metrics.ranker import Ranker
from benchmark.metrics.topk import nothing, top_k_of_blocks
from benchmark.protocol import FitContext, Interactions, Vectors

SEEDS = st.integers(0, 2**32 - 1)


def blocks_of(scores: np.ndarray, size: int) -> Any:
    return ((first, scores[:, first : first + size]) for first in range(0, scores.shape[1], size))


def whole_numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return numbers whose products are exact and often equal."""
    return rng.integers(-2, 3, shape).astype(np.float32)


@settings(deadline=None)
@given(
    seed=SEEDS,
    levels=st.sampled_from([1, 2, 6, 10_000]),
    n_items=st.one_of(st.integers(1, 40), st.integers(300, 1500)),
    size=st.sampled_from([1, 7, 128, 200, 1501]),
    k=st.integers(1, 45),
    share=st.sampled_from([0.0, 0.3, 0.97]),
)
def test_lists_of_blocks_are_those_of_whole_rows(seed, levels, n_items, size, k, share):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-levels, levels, (5, n_items)).astype(np.float32) * np.float32(-0.25)  # and -0
    seen, excluded = rng.random(scores.shape) < share, rng.random(n_items) < share / 2
    users = rng.permutation(100)[:5].astype(np.int32)
    starts = np.concatenate([[0], seen.sum(axis=1).cumsum()]).astype(np.int64)
    entries = starts, np.nonzero(seen)[1].astype(np.int32)
    hidden = np.where(seen | excluded, -np.inf, scores).astype(np.float32)
    got = top_k_of_blocks(blocks_of(scores, size), k, users, seed, seen=entries, excluded=excluded)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, sorted_top_k(hidden, k, users, seed))


def test_lists_of_no_length_are_empty():
    lists = top_k_of_blocks([], 0, np.arange(2, dtype=np.int32), 0, seen=nothing(2))
    assert lists.shape == (2, 0)


def ranker_of(rng: np.random.Generator, shape: tuple[int, int], length: int) -> Ranker:
    return Ranker(csr_matrix(rng.random(shape) < 0.2), rng.random(shape[1]) < 0.1, length, seed=3)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("bias", [None, -1.0])
@pytest.mark.parametrize("offset", [None, 4.0])
def test_lists_from_vectors_are_those_of_their_products(threads, bias, offset, monkeypatch):
    rng = np.random.default_rng(0)
    own, items = whole_numbers(rng, 30, 3), whole_numbers(rng, 500, 3)
    of_items = None if bias is None else bias * np.arange(500, dtype=np.float32) % 3
    of_users = None if offset is None else offset * np.arange(30, dtype=np.float32)
    vectors, users = Vectors(own, items, of_items, of_users), np.array([3, 20, 4, 29], dtype=np.int32)
    scores = own[users] @ items.T
    scores += 0 if of_items is None else of_items
    scores += 0 if of_users is None else of_users[users][:, None]
    ranker = ranker_of(rng, (30, 500), 12)
    expected = ranker.lists(users, scores)
    monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
    monkeypatch.setattr(topk, "_WORTH_A_THREAD", 1)
    for elements in (4_000_000, 400, 1):
        monkeypatch.setattr(topk, "BATCH_ELEMENTS", elements)
        np.testing.assert_array_equal(ranker.lists_from(users, vectors), expected)


def test_no_more_scores_exist_at_once_than_a_batch_may_hold(monkeypatch):
    monkeypatch.setattr(topk, "BATCH_ELEMENTS", 100)
    made: list[int] = []
    checked = "benchmark.metrics.ranker.checked_scores"
    monkeypatch.setattr(checked, lambda scores, *_: made.append(scores.size) or scores)
    ranker = Ranker(csr_matrix((8, 999)), None, 3)
    ranker.lists_from(
        np.arange(8, dtype=np.int32), Vectors(np.ones((8, 2), np.float32), np.ones((999, 2), np.float32))
    )
    assert (max(made), sum(made)) == (96, 8 * 999)


def test_vectors_that_have_diverged_are_refused_with_the_models_name():
    items = np.ones((6, 2), np.float32)
    items[4] = np.nan
    ranker = Ranker(csr_matrix((3, 6)), None, 2)
    with pytest.raises(MetricError, match=r"lib/model: vectors\(\) .* not finite .* for user 2"):
        ranker.lists_from(np.array([2], np.int32), Vectors(np.ones((3, 2), np.float32), items), "lib/model")


@settings(deadline=None, max_examples=60)
@given(
    seed=SEEDS,
    length=st.sampled_from([1, 5, 30]),
    n_cold=st.sampled_from([0, 3, 11, 12]),
    elements=st.sampled_from([4_000_000, 20]),
)
def test_lists_with_cold_users_and_items_are_those_of_filled_scores(seed, length, n_cold, elements):
    rng = np.random.default_rng(seed)
    cold_items = rng.permutation(12) < n_cold
    popularity = np.where(cold_items, 0, rng.integers(0, 4, 12)).astype(np.float32)
    cold = Cold(rng.random(8) < 0.3, cold_items, popularity)
    vectors = Vectors(whole_numbers(rng, 8, 2), whole_numbers(rng, 12, 2))
    ranker, users = ranker_of(rng, (8, 12), length), rng.permutation(8)[:5].astype(np.int32)
    expected = ranker.lists(users, cold.fill(users, vectors.users[users] @ vectors.items.T))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(topk, "BATCH_ELEMENTS", elements)
        got = ranker.lists_with_cold(users, cold, lambda one: one.lists_from(users, vectors))
    np.testing.assert_array_equal(got, expected)


@dataclass
class Product:
    """A model whose scores are products, and which may hand over its vectors."""

    own: np.ndarray
    items: np.ndarray
    space: ClassVar[dict[str, Any]] = {}

    def fit_steps(self, train: Any, context: Any) -> Any: ...

    def score(self, users: np.ndarray) -> np.ndarray:
        return self.own[users] @ self.items.T


class WithVectors(Product):
    def vectors(self) -> Vectors:
        return Vectors(self.own, self.items)

    def score(self, users: np.ndarray) -> np.ndarray:
        raise AssertionError("vectors are enough")


def fit_of(model: Any) -> Fit:
    """A fit of 6 users and 9 items of which the last ones have no row."""
    rows = np.arange(5, dtype=np.int32)
    ones = np.ones(5, dtype=np.float32)
    train = Interactions(rows, rows, ones, np.zeros(0, np.int64), ones > 0, n_users=6, n_items=9)
    return Fit(model, train, FitContext(), "lib/model", Cold.from_log(train))


def test_fit_ranks_by_vectors_as_by_scores():
    rng = np.random.default_rng(1)
    arrays = whole_numbers(rng, 6, 3), whole_numbers(rng, 9, 3)
    users, ranker = np.arange(6, dtype=np.int32), ranker_of(rng, (6, 9), 7)
    lists = [fit_of(kind(*arrays)).lists(users, ranker) for kind in (Product, WithVectors)]
    filled = ranker.lists(users, fit_of(Product(*arrays)).scores(users))
    np.testing.assert_array_equal(lists[0], filled)
    np.testing.assert_array_equal(lists[1], filled)


@pytest.mark.parametrize(("own", "items"), [((5, 3), (9, 3)), ((6, 3), (8, 3)), ((6, 3), (9, 4))])
def test_vectors_of_other_shapes_are_refused(own, items):
    fit = fit_of(WithVectors(np.ones(own, np.float32), np.ones(items, np.float32)))
    with pytest.raises(
        AdapterError, match=r"lib/model: vectors\(\) returned .* expected \(6, D\) and \(9, D\)"
    ):
        fit.lists(np.arange(6, dtype=np.int32), Ranker(csr_matrix((6, 9)), None, 2))
