"""The training loop: positives and sampled negatives in rows, one compiled call a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adapters.deepctr.click_network import ClickNetwork
from benchmark.modelkit.negative_sampling import UniformNegatives
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        negatives: for each positive.
        batch_size: rows per step of the optimiser, positives and negatives together; more on a large log, see
            ``Pace.batch_rows``.
        pace: where a pass is cut into steps.
    """

    lr: float
    negatives: int
    batch_size: int
    pace: Pace


def epochs(network: ClickNetwork, train: Interactions, options: Options, seed: int) -> Iterator[int]:
    """Train for ever, each pass with fresh negatives; yield where a step ends, with the likes it trained.

    Args:
        network: its weights are trained, its model's penalties added to the mean log loss.
        train: the positives.
        options: how to train.
        seed: of order and negatives.
    """
    weights, rng = network.model.trainable_variables, np.random.default_rng(seed)
    optimizer = keras.optimizers.Adam(options.lr)
    optimizer.build(weights)

    def learn(users: Any, items: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            logits = network(users, items, training=True)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
            loss = tf.add_n([tf.reduce_mean(losses), *network.model.losses])
        optimizer.apply(tape.gradient(loss, weights), weights)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def walk(users: Any, items: Any, targets: Any, first: Any, end: Any) -> None:
        def step(start: Any) -> list[Any]:
            stop = start + size
            learn(users[start:stop], items[start:stop], targets[start:stop])
            return [stop]

        tf.while_loop(lambda start: start < end, step, [first], parallel_iterations=1)

    sampler = UniformNegatives.from_log(train)
    rows_of_like = 1 + options.negatives
    size = max(options.batch_size, rows_of_like * options.pace.batch_rows(1, len(train)))
    ends = options.pace.ends(-(-len(train) * rows_of_like // size))
    while True:
        items = np.concatenate([train.items[:, None], sampler.draw(options.negatives, rng)], axis=1)
        targets = np.zeros(items.shape, dtype=np.float32)
        targets[:, 0] = 1.0
        order = rng.permutation(items.size)
        users = np.repeat(train.users, items.shape[1])
        columns = [tf.constant(column[order]) for column in (users, items.ravel(), targets.ravel())]
        first = 0
        for end, rows in ends.items():
            walk(*columns, *(tf.constant(batches * size) for batches in (first, end)))
            first = end
            yield rows
