"""DeepCTR's networks over the fields of users and items. Letters: U users, I items, B rows of a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any

import deepctr.models
import keras
import numpy as np
import tensorflow as tf
from deepctr.feature_column import SparseFeat, VarLenSparseFeat
from deepctr.layers.interaction import CIN

from adapters.deepctr.base import Architecture
from adapters.deepctr.fields import Field
from adapters.deepctr.layers import compressed_interaction
from benchmark.protocol import Array

SPREAD = 0.05  # standard deviation of initial embeddings
PIECE = 1024  # pairs scored at once: what the layers hold of them stays in the cache


@dataclass(frozen=True)
class Side:
    """The part of a network that depends on users, or on items, alone.

    Attributes:
        tables: the model's inputs for all users, or all items, by name.
        vectors: the model from these inputs to the vectors of all fields.
    """

    tables: Mapping[str, Any]
    vectors: Any

    def inputs(self, rows: Any) -> Mapping[str, Any]:
        """Return the model's inputs for rows (B,)."""
        return {name: tf.gather(table, rows) for name, table in self.tables.items()}

    def __call__(self, rows: Any) -> Any:
        """Return the vectors (B, 1, D) of each field, for rows (B,)."""
        return self.vectors(self.inputs(rows))


class ClickNetwork:
    """A Keras model made by DeepCTR, cut such that all pairs of users and items are scored fast."""

    def __init__(
        self, users: Sequence[Field], items: Sequence[Field], architecture: Architecture, seed: int
    ) -> None:
        """Build it with untrained weights.

        Args:
            users: fields of the users, the ids first.
            items: fields of the items, likewise.
            architecture: what DeepCTR is asked to build.
            seed: decides the weights.
        """
        sides = (("users", users), ("items", items))
        named = {f"{side}{index}": field for side, found in sides for index, field in enumerate(found)}
        ordered = sorted(named, key=lambda name: not name.endswith("s0"))  # as DeepCTR does: ids before lists
        columns = [feature_column(name, named[name], architecture.dim) for name in ordered]
        with redirect_stdout(StringIO()):  # one of its layers prints
            self.model = getattr(deepctr.models, architecture.kind)(
                columns,
                columns,
                task="regression",
                dnn_hidden_units=architecture.widths,
                dnn_dropout=architecture.dropout,
                l2_reg_embedding=architecture.l2,
                l2_reg_linear=architecture.l2,
                seed=seed,
                **architecture.extra,
            )
        for layer in self.model.layers:
            if isinstance(layer, CIN):
                layer.call = partial(compressed_interaction, layer)
        draw_weights(self.model, seed)
        self.users, self.items = (cut(self.model, side, named, ordered) for side, _ in sides)
        self.n_items = len(items[0].ids)
        meeting = [*self.users.vectors.outputs, *self.items.vectors.outputs]
        self._top = keras.Model(meeting, self.model.output)

    def __call__(self, users: Any, items: Any, training: bool = False) -> Any:  # (B,), (B,) -> (B,)
        """Return the logits of pairs; the fields of what occurs several times are looked up once."""
        parts = []
        for side, rows in ((self.users, users), (self.items, items)):
            distinct, indices = tf.unique(rows)
            found = side(distinct)
            rows_of_all = tf.gather(tf.concat(found, 2), indices)  # one look-up for all of them
            parts += tf.split(rows_of_all, [part.shape[2] for part in found], 2)
        return self._top(parts, training=training)[:, 0]

    def whole(self, users: Any, items: Any) -> Any:  # (B,), (B,) -> (B,)
        """Return the same logits from DeepCTR's model as it is."""
        return self.model({**self.users.inputs(users), **self.items.inputs(items)})[:, 0]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)  # type: ignore[untyped-decorator]
    def score(self, users: Any) -> Any:  # (B,) -> (B, I)
        """Return the logits of all items: what depends on one side alone is computed once for each row."""
        pieces = math.ceil(self.n_items / PIECE)
        size = math.ceil(self.n_items / pieces)
        of_items = self.items(tf.range(self.n_items))
        spare = [[0, pieces * size - self.n_items], [0, 0], [0, 0]]
        cut = [tf.reshape(tf.pad(part, spare), (pieces, size, *part.shape[1:])) for part in of_items]

        def one(user: Any) -> Any:  # [(1, D)] -> (I,)
            same = [tf.tile(part[None], (size, 1, 1)) for part in user]

            def piece(items: Any) -> Any:
                return self._top([*same, *items])[:, 0]

            scores = tf.map_fn(piece, cut, fn_output_signature=tf.float32, parallel_iterations=1)
            return tf.reshape(scores, [-1])[: self.n_items]

        return tf.map_fn(one, self.users(users), fn_output_signature=tf.float32, parallel_iterations=1)

    def weights(self) -> Mapping[str, Any]:
        """Return the variables by index and kind of their layer: Keras's paths change within a process."""
        return {
            f"{index}.{type(layer).__name__}.{weight.name}": weight
            for index, layer in enumerate(self.model.layers)
            for weight in layer.weights
        }

    def load(self, state: Mapping[str, Array]) -> None:
        """Take the weights by name."""
        for name, weight in self.weights().items():
            weight.assign(state[name])


def feature_column(name: str, field: Field, dim: int) -> Any:
    """Return a field as DeepCTR describes it: ids as they are, lists by the mean of their vectors."""
    sparse = SparseFeat(name, field.size, dim)
    if name.endswith("s0"):
        return sparse
    weights = None if field.weights is None else f"{name}_weights"
    return VarLenSparseFeat(sparse, field.ids.shape[1], "mean", weight_name=weights, weight_norm=False)


def cut(model: Any, side: str, named: Mapping[str, Field], ordered: Sequence[str]) -> Side:
    """Return the part of a model that depends on "users", or "items", alone.

    It ends where the model puts the vectors of all fields together.
    """
    chosen = {name: field for name, field in named.items() if name.startswith(side)}
    tables = {name: tf.constant(field.ids) for name, field in chosen.items()}
    for name, field in chosen.items():
        if field.weights is not None:
            tables[f"{name}_weights"] = tf.constant(field.weights[..., None])
    meetings = [layer for layer in model.layers if type(layer).__name__ == "Concat"]
    pairs = [pair for layer in meetings for pair in zip(ordered, layer.input, strict=True)]
    outputs = list({id(tensor): tensor for name, tensor in pairs if name.startswith(side)}.values())
    inputs = {tensor.name: tensor for tensor in model.inputs if tensor.name in tables}
    return Side(tables, keras.Model(inputs, outputs))


def draw_weights(model: Any, seed: int) -> None:
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
