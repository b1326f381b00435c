"""The training loop that all Keras adapters share: one compiled call is one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from benchmark.modelkit.pace import Pace

Loss: TypeAlias = Callable[[Any, Any], Any]
"""From a batch of rows (B,) int32, and what the pass began with, to a scalar."""


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        l2: weight decay, added to the gradient.
        batch_size: rows per step of the optimiser; more on a large log, see ``Pace.batch_rows``.
        pace: where a pass is cut into steps.
    """

    lr: float
    l2: float
    batch_size: int
    pace: Pace


def epochs(
    weights: Sequence[Any], n_rows: int, draw: Callable[[], Any], loss: Loss, options: Options, generator: Any
) -> Iterator[int]:
    """Train on shuffled rows for ever; yield where a step ends, with the rows of the log that it trained.

    Keras's own ``fit`` spends more time on calls than on arithmetic here. Everything is traced once; without
    ``autograph``, which reads the sources of whatever is called, a trace takes half the time.

    Args:
        weights: what Adam changes; the loss depends on each.
        n_rows: a row is whatever the loss takes it for, such as a user or an interaction.
        draw: traced as the start of each pass; returns what the loss needs of it, such as negatives.
        loss: of a batch of rows (B,) int32, given what was drawn; a scalar.
        options: how to train.
        generator: a ``tf.random.Generator``.
    """
    optimizer = keras.optimizers.Adam(options.lr)
    optimizer.build(weights)
    size = options.pace.batch_rows(options.batch_size, n_rows)

    def learn(batch: Any, drawn: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(batch, drawn)
        slopes = tape.gradient(value, weights)
        dense = [
            tf.convert_to_tensor(slope) + options.l2 * weight
            for slope, weight in zip(slopes, weights, strict=True)
        ]
        optimizer.apply(dense, weights)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def begin() -> Any:
        drawn = draw()
        return drawn, tf.argsort(generator.uniform([n_rows]))

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def walk(drawn: Any, order: Any, first: Any, end: Any) -> None:
        def step(start: Any) -> list[Any]:
            learn(order[start : start + size], drawn)
            return [start + size]

        tf.while_loop(lambda start: start < end, step, [first], parallel_iterations=1)

    ends = options.pace.ends(-(-n_rows // size))
    while True:
        drawn, order = begin()
        first = 0
        for end, rows in ends.items():
            walk(drawn, order, *(tf.constant(batches * size) for batches in (first, end)))
            first = end
            yield rows
