"""The Keras adapters beyond the contract: what each formula, each sequence and each tower promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array
from training_logs import fitted, interactions

from benchmark.errors import AdapterError
from benchmark.protocol import Features, FitContext
from benchmark.testing import planted_parts


@pytest.fixture(scope="module", autouse=True)
def _device():
    """TensorFlow takes its threads before it first computes."""
    from adapters.keras.base import KerasModel

    KerasModel.open_device(FitContext())


@pytest.fixture(scope="module")
def towers():
    """Fitted towers, on a planted log with genres; two users and two items have no row."""
    from adapters.keras.two_tower import TwoTower

    return fitted(TwoTower(), planted_parts()[0].positives(), steps=15)


def test_neumf_scores_of_all_items_equal_those_of_its_training_pass():
    from adapters.keras.neumf_network import NeuMFNetwork

    network = NeuMFNetwork(5, 7, dim=8, depth=2, dropout=0.5)
    rng = np.random.default_rng(0)
    network.load({name: rng.normal(size=w.shape) for name, w in network.named_weights().items()})
    users, items = np.arange(5, dtype=np.int32), np.tile(np.arange(7, dtype=np.int32), (5, 1))
    np.testing.assert_allclose(network(users, items), network.score(users), rtol=1e-4, atol=1e-4)


def test_layer_without_a_name_cannot_be_restored_and_the_message_says_so():
    import keras

    from adapters.keras.layers import NamedNetwork, bias_embedding

    class Nameless(NamedNetwork):
        def __init__(self):
            super().__init__()
            self.bias = keras.layers.Embedding(3, 1)
            self(np.zeros(1, np.int32))

        def call(self, items):
            return self.bias(items)

    one, other = Nameless(), Nameless()
    with pytest.raises(
        AdapterError, match=r"lacks embedding\w*.embeddings: give every layer of the network a name"
    ):
        other.load(one.named_weights())
    with pytest.raises(TypeError, match="name"):
        bias_embedding(3)


def test_mlp_scores_of_all_items_equal_those_of_its_training_pass():
    from adapters.keras.mlp import Mlp

    model = fitted(Mlp(), planted_parts()[0], steps=1)
    users = np.arange(3, dtype=np.int32)
    scores = model.score(users)
    items = np.tile(np.arange(scores.shape[1], dtype=np.int32), (3, 1))
    np.testing.assert_allclose(model._network(users, items).numpy(), scores, atol=1e-5)


def test_negatives_are_hardly_ever_likes():
    import tensorflow as tf

    from adapters.keras.losses import unseen

    users, items = np.repeat(np.arange(50), 50), np.tile(np.arange(50), 50)
    codes = tf.constant(users * 100 + items, tf.int64)
    drawn = unseen(tf.constant(users), codes, 100, 4, tf.random.Generator.from_seed(0)).numpy()
    assert drawn.shape == (2500, 4)
    assert (drawn < 50).mean() < 0.08
    assert len(np.unique(drawn)) > 50


def test_mf_ratings_are_mean_biases_and_dot_product():
    from adapters.keras.mf_network import MFNetwork

    network = MFNetwork(3, 4, dim=2, mean=3.5, seed=0)
    network.user_bias.embeddings.assign([[0.0], [0.5], [0.0]])
    network.item_bias.embeddings.assign([[0.0], [0.0], [-1.0], [0.0]])
    user, item = network.users.embeddings.numpy()[1], network.items.embeddings.numpy()[2]
    ratings, length = (found.numpy() for found in network(np.array([1]), np.array([2])))
    assert ratings[0] == pytest.approx(3.5 + 0.5 - 1.0 + user @ item, abs=1e-6)
    assert length[0] == pytest.approx(user @ user + item @ item + 0.25 + 1.0, abs=1e-6)


def test_multdae_new_user_gets_the_scores_of_a_known_one_with_the_same_history():
    from adapters.keras.multdae import MultDae

    train = planted_parts()[0].positives()
    model = fitted(MultDae(dim=32), train, steps=2)
    np.testing.assert_allclose(
        model.fold_in(train.matrix()[3].indices), model.score(np.array([3]))[0], rtol=1e-4, atol=1e-5
    )


def test_next_items_cut_a_long_history_without_losing_a_step():
    from adapters.keras.histories import next_items

    train = interactions([0, 1, 0, 0, 0, 2, 2], [4, 5, 1, 2, 0, 3, 1], times=[10, 1, 20, 30, 40, 2, 1])
    before, after = next_items(train, 2)
    assert before.tolist() == [[4, 1], [2, 0], [1, 0]]
    assert after.tolist() == [[1, 2], [0, -1], [3, -1]]


def test_latest_items_keep_the_end_of_a_history():
    from adapters.keras.histories import latest_items

    train = interactions([0, 0, 0, 2], [4, 1, 2, 3], times=[30, 10, 20, 5])
    latest, lengths = latest_items(train, 2)
    assert latest.tolist() == [[2, 4], [0, 0], [3, 0]]
    assert lengths.tolist() == [2, 0, 1]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_recurrent_state_knows_nothing_of_what_comes_after(cell):
    from adapters.keras.recurrent_network import RecurrentNetwork

    network = RecurrentNetwork(9, 4, cell, dropout=0.5, seed=0)
    whole = network.last(np.array([[1, 2, 3]]), np.array([3]))
    padded = network.last(np.array([[1, 2, 3, 7, 7], [1, 2, 3, 0, 0]]), np.array([3, 0]))
    np.testing.assert_allclose(padded[0], whole[0], atol=1e-6)
    assert not np.any(padded[1])


def test_gru_learns_an_order_that_counts_alone_cannot_show():
    from adapters.keras.recurrent import Gru

    starts = np.random.default_rng(0).integers(8, size=300)
    items = (starts[:, None] + np.arange(7)) % 8  # each item is followed by the next of a ring
    train = interactions(np.repeat(np.arange(300), 7), items.ravel(), times=np.tile(np.arange(7), 300))
    scores = fitted(Gru(dim=16, history=7, batch_size=32, dropout=0.0), train, steps=8).score(np.arange(300))
    assert (scores.argmax(1) == (starts + 7) % 8).mean() > 0.95


def test_sampled_softmax_is_close_to_the_full_one(monkeypatch):
    import tensorflow as tf

    from adapters.keras import losses

    rng, generator = np.random.default_rng(0), tf.random.Generator.from_seed(0)
    states, items = (tf.constant(rng.normal(size=(n, 4)), tf.float32) for n in (20, 500))
    arguments = (states, tf.range(20), items, tf.zeros(500), generator)
    full = float(losses.softmax_loss(*arguments))
    monkeypatch.setattr(losses, "MAX_SOFTMAX_ITEMS", 100)
    drawn = np.mean([losses.softmax_loss(*arguments) for _ in range(200)])
    assert abs(drawn - full) < 0.05 * full


def test_in_batch_loss_is_the_softmax_with_the_shares_taken_off():
    from adapters.keras.losses import in_batch_loss

    logits = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]], np.float32)
    items, share = np.array([4, 1, 4], np.int32), np.array([0.1, 0.2, 0.1, 0.1, 0.5], np.float32)
    corrected = logits - np.log(share[items])
    corrected[0, 2] = corrected[2, 0] = -np.inf  # the same item is no rival of itself
    expected = np.log(np.exp(corrected).sum(1)) - np.diag(corrected)
    assert float(in_batch_loss(logits, items, np.log(share))) == pytest.approx(expected.mean(), rel=1e-5)


def test_rows_taken_in_batches_equal_those_of_the_matrix():
    import tensorflow as tf

    from adapters.keras.layers import SparseRows

    matrix = csr_matrix(random_array((20, 9), density=0.3, rng=0))
    table, batch = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32), np.array([7, 0, 7, 19])
    rows = SparseRows(matrix)
    np.testing.assert_allclose(rows.dense(batch), matrix[batch].toarray(), rtol=1e-6)
    sums = rows.sums(lambda columns: tf.gather(table, columns), batch)
    np.testing.assert_allclose(sums, matrix[batch] @ table, rtol=1e-5, atol=1e-6)


def test_towers_give_an_item_without_rows_the_vector_of_its_features(towers):
    train, (stranger, twin) = planted_parts()[0], (120, 121)  # both have the features of item 119
    assert not np.isin([stranger, twin], train.items).any()
    scores = towers.score(np.arange(50))
    np.testing.assert_allclose(scores[:, stranger], scores[:, twin], atol=1e-5)
    assert np.ptp(scores[:, stranger]) > 0.1
    assert np.corrcoef(scores[:, stranger], scores[:, 119])[0, 1] > 0.3


def test_content_only_towers_cannot_tell_items_with_the_same_features_apart():
    from adapters.keras.two_tower import TwoTower

    train = planted_parts()[0].positives()
    halves = csr_matrix(np.eye(2, dtype=np.float32)[np.arange(train.n_items) % 2])
    train = replace(train, item_features=Features(halves, ("half=0", "half=1")))
    scores = fitted(TwoTower(dim=16, content_only=True), train, steps=1).score(np.arange(5))
    np.testing.assert_allclose(scores[:, 2:], scores[:, :-2], atol=1e-5)
    assert np.abs(scores[:, 0] - scores[:, 1]).max() > 1e-3
