"""The network over histories. Letters: B rows of a batch, L items of a history, D dim."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from adapters.keras.layers import NamedNetwork, bias_embedding, normal_embedding


class RecurrentNetwork(NamedNetwork):
    """A GRU or LSTM over a history; its output is compared with the embeddings that it reads.

    One table of items for input and output: Hidasi 2018 (arXiv:1706.03847, section 4.3).
    """

    def __init__(self, n_items: int, dim: int, cell: str, dropout: float, seed: int) -> None:
        super().__init__()
        seeds = keras.random.SeedGenerator(seed)
        initial = {
            "kernel_initializer": keras.initializers.GlorotUniform(seed=seeds),
            "recurrent_initializer": keras.initializers.Orthogonal(seed=seeds),
        }
        kind = {"gru": layers.GRU, "lstm": layers.LSTM}[cell]
        self.items = normal_embedding(n_items, dim, "items", dim**-0.5, seeds)
        self.bias = bias_embedding(n_items, "bias")
        self.dropout = layers.Dropout(dropout, noise_shape=(None, None, 1), seed=seed)
        self.cell = kind(dim, return_sequences=True, name="cell", seed=seed, **initial)
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
