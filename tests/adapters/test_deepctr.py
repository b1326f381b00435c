"""The DeepCTR adapters beyond the contract: fields, the way to all pairs, and an import that asks nobody."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from training_logs import fitted

from adapters import ADAPTERS
from adapters.deepctr.base import Architecture, ClickModel
from adapters.deepctr.fields import LONGEST, Field, fields, pack_fields, unpack_fields
from benchmark.protocol import Features, FitContext
from benchmark.registry import Registry, install_hint
from benchmark.testing import ndcg, planted_parts
from benchmark.testing.planted import described

NAMES = [name for name in ADAPTERS if name.startswith("deepctr/")]
NEEDED = pytest.mark.skipif(importlib.util.find_spec("deepctr") is None, reason="deepctr is not installed")
ODDITIES = {"DeepFM": {}, "xDeepFM": {"cin_layer_size": (6, 4, 3)}, "DCN": {"cross_num": 3}}
QUIET = """
import sys, threading, tensorflow, keras
heard = []
sys.addaudithook(lambda event, _: heard.append(event) if event.startswith("socket.") else None)
from importlib import import_module
for module in sys.argv[1:]:
    import_module(module)
print(*heard, *(thread.name for thread in threading.enumerate()[1:]), "deepctr" in sys.modules)
"""


@pytest.fixture(scope="module", autouse=True)
def _device():
    """TensorFlow takes its threads before it first computes."""
    if importlib.util.find_spec("tensorflow"):
        ClickModel.open_device(FitContext())


@pytest.fixture(scope="module")
def deep():
    """A DeepFM trained on the planted log, with genres of items and groups of users."""
    from adapters.deepctr.deepfm import DeepFm

    return fitted(DeepFm(batch_size=512, lr=0.01), described(planted_parts()[0].positives()), steps=12)


def network(kind: str):
    """An untrained network with weighted features; its biases and linear weights are no longer zero."""
    from adapters.deepctr.click_network import ClickNetwork

    rng = np.random.default_rng(0)
    matrix = csr_matrix(rng.normal(size=(9, 3)) * (rng.random((9, 3)) < 0.7))
    numbers = Features(matrix, ("tag=a", "tag=b", "price"))
    architecture = Architecture(kind, 4, (8, 4), dropout=0.5, extra=ODDITIES[kind])
    sides = fields(np.arange(5), 6, None), fields(np.arange(7), 9, numbers)
    found = ClickNetwork(*sides, architecture, seed=1)
    found.load({name: rng.normal(size=weight.shape) for name, weight in found.weights().items()})
    return found


def test_fields_hold_ids_columns_and_weighted_numbers():
    matrix = csr_matrix(np.array([[1, 0, 1, -0.5], [0, 1, 0, 0.0], [0, 1, 0, 2.0]], np.float32))
    known = Features(matrix, ("tag=a", "tag=b", "kind=c", "price"))
    own, tag, kind, number = fields(np.array([2, 0]), 3, known)
    assert (own.ids.tolist(), own.size) == ([[1], [0], [3]], 4)
    assert (tag.ids.tolist(), tag.size, tag.weights) == ([[2], [1], [1]], 3, None)  # b is the more frequent
    assert kind.ids.tolist() == [[1], [0], [0]]
    assert number.ids.tolist() == [[1], [0], [1]]
    assert number.weights.tolist() == [[-0.5], [0.0], [2.0]]


def test_fields_keep_the_most_frequent_values_of_a_long_list():
    width = LONGEST + 10
    matrix = csr_matrix(np.tril(np.ones((width, width), np.float32)))  # the first value is in every row
    field = fields(np.array([0]), width, Features(matrix, tuple(f"tag={i}" for i in range(width))))[1]
    assert field.ids.shape == (width, LONGEST)
    assert field.ids[-1].tolist() == list(range(1, LONGEST + 1))
    assert field.ids[0].tolist() == [1] + [0] * (LONGEST - 1)


def test_fields_come_back_from_their_arrays():
    found = [Field(np.array([[1], [0]], np.int32), 3), Field(np.eye(2, dtype=np.int32), 2, np.eye(2))]
    back = unpack_fields("users", pack_fields("users", found) | pack_fields("items", found[:1]))
    assert [field.size for field in back] == [3, 2]
    assert back[0].weights is None
    np.testing.assert_array_equal(back[1].weights, found[1].weights)


@NEEDED
@pytest.mark.parametrize("kind", ODDITIES)
def test_scores_of_all_items_equal_the_model_of_deepctr(kind, monkeypatch):
    from adapters.deepctr import click_network

    monkeypatch.setattr(click_network, "PIECE", 4)  # nine items in three pieces
    ours, users, items = network(kind), np.repeat(np.arange(6), 9), np.tile(np.arange(9), 6)
    whole = ours.whole(users, items).numpy()
    np.testing.assert_allclose(ours.score(np.arange(6)).numpy().ravel(), whole, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours(users[::5], items[::5]), whole[::5], rtol=1e-4, atol=1e-5)
    assert whole.std() > 0.1


@NEEDED
def test_trained_scores_equal_the_model_of_deepctr(deep):
    rng = np.random.default_rng(0)
    users, items = rng.integers(202, size=1000), rng.integers(122, size=1000)
    scores = deep.score(np.arange(202))[users, items]
    np.testing.assert_allclose(deep._network.whole(users, items), scores, atol=1e-5)


@NEEDED
@pytest.mark.parametrize("sizes", [(6, 4, 3), (5,)])
def test_compressed_interaction_equals_deepctr_s_own(sizes):
    import tensorflow as tf
    from deepctr.layers.interaction import CIN

    from adapters.deepctr.layers import compressed_interaction

    rng = np.random.default_rng(0)
    layer, inputs = CIN(sizes), tf.constant(rng.normal(size=(7, 4, 5)), tf.float32)
    layer(inputs)  # makes the weights
    for bias in layer.bias:
        bias.assign(rng.normal(size=bias.shape))
    found = compressed_interaction(layer, inputs).numpy()
    np.testing.assert_allclose(found, CIN.call(layer, inputs), rtol=1e-5, atol=1e-5)


@NEEDED
def test_deepfm_ranks_better_than_popularity(deep):
    train, test = planted_parts()
    counts = np.bincount(train.positives().items, minlength=train.n_items).astype(np.float32)
    popular = ndcg(np.tile(counts, (train.n_users, 1)), train, test).mean()
    assert ndcg(deep.score(np.arange(train.n_users)), train, test).mean() > 1.05 * popular


@NEEDED
def test_deepfm_knows_strangers_by_their_features_alone(deep):
    scores = deep.score(np.arange(202))
    np.testing.assert_array_equal(scores[:, 120], scores[:, 121])  # two strangers with the same genres
    assert np.abs(scores[:, 120] - scores[:, 119]).max() > 0.1  # an item with these genres and its own vector


@NEEDED
def test_state_is_named_arrays_that_a_new_model_scores_alike_from(deep):
    from adapters.deepctr.deepfm import DeepFm

    copy, state = DeepFm(), deep.state()
    copy.restore({name: np.array(array) for name, array in state.items()})
    users = np.array([0, 201, 17])
    np.testing.assert_array_equal(copy.score(users), deep.score(users))
    assert {"users.0.ids", "items.1.size"} <= set(state)
    assert len(set(state)) == len(deep._network.model.weights) + 2 * 4  # ids and size of four fields


@NEEDED
@pytest.mark.parametrize("name", NAMES[:1])
def test_loading_a_model_opens_no_socket_and_starts_no_thread(name):
    program = [sys.executable, "-c", QUIET, *Registry(ADAPTERS)[name].preload]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_without_deepctr_the_extra_to_install_is_named(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "deepctr" else found(name))
    registry = Registry(ADAPTERS)
    assert {name for name in ADAPTERS if "deepctr" in registry[name].missing} == set(NAMES)
    assert install_hint([registry[NAMES[0]]]) == "pip install 'recsys-bench[deepctr]'"
