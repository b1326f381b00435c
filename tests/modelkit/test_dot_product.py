"""Scores and ratings from vectors, whoever trained them."""

from __future__ import annotations

import numpy as np

from benchmark.modelkit.dot_product import DotProduct, RatingDotProduct

RNG = np.random.default_rng(0)
USERS, ITEMS = RNG.normal(size=(4, 3)).astype(np.float32), RNG.normal(size=(6, 3)).astype(np.float32)


def test_scores_without_a_bias_are_dot_products_and_the_state_holds_none():
    model, copy = DotProduct(), DotProduct()
    model.restore({"users": USERS, "items": ITEMS})
    np.testing.assert_array_equal(model.score(np.array([2, 0])), USERS[[2, 0]] @ ITEMS.T)
    assert model.state().keys() == {"users", "items"}
    copy.restore(model.state() | {"bias": np.full(6, 2, np.float32)})
    np.testing.assert_allclose(copy.score(np.array([1])), model.score(np.array([1])) + 2, rtol=1e-6)


def test_vectors_are_the_models_own_arrays_and_not_copies():
    model = DotProduct()
    model.restore({"users": USERS, "items": ITEMS, "bias": np.arange(6, dtype=np.float32)})
    vectors = model.vectors()
    assert (vectors.users is USERS, vectors.items is ITEMS, vectors.offset) == (True, True, None)
    products = vectors.users @ vectors.items.T + vectors.bias
    np.testing.assert_array_equal(products, model.score(np.arange(4)))


def test_rating_is_mean_biases_and_dot_product_within_the_scale():
    state = {"users": USERS, "items": ITEMS, "bias": np.arange(6, dtype=np.float32)}
    state |= {"user_bias": np.array([0, 1, -9, 0], np.float32), "mean": np.array(3.0)}
    model = RatingDotProduct()
    model.restore(state | {"scale": np.array([1.0, 5.0])})
    users, items = np.array([0, 1, 2]), np.array([0, 1, 5])
    raw = 3.0 + np.array([0, 1, -9]) + np.array([0, 1, 5]) + (USERS[users] * ITEMS[items]).sum(1)
    np.testing.assert_allclose(model.rate(users, items), raw.clip(1, 5), rtol=1e-6)
    assert model.rate(users, items)[2] == 1.0
    assert model.state().keys() == {*state, "scale"}
