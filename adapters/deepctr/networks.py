"""DeepCTR's networks over the fields of users and items. Letters: U users, I items, B rows of a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

import deepctr.models
import keras
import numpy as np
import tensorflow as tf
from deepctr.feature_column import SparseFeat, VarLenSparseFeat
from deepctr.layers.interaction import CIN

from adapters.deepctr.fields import Field
from benchmark.protocol import Array

SPREAD = 0.05  # standard deviation of initial embeddings
PIECE = 1024  # pairs scored at once: what the layers hold of them stays in the cache


class Network:
    """A Keras model made by DeepCTR, and what it is of all pairs of users and items."""

    def __init__(
        self, kind: str, users: Sequence[Field], items: Sequence[Field], dim: int, options: Mapping[str, Any]
    ) -> None:
        """Build it with untrained weights.

        Args:
            kind: name in ``deepctr.models``.
            users: fields of the users, the ids first.
            items: fields of the items, likewise.
            dim: size of all embeddings.
            options: what else DeepCTR's function is given; ``seed`` decides the weights.
        """
        sides = {"users": users, "items": items}
        named = {f"{side}{place}": field for side in sides for place, field in enumerate(sides[side])}
        ordered = sorted(named, key=lambda name: not name.endswith("s0"))  # as DeepCTR does: ids before lists
        columns = [_column(name, named[name], dim) for name in ordered]
        with redirect_stdout(StringIO()):  # one of its layers prints
            self.model = getattr(deepctr.models, kind)(columns, columns, task="regression", **options)
        for layer in self.model.layers:
            if isinstance(layer, CIN):
                layer.call = partial(compressed_interaction, layer)
        self.n_items = len(items[0].ids)
        self._inputs = {side: _tables(named, side) for side in sides}
        _begin(self.model, options["seed"])
        self._cut(ordered)

    def _cut(self, ordered: Sequence[str]) -> None:
        """Cut the model where users and items meet: where it puts the vectors of all fields together."""
        meetings = [layer for layer in self.model.layers if type(layer).__name__ == "Concat"]
        cuts: dict[str, dict[int, Any]] = {"users": {}, "items": {}}
        for layer in meetings:
            for name, tensor in zip(ordered, layer.input, strict=True):
                cuts[name[:5]][id(tensor)] = tensor
        parts = {side: list(tensors.values()) for side, tensors in cuts.items()}
        entries = {tensor.name: tensor for tensor in self.model.inputs}
        self._sides = {
            side: keras.Model({name: entries[name] for name in self._inputs[side]}, parts[side])
            for side in parts
        }
        self._top = keras.Model([*parts["users"], *parts["items"]], self.model.output)

    def __call__(self, users: Any, items: Any, training: bool = False) -> Any:  # (B,), (B,) -> (B,)
        """Return the logits of pairs; the fields of who occurs several times are looked up once."""
        parts = []
        for side, rows in (("users", users), ("items", items)):
            distinct, places = tf.unique(rows)
            found = self._sides[side](self._of(side, distinct))
            rows_of_all = tf.gather(tf.concat(found, 2), places)  # one look-up for all of them
            parts += tf.split(rows_of_all, [part.shape[2] for part in found], 2)
        return self._top(parts, training=training)[:, 0]

    def whole(self, users: Any, items: Any) -> Any:  # (B,), (B,) -> (B,)
        """Return the same logits from DeepCTR's model as it is."""
        return self.model(self._of("users", users) | self._of("items", items))[:, 0]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)  # type: ignore[untyped-decorator]
    def score(self, users: Any) -> Any:  # (B,) -> (B, I)
        """Return the logits of all items: what depends on one side alone is computed once for each row."""
        pieces = math.ceil(self.n_items / PIECE)
        size = math.ceil(self.n_items / pieces)
        of_items = self._sides["items"](self._of("items", tf.range(self.n_items)))
        spare = [[0, pieces * size - self.n_items], [0, 0], [0, 0]]
        cut = [tf.reshape(tf.pad(part, spare), (pieces, size, *part.shape[1:])) for part in of_items]

        def one(user: Any) -> Any:  # [(1, D)] -> (I,)
            same = [tf.tile(part[None], (size, 1, 1)) for part in user]

            def piece(items: Any) -> Any:
                return self._top([*same, *items])[:, 0]

            scores = tf.map_fn(piece, cut, fn_output_signature=tf.float32, parallel_iterations=1)
            return tf.reshape(scores, [-1])[: self.n_items]

        of_users = self._sides["users"](self._of("users", users))
        return tf.map_fn(one, of_users, fn_output_signature=tf.float32, parallel_iterations=1)

    def _of(self, side: str, rows: Any) -> dict[str, Any]:
        """Return the model's inputs from one side, for rows (B,)."""
        return {name: tf.gather(table, rows) for name, table in self._inputs[side].items()}

    def weights(self) -> dict[str, Any]:
        """Return the variables by place and kind of their layer: Keras's paths change within a process."""
        return {
            f"{place}.{type(layer).__name__}.{weight.name}": weight
            for place, layer in enumerate(self.model.layers)
            for weight in layer.weights
        }

    def load(self, state: Mapping[str, Array]) -> None:
        """Take the weights by name."""
        for name, weight in self.weights().items():
            weight.assign(state[name])


