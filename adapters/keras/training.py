"""The training loop that all Keras adapters share: one compiled call is one pass over the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import tensorflow as tf

Loss: TypeAlias = Callable[[Any], Any]
"""From a batch of rows (B,) int32 to a scalar."""


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        l2: weight decay, added to the gradient.
        batch_size: rows per step of the optimiser.
    """

    lr: float
    l2: float
    batch_size: int


def epochs(
    weights: Sequence[Any], n_rows: int, start_epoch: Callable[[], Loss], options: Options, generator: Any
) -> Iterator[None]:
    """Train one pass over shuffled rows before each yield, for ever.

    Keras's own ``fit`` spends more time on calls than on arithmetic here. Everything is traced once; without
    ``autograph``, which reads the sources of whatever is called, a trace takes half the time.

    Args:
        weights: what Adam changes; the loss depends on each.
        n_rows: a row is whatever the loss takes it for, such as a user or an interaction.
        start_epoch: traced as the start of each pass, for example to draw negatives; returns its loss.
        options: how to train.
        generator: a ``tf.random.Generator``.
    """
    optimizer = keras.optimizers.Adam(options.lr)
    optimizer.build(weights)

    def learn(loss: Loss, batch: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(batch)
        slopes = tape.gradient(value, weights)
        dense = [
            tf.convert_to_tensor(slope) + options.l2 * weight
            for slope, weight in zip(slopes, weights, strict=True)
        ]
        optimizer.apply(dense, weights)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def epoch() -> None:
        loss = start_epoch()
        order = tf.argsort(generator.uniform([n_rows]))

        def step(start: Any) -> list[Any]:
            learn(loss, order[start : start + options.batch_size])
            return [start + options.batch_size]

        tf.while_loop(lambda start: start < n_rows, step, [tf.constant(0)], parallel_iterations=1)

    while True:
        epoch()
        yield
