"""DeepCTR's compressed interactions, computed faster. Letters: B rows of a batch, F fields, D dim."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def compressed_interaction(layer: Any, fields: Any) -> Any:  # (B, F, D) -> (B, maps)
    """Return what DeepCTR's own call of its layer returns, in a fraction of the time (Lian 2018, equation 6).

    A layer's maps are weighted sums over all products of a field with a map below: one product of matrices
    for all rows and dimensions, where DeepCTR multiplies two short vectors for each of them.
    """
    n_fields, dim = fields.shape[1:]
    inputs = tf.reshape(tf.transpose(fields, (1, 0, 2)), (n_fields, -1))  # (F, B * D)
    below, direct = inputs, []
    for level in range(len(layer.layer_size)):
        products = tf.reshape(inputs[:, None] * below[None], (n_fields * below.shape[0], -1))
        maps = tf.matmul(layer.filters[level][0], products, transpose_a=True) + layer.bias[level][:, None]
        maps = layer.activation_layers[level](maps)  # (maps, B * D)
        last = level == len(layer.layer_size) - 1
        below, out = (maps, maps) if last else tf.split(maps, 2)  # half goes on, half comes out
        direct.append(out)
    summed = tf.reduce_sum(tf.reshape(tf.concat(direct, 0), (-1, tf.shape(fields)[0], dim)), 2)
    return tf.transpose(summed)
