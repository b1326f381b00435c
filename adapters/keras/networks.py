"""The networks. Letters: U users, I items, B rows of a batch, K items of each, L history, D dim, H hidden."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adapters.keras.training import Rows
from benchmark.protocol import Array, Features


class Network(keras.Model):
    """A Keras model whose weights go by the names of its layers."""

    def named_weights(self) -> dict[str, Any]:
        """Return the variables by names that we chose: Keras's own paths change within a process."""
        return {f"{layer.name}.{weight.name}": weight for layer in self.layers for weight in layer.weights}

    def load(self, state: dict[str, Array]) -> None:
        """Take the weights by name."""
        for name, weight in self.named_weights().items():
            weight.assign(state[name])


def normal(stddev: float, chance: Any) -> dict[str, Any]:
    """Return what tells an embedding to begin at random."""
    return {"embeddings_initializer": keras.initializers.RandomNormal(stddev=stddev, seed=chance)}


class Perceptron(Network):
    """Logits of pairs from a perceptron over both embeddings (the MLP of He 2017, arXiv:1708.05031).

    The first layer is linear in the concatenated pair, so it is the sum of a user half and an item half,
    each computed once per user or item. Dropout falls on the user's embedding alone: on every layer of
    every pair it doubled the time of an epoch.
    """

    columns = 1  # embeddings of a user (or item), side by side in one table
    first = 2  # width of the first layer over the dim
    spread = 0.05  # standard deviation of initial embeddings

    def __init__(
        self, n_users: int, n_items: int, dim: int, depth: int, dropout: float, seed: int = 0
    ) -> None:
        super().__init__()
        chance = keras.random.SeedGenerator(seed)
        begin = normal(self.spread, chance)
        glorot = {"kernel_initializer": keras.initializers.GlorotUniform(seed=chance)}
        widths = [max(self.first * dim >> level, 4) for level in range(depth)]  # each layer half as wide
        self.users = layers.Embedding(n_users, self.columns * dim, name="users", **begin)
        self.items = layers.Embedding(n_items, self.columns * dim, name="items", **begin)
        self.item_bias = layers.Embedding(n_items, 1, name="item_bias", embeddings_initializer="zeros")
        self.user_half = layers.Dense(widths[0], name="user_half", **glorot)
        self.item_half = layers.Dense(widths[0], name="item_half", use_bias=False, **glorot)
        self.hidden = [
            layers.Dense(width, "relu", name=f"hidden_{level}", **glorot)
            for level, width in enumerate(widths[1:])
        ]
        self.last = layers.Dense(1, name="last", use_bias=False, **glorot)
        self.dropout = layers.Dropout(dropout, seed=seed)
        self._more(dim)
        self(np.zeros(1, np.int32), np.zeros((1, 1), np.int32))  # makes the weights

    def _more(self, dim: int) -> None:
        """Make the layers of a subclass."""

    def call(self, users: Any, items: Any, training: bool = False) -> Any:  # (B,), (B, K) -> (B, K)
        """Return the logits (B, K) of each user's own K items."""
        user = self.dropout(self.users(users), training=training)  # (B, D)
        item = self.items(items)  # (B, K, D)
        first = self.user_half(user)[:, None] + self.item_half(item)  # (B, K, H)
        return self._tower(first) + self.item_bias(items)[..., 0]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])  # type: ignore[untyped-decorator]
    def score(self, users: Any) -> Any:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items."""
        return self._all(self.users(users), self.items.embeddings)

    def _all(self, user: Any, items: Any) -> Any:  # (B, D), (I, D) -> (B, I)
        """Return all logits, one user at a time, so that the layers stay in the cache."""
        halves, bias = self.item_half(items), self.item_bias.embeddings[:, 0]

        def one(half: Any) -> Any:  # (H,) -> (I,)
            return self._tower(half + halves) + bias

        return tf.map_fn(one, self.user_half(user), parallel_iterations=1)

    def _tower(self, first: Any) -> Any:  # (..., H) -> (...)
        x = tf.nn.relu(first)
        for layer in self.hidden:
            x = layer(x)
        return self.last(x)[..., 0]


class NeuMF(Perceptron):
    """A weighted dot product (GMF) beside a perceptron, their logits added (He 2017, section 3.4).

    Two departures from the paper make it fast and change no result it can reach: both embeddings of a user
    (or item) lie in one table, and the perceptron's first layer is split in halves. An item bias stands for
    popularity, which the paper's pre-training leaves to the embeddings.
    """

    columns = 2  # GMF part, then MLP part
    first = 1
    spread = 0.01  # section 4.1

    def _more(self, dim: int) -> None:
        self.product = layers.Dense(1, name="product", use_bias=False, kernel_initializer="ones")
        self.product.build((None, dim))

    def call(self, users: Any, items: Any, training: bool = False) -> Any:  # (B,), (B, K) -> (B, K)
        """Return the logits (B, K) of each user's own K items."""
        user_gmf, user = tf.split(self.dropout(self.users(users), training=training), 2, -1)  # (B, D)
        item_gmf, item = tf.split(self.items(items), 2, -1)  # (B, K, D)
        first = self.user_half(user)[:, None] + self.item_half(item)  # (B, K, H)
        weighted = user_gmf * self.product.kernel[:, 0]
        products = tf.matmul(item_gmf, weighted[..., None])[..., 0]
        return products + self._tower(first) + self.item_bias(items)[..., 0]

    def _all(self, user: Any, items: Any) -> Any:  # (B, 2D), (I, 2D) -> (B, I)
        user_gmf, user_mlp = tf.split(user, 2, -1)
        item_gmf, item_mlp = tf.split(items, 2, -1)
        products = tf.matmul(user_gmf * self.product.kernel[:, 0], item_gmf, transpose_b=True)
        return products + super()._all(user_mlp, item_mlp)


