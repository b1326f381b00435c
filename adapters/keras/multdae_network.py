"""Mult-DAE's network. Letters: I items, B rows of a batch, D dim."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adapters.keras.layers import NamedNetwork


class MultDAENetwork(NamedNetwork):
    """Histories to a hidden layer to logits (Mult-DAE, Liang 2018, arXiv:1802.05814, section 2.3)."""

    def __init__(self, n_items: int, dim: int, dropout: float, seed: int) -> None:
        super().__init__()
        seeds = keras.random.SeedGenerator(seed)
        glorot = {"kernel_initializer": keras.initializers.GlorotNormal(seed=seeds)}
        self.dropout = layers.Dropout(dropout, seed=seed)
        self.encoder = layers.Dense(dim, "tanh", name="encoder", **glorot)
        self.decoder = layers.Dense(n_items, name="decoder", **glorot)
        self(np.zeros((1, n_items), np.float32))

    def call(self, history: Any, training: bool = False) -> Any:  # (B, I) -> (B, I)
        """Return the logits of all items, from ones at the positives."""
        return self.decoder(self.encode(history, training=training))

    def encode(self, history: Any, training: bool = False) -> Any:  # (B, I) -> (B, D)
        """Return what a history of length one is encoded to."""
        return self.encoder(self.dropout(tf.math.l2_normalize(history, 1), training=training))