def _column(name: str, field: Field, dim: int) -> Any:
    """Return DeepCTR's word for a field: ids as they are, lists by the mean of their vectors."""
    sparse = SparseFeat(name, field.size, dim)
    if name.endswith("s0"):
        return sparse
    weights = None if field.weights is None else f"{name}_weights"
    return VarLenSparseFeat(sparse, field.ids.shape[1], "mean", weight_name=weights, weight_norm=False)


def _tables(named: Mapping[str, Field], side: str) -> dict[str, Any]:
    """Return the model's inputs for all users, or all items."""
    chosen = {name: field for name, field in named.items() if name.startswith(side)}
    weights = {f"{name}_weights": field.weights for name, field in chosen.items()}
    ids = {name: tf.constant(field.ids) for name, field in chosen.items()}
    return ids | {name: tf.constant(found[..., None]) for name, found in weights.items() if found is not None}


def _begin(model: Any, seed: int) -> None:
    """Draw the weights anew: DeepCTR leaves some unseeded, and gives the others numbers that repeat.

    Embeddings are normal, kernels as Glorot 2010 has them, biases and linear weights zero, as in DeepCTR.
    """
    rng = np.random.default_rng(seed)
    for weight in model.trainable_variables:
        shape, spread = tuple(weight.shape), 0.0
        if weight.name == "embeddings":
            spread = SPREAD if shape[-1] > 1 else 0.0
        elif len(shape) > 1 and "bias" not in weight.name:
            spread = math.sqrt(2 / (shape[-2] + shape[-1]))
        weight.assign(rng.normal(0.0, spread, shape) if spread else np.zeros(shape))


def compressed_interaction(layer: Any, fields: Any) -> Any:  # (B, F, D) -> (B, maps)
    """Return what DeepCTR's own call of its layer returns, in a fraction of the time (Lian 2018, equation 6).

    A layer's maps are weighted sums over all products of a field with a map below: one product of matrices
    for all rows and dimensions, where DeepCTR multiplies two short vectors for each of them.
    """
    n_fields, dim = fields.shape[1:]
    inputs = tf.reshape(tf.transpose(fields, (1, 0, 2)), (n_fields, -1))  # (F, B * D)
    below, direct = inputs, []
    for place in range(len(layer.layer_size)):
        products = tf.reshape(inputs[:, None] * below[None], (n_fields * below.shape[0], -1))
        maps = tf.matmul(layer.filters[place][0], products, transpose_a=True) + layer.bias[place][:, None]
        maps = layer.activation_layers[place](maps)  # (maps, B * D)
        last = place == len(layer.layer_size) - 1
        below, out = (maps, maps) if last else tf.split(maps, 2)  # half goes on, half comes out
        direct.append(out)
    summed = tf.reduce_sum(tf.reshape(tf.concat(direct, 0), (-1, tf.shape(fields)[0], dim)), 2)
    return tf.transpose(summed)