class BiasedFactors(Network):
    """Biased matrix factorisation (Koren 2009, doi:10.1109/MC.2009.263, equation 4)."""

    def __init__(self, n_users: int, n_items: int, dim: int, mean: float, seed: int) -> None:
        super().__init__()
        begin = normal(0.1 / dim**0.5, keras.random.SeedGenerator(seed))
        self.users = layers.Embedding(n_users, dim, name="users", **begin)
        self.items = layers.Embedding(n_items, dim, name="items", **begin)
        self.user_bias = layers.Embedding(n_users, 1, name="user_bias", embeddings_initializer="zeros")
        self.item_bias = layers.Embedding(n_items, 1, name="item_bias", embeddings_initializer="zeros")
        self.mean = mean
        self(np.zeros(1, np.int32), np.zeros(1, np.int32))

    def call(self, users: Any, items: Any) -> tuple[Any, Any]:  # (B,), (B,) -> (B,), (B,)
        """Return the ratings of pairs, and the squared length of all that made each."""
        user, item = self.users(users), self.items(items)
        biases = tf.concat([self.user_bias(users), self.item_bias(items)], 1)
        length = sum(tf.reduce_sum(part * part, 1) for part in (user, item, biases))
        return self.mean + tf.reduce_sum(user * item, 1) + tf.reduce_sum(biases, 1), length


class DenoisingAutoencoder(Network):
    """Histories to a hidden layer to logits (Mult-DAE, Liang 2018, arXiv:1802.05814, section 2.3)."""

    def __init__(self, n_items: int, dim: int, dropout: float, seed: int) -> None:
        super().__init__()
        chance = keras.random.SeedGenerator(seed)
        glorot = {"kernel_initializer": keras.initializers.GlorotNormal(seed=chance)}
        self.dropout = layers.Dropout(dropout, seed=seed)
        self.encoder = layers.Dense(dim, "tanh", name="encoder", **glorot)
        self.decoder = layers.Dense(n_items, name="decoder", **glorot)
        self(np.zeros((1, n_items), np.float32))

    def call(self, likes: Any, training: bool = False) -> Any:  # (B, I) -> (B, I)
        """Return the logits of all items, from ones at the likes."""
        return self.decoder(self.encode(likes, training=training))

    def encode(self, likes: Any, training: bool = False) -> Any:  # (B, I) -> (B, D)
        """Return what a history of length one is encoded to."""
        return self.encoder(self.dropout(tf.math.l2_normalize(likes, 1), training=training))


