"""NeuMF's network. Letters: I items, B rows of a batch, K items of each, D dim, H hidden."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import layers

from adapters.keras.mlp_network import MLPNetwork


class NeuMFNetwork(MLPNetwork):
    """A weighted dot product (GMF) beside a perceptron, their logits added (He 2017, section 3.4).

    Two departures from the paper make it fast and change no result it can reach: both embeddings of a user
    (or item) lie in one table, and the perceptron's first layer is split in halves. An item bias stands for
    popularity, which the paper's pre-training leaves to the embeddings.
    """

    columns = 2  # GMF part, then MLP part
    first = 1
    spread = 0.01  # section 4.1

    def add_layers(self, dim: int) -> None:
        """Add the weights of the dot product."""
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

    def all_pairs(self, user: Any, items: Any) -> Any:  # (B, 2D), (I, 2D) -> (B, I)
        """Return all logits."""
        user_gmf, user_mlp = tf.split(user, 2, -1)
        item_gmf, item_mlp = tf.split(items, 2, -1)
        products = tf.matmul(user_gmf * self.product.kernel[:, 0], item_gmf, transpose_b=True)
        return products + super().all_pairs(user_mlp, item_mlp)
