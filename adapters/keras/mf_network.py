"""The network of biased matrix factorisation. Letters: B pairs of a batch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adapters.keras.layers import NamedNetwork, bias_embedding, normal_embedding


class MFNetwork(NamedNetwork):
    """Biased matrix factorisation (Koren 2009, doi:10.1109/MC.2009.263, equation 4)."""

    def __init__(self, n_users: int, n_items: int, dim: int, mean: float, seed: int) -> None:
        super().__init__()
        seeds, spread = keras.random.SeedGenerator(seed), 0.1 / dim**0.5
        self.users = normal_embedding(n_users, dim, "users", spread, seeds)
        self.items = normal_embedding(n_items, dim, "items", spread, seeds)
        self.user_bias = bias_embedding(n_users, "user_bias")
        self.item_bias = bias_embedding(n_items, "item_bias")
        self.mean = mean
        self(np.zeros(1, np.int32), np.zeros(1, np.int32))

    def call(self, users: Any, items: Any) -> tuple[Any, Any]:  # (B,), (B,) -> (B,), (B,)
        """Return the ratings of pairs, and the squared length of all that made each."""
        user, item = self.users(users), self.items(items)
        biases = tf.concat([self.user_bias(users), self.item_bias(items)], 1)
        length = sum(tf.reduce_sum(part * part, 1) for part in (user, item, biases))
        return self.mean + tf.reduce_sum(user * item, 1) + tf.reduce_sum(biases, 1), length
