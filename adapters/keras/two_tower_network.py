"""The network of two towers. Letters: n users or items, B rows of a batch, D dim."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from adapters.keras.layers import NamedNetwork, SparseRows, bias_embedding, normal_embedding
from benchmark.protocol import Features, Floats32


class TowerNetwork(NamedNetwork):
    """Vectors of users, or of items, from their ids and features (Yi 2019, doi:10.1145/3298689.3346996).

    What has no training row has no vector of its own: its features speak for it. So that they learn to,
    training leaves out whole ids at random (Volkovs 2017, DropoutNet, NIPS).
    """

    def __init__(
        self, seen: NDArray[np.bool_] | None, features: Features | None, dim: int, depth: int, seed: int
    ) -> None:
        """Take which rows have a training row (n,), None for features alone; and the shape of the tower."""
        super().__init__()
        seeds = keras.random.SeedGenerator(seed)
        spread = dim**-0.5
        glorot = {"kernel_initializer": keras.initializers.GlorotUniform(seed=seeds)}
        self._rows = None if features is None else SparseRows.mean(features.matrix)
        self._seen = None if seen is None else tf.constant(seen, tf.float32)
        if seen is not None:
            self.ids = normal_embedding(len(seen), dim, "ids", spread, seeds)
        if features is not None:
            self.features = normal_embedding(len(features.names), dim, "features", spread, seeds)
        self.hidden = [
            layers.Dense(dim, "relu" if level < depth - 1 else None, name=f"hidden_{level}", **glorot)
            for level in range(depth)
        ]
        self(np.zeros(1, np.int32), np.ones(1, np.float32))

    def keep(self, rows: Any, dropout: float, generator: Any) -> Any:  # (B,) -> (B,)
        """Return ones, and zeros where the id is left out: at random, or everywhere if features are all."""
        if self._seen is None:
            return tf.zeros(tf.shape(rows))
        if self._rows is None:
            return tf.ones(tf.shape(rows))
        return tf.cast(generator.uniform(tf.shape(rows)) >= dropout, tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])  # type: ignore[untyped-decorator]
    def vectors(self, rows: Any) -> Any:  # (B,) -> (B, D)
        """Return vectors from ids and features, nothing left out."""
        return self(rows, tf.ones(tf.shape(rows)))

    def call(self, rows: Any, keep: Any) -> Any:  # (B,), (B,) -> (B, D)
        """Return vectors of length one."""
        parts = []
        if self._seen is not None:
            parts.append(self.ids(rows) * (tf.gather(self._seen, rows) * keep)[:, None])
        if self._rows is not None:
            parts.append(self._rows.sums(self.features, rows))
        x = tf.add_n(parts)
        for layer in self.hidden:
            x = layer(x)
        return tf.math.l2_normalize(x, 1)


class TwoTowerNetwork:
    """A tower of users, a tower of items, and a bias of each item."""

    def __init__(self, users: TowerNetwork, items: TowerNetwork, n_users: int, n_items: int) -> None:
        self.users, self.items = users, items
        self._n_users, self._n_items = n_users, n_items
        self.bias = bias_embedding(n_items, "bias")
        self.bias.build()

    @property
    def trainable_variables(self) -> list[Any]:
        """All that is trained."""
        parts = (self.users, self.items, self.bias)
        return [variable for part in parts for variable in part.trainable_variables]

    def logits(self, users: Any, items: Any, dropout: float, generator: Any) -> tuple[Any, Any]:
        """Return cosines (B, B) of users (B,) and items (B,), and the biases (B,) of the items, in training.

        An item whose id is left out has no bias either.
        """
        keep = self.items.keep(items, dropout, generator)
        of_users = self.users(users, self.users.keep(users, dropout, generator))
        cosines = tf.matmul(of_users, self.items(items, keep), transpose_b=True)
        return cosines, self.bias(items)[:, 0] * keep

    def tables(self) -> tuple[Floats32, Floats32, Floats32]:
        """Return the vectors of all users (U, D) and items (I, D), and the biases (I,)."""
        users = self.users.vectors(np.arange(self._n_users)).numpy()
        items = self.items.vectors(np.arange(self._n_items)).numpy()
        return users, items, self.bias.embeddings.numpy()[:, 0]
