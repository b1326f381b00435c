"""Parts that several networks share. Letters: B rows of a batch, n entries of them, m columns, D dim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmark.errors import AdapterError
from benchmark.protocol import Array


class NamedNetwork(keras.Model):
    """A Keras model whose weights go by the names of its layers."""

    def named_weights(self) -> Mapping[str, Any]:
        """Return the variables by names that we chose: Keras's own paths change within a process."""
        return {f"{layer.name}.{weight.name}": weight for layer in self.layers for weight in layer.weights}

    def load(self, state: Mapping[str, Array]) -> None:
        """Take the weights by name.

        Raises:
            AdapterError: a weight has no value there, as where a layer has no name and Keras numbers it.
        """
        if missing := sorted(self.named_weights().keys() - state.keys()):
            raise AdapterError(
                f"the state lacks {', '.join(missing)}: give every layer of the network a name"
            )
        for name, weight in self.named_weights().items():
            weight.assign(state[name])


def normal_embedding(rows: int, dim: int, name: str, stddev: float, seeds: Any) -> layers.Embedding:
    """Return an embedding whose initial vectors are normal; ``seeds`` is a Keras ``SeedGenerator``."""
    start = keras.initializers.RandomNormal(stddev=stddev, seed=seeds)
    return layers.Embedding(rows, dim, name=name, embeddings_initializer=start)


def bias_embedding(rows: int, name: str) -> layers.Embedding:
    """Return a bias for each row, at first zero."""
    return layers.Embedding(rows, 1, name=name, embeddings_initializer="zeros")


class SparseRows:
    """A constant sparse matrix (n, m), of which batches of rows are taken."""

    def __init__(self, matrix: Any) -> None:
        """Take a scipy matrix by rows."""
        self._ends = tf.constant(matrix.indptr.astype(np.int32))
        self._columns = tf.constant(matrix.indices.astype(np.int32))
        self._values = tf.constant(matrix.data.astype(np.float32))
        self._width = matrix.shape[1]

    @classmethod
    def mean(cls, matrix: Any) -> SparseRows:
        """Take each row divided by the sum of its absolute values, so that all rows weigh the same."""
        weights = np.asarray(abs(matrix).sum(axis=1)).ravel()
        scaled = matrix.copy()
        scaled.data = matrix.data / np.repeat(weights, np.diff(matrix.indptr)).clip(1e-12)
        return cls(scaled)

    def _entries(self, rows: Any) -> tuple[Any, Any, Any]:
        """Return row in the batch, column and value (n,) of each entry of the rows (B,)."""
        starts = tf.gather(self._ends, rows)
        counts = tf.gather(self._ends, rows + 1) - starts
        owners = tf.repeat(tf.range(tf.size(rows)), counts)
        entries = tf.gather(starts - tf.cumsum(counts, exclusive=True), owners) + tf.range(tf.size(owners))
        return owners, tf.gather(self._columns, entries), tf.gather(self._values, entries)

    def dense(self, rows: Any) -> Any:  # (B,) -> (B, m)
        """Return rows with their zeros."""
        owners, columns, values = self._entries(rows)
        return tf.scatter_nd(tf.stack([owners, columns], 1), values, [tf.size(rows), self._width])

    def sums(self, table: Callable[[Any], Any], rows: Any) -> Any:  # (B,) -> (B, D)
        """Return sums of vectors times values; the table maps columns (n,) to vectors (n, D)."""
        owners, columns, values = self._entries(rows)
        vectors = table(columns) * values[:, None]
        return tf.math.unsorted_segment_sum(vectors, owners, tf.size(rows))
