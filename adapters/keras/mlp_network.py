"""A perceptron over pairs. Letters: U users, I items, B rows of a batch, K items of each, D dim, H hidden."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adapters.keras.layers import NamedNetwork, bias_embedding, normal_embedding


class MLPNetwork(NamedNetwork):
    """Logits of pairs from a perceptron over both embeddings (the MLP of He 2017, arXiv:1708.05031).

    The first layer is linear in the concatenated pair, so it is the sum of a user half and an item half,
    each computed once per user or item. Dropout falls on the user's embedding alone: on every layer of
    every pair it doubled the time of an epoch.
    """

    columns = 1  # embeddings of a user (or item), side by side in one table
    first = 2  # width of the first layer, divided by the dim
    spread = 0.05  # standard deviation of initial embeddings

    def __init__(
        self, n_users: int, n_items: int, dim: int, depth: int, dropout: float, seed: int = 0
    ) -> None:
        super().__init__()
        seeds = keras.random.SeedGenerator(seed)
        glorot = {"kernel_initializer": keras.initializers.GlorotUniform(seed=seeds)}
        widths = [max(self.first * dim >> level, 4) for level in range(depth)]  # each layer half as wide
        self.users = normal_embedding(n_users, self.columns * dim, "users", self.spread, seeds)
        self.items = normal_embedding(n_items, self.columns * dim, "items", self.spread, seeds)
        self.item_bias = bias_embedding(n_items, "item_bias")
        self.user_half = layers.Dense(widths[0], name="user_half", **glorot)
        self.item_half = layers.Dense(widths[0], name="item_half", use_bias=False, **glorot)
        self.hidden = [
            layers.Dense(width, "relu", name=f"hidden_{level}", **glorot)
            for level, width in enumerate(widths[1:])
        ]
        self.last = layers.Dense(1, name="last", use_bias=False, **glorot)
        self.dropout = layers.Dropout(dropout, seed=seed)
        self.add_layers(dim)
        self(np.zeros(1, np.int32), np.zeros((1, 1), np.int32))  # creates the weights

    def add_layers(self, dim: int) -> None:
        """Add the layers of a subclass; called before the weights are made."""

    def call(self, users: Any, items: Any, training: bool = False) -> Any:  # (B,), (B, K) -> (B, K)
        """Return the logits (B, K) of each user's own K items."""
        user = self.dropout(self.users(users), training=training)  # (B, D)
        item = self.items(items)  # (B, K, D)
        first = self.user_half(user)[:, None] + self.item_half(item)  # (B, K, H)
        return self._tower(first) + self.item_bias(items)[..., 0]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])  # type: ignore[untyped-decorator]
    def score(self, users: Any) -> Any:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items."""
        return self.all_pairs(self.users(users), self.items.embeddings)

    def all_pairs(self, user: Any, items: Any) -> Any:  # (B, D), (I, D) -> (B, I)
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