class Recurrent(Network):
    """A GRU or LSTM over a history; its output is compared with the embeddings that it reads.

    One table of items for input and output: Hidasi 2018 (arXiv:1706.03847, section 4.3).
    """

    def __init__(self, n_items: int, dim: int, cell: str, dropout: float, seed: int) -> None:
        super().__init__()
        chance = keras.random.SeedGenerator(seed)
        begin = {
            "kernel_initializer": keras.initializers.GlorotUniform(seed=chance),
            "recurrent_initializer": keras.initializers.Orthogonal(seed=chance),
        }
        kind = {"gru": layers.GRU, "lstm": layers.LSTM}[cell]
        self.items = layers.Embedding(n_items, dim, name="items", **normal(dim**-0.5, chance))
        self.bias = layers.Embedding(n_items, 1, name="bias", embeddings_initializer="zeros")
        self.dropout = layers.Dropout(dropout, noise_shape=(None, None, 1), seed=seed)
        self.cell = kind(dim, return_sequences=True, name="cell", seed=seed, **begin)
        self.bias.build()
        self(np.zeros((1, 2), np.int32))

    def call(self, histories: Any, training: bool = False) -> Any:  # (B, L) -> (B, L, D)
        """Return the state after each item; dropout leaves out whole items."""
        return self.cell(self.dropout(self.items(histories), training=training))

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
    )
    def last(self, histories: Any, lengths: Any) -> Any:  # (B, L), (B,) -> (B, D)
        """Return the state after the last item of each history; zeros where there is none."""
        states = tf.gather(self(histories), tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
        return states * tf.cast(lengths > 0, tf.float32)[:, None]


class Tower(Network):
    """Vectors of users, or of items, from their ids and features (Yi 2019, doi:10.1145/3298689.3346996).

    What has no training row has no vector of its own: its features speak for it. So that they learn to,
    training leaves out whole ids at random (Volkovs 2017, DropoutNet, NIPS).
    """

    def __init__(
        self, known: Array | None, features: Features | None, dim: int, depth: int, seed: int
    ) -> None:
        """Take which rows training sees (n,) bool, None for features alone; and the shape of the tower."""
        super().__init__()
        chance = keras.random.SeedGenerator(seed)
        begin = normal(dim**-0.5, chance)
        glorot = {"kernel_initializer": keras.initializers.GlorotUniform(seed=chance)}
        self._rows = None if features is None else Rows.mean(features.matrix)
        self._known = None if known is None else tf.constant(known, tf.float32)
        if known is not None:
            self.ids = layers.Embedding(len(known), dim, name="ids", **begin)
        if features is not None:
            self.features = layers.Embedding(len(features.names), dim, name="features", **begin)
        self.hidden = [
            layers.Dense(dim, "relu" if level < depth - 1 else None, name=f"hidden_{level}", **glorot)
            for level in range(depth)
        ]
        self(np.zeros(1, np.int32), np.ones(1, np.float32))

    def keep(self, rows: Any, dropout: float, chance: Any) -> Any:  # (B,) -> (B,)
        """Return ones, and zeros where the id is left out: at random, or everywhere if features are all."""
        if self._known is None:
            return tf.zeros(tf.shape(rows))
        if self._rows is None:
            return tf.ones(tf.shape(rows))
        return tf.cast(chance.uniform(tf.shape(rows)) >= dropout, tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])  # type: ignore[untyped-decorator]
    def vectors(self, rows: Any) -> Any:  # (B,) -> (B, D)
        """Return vectors with all that is known."""
        return self(rows, tf.ones(tf.shape(rows)))

    def call(self, rows: Any, keep: Any) -> Any:  # (B,), (B,) -> (B, D)
        """Return vectors of length one."""
        parts = []
        if self._known is not None:
            parts.append(self.ids(rows) * (tf.gather(self._known, rows) * keep)[:, None])
        if self._rows is not None:
            parts.append(self._rows.sums(self.features, rows))
        x = tf.add_n(parts)
        for layer in self.hidden:
            x = layer(x)
        return tf.math.l2_normalize(x, 1)
