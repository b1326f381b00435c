"""A perceptron over concatenated embeddings of user and item (the MLP of He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmark.protocol import Array


class Perceptron(keras.Model):
    """Logits of user-item pairs; letters: B users, K items of each, D dim, H width of the first layer.

    The first layer is linear in the concatenated pair, so it is the sum of a user half and an item half,
    each computed once per user or item. Dropout falls on the user's embedding alone: on every layer of
    every pair it doubled the time of an epoch.
    """

    def __init__(
        self, n_users: int, n_items: int, dim: int, depth: int, dropout: float, seed: int = 0
    ) -> None:
        super().__init__()
        chance = keras.random.SeedGenerator(seed)
        normal = {"embeddings_initializer": keras.initializers.RandomNormal(stddev=0.05, seed=chance)}
        zeros = {"embeddings_initializer": "zeros"}
        glorot = {"kernel_initializer": keras.initializers.GlorotUniform(seed=chance)}
        widths = [max(2 * dim >> level, 4) for level in range(depth)]  # a tower: each layer half as wide
        self.users = layers.Embedding(n_users, dim, name="users", **normal)
        self.items = layers.Embedding(n_items, dim, name="items", **normal)
        self.item_bias = layers.Embedding(n_items, 1, name="item_bias", **zeros)
        self.user_half = layers.Dense(widths[0], name="user_half", **glorot)
        self.item_half = layers.Dense(widths[0], name="item_half", use_bias=False, **glorot)
        self.hidden = [
            layers.Dense(width, "relu", name=f"hidden_{level}", **glorot)
            for level, width in enumerate(widths[1:])
        ]
        self.last = layers.Dense(1, name="last", use_bias=False, **glorot)
        self.dropout = layers.Dropout(dropout, seed=seed)
        self(np.zeros(1, np.int32), np.zeros((1, 1), np.int32))  # makes the weights

    def call(self, users: Any, items: Any, training: bool = False) -> Any:  # (B,), (B, K) -> (B, K)
        """Return the logits (B, K) of each user's own K items."""
        user = self.user_half(self.dropout(self.users(users), training=training))  # (B, H)
        item = self.item_half(self.items(items))  # (B, K, H)
        return self._tower(user[:, None] + item) + self.item_bias(items)[..., 0]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])  # type: ignore[untyped-decorator]
    def score(self, users: Any) -> Any:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items; one user at a time, so that the layers stay in the cache."""
        items = self.item_half(self.items.embeddings)  # (I, H)
        bias = self.item_bias.embeddings[:, 0]
        user = self.user_half(self.users(users))  # (B, H)
        return tf.map_fn(lambda row: self._tower(row + items) + bias, user, parallel_iterations=1)

    def _tower(self, first: Any) -> Any:  # (..., H) -> (...)
        x = tf.nn.relu(first)
        for layer in self.hidden:
            x = layer(x)
        return self.last(x)[..., 0]

    def named_weights(self) -> dict[str, Any]:
        """Return the variables by names that we chose: Keras's own paths change within a process."""
        return {f"{layer.name}.{weight.name}": weight for layer in self.layers for weight in layer.weights}

    def load(self, state: dict[str, Array]) -> None:
        """Take the weights by name."""
        for name, weight in self.named_weights().items():
            weight.assign(state[name])
