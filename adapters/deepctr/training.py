"""The training loop: positives and sampled negatives in rows, one compiled call a pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adapters.deepctr.click_network import ClickNetwork
from benchmark.modelkit.negative_sampling import UniformNegatives
from benchmark.protocol import Interactions


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        negatives: for each positive.
        batch_size: rows per step of the optimiser, positives and negatives together.
    """

    lr: float
    negatives: int
    batch_size: int


def epochs(network: ClickNetwork, train: Interactions, options: Options, seed: int) -> Iterator[None]:
    """Train one pass over the positives, with fresh negatives, before each yield, for ever.

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
    def one_pass(users: Any, items: Any, targets: Any) -> None:
        def step(start: Any) -> list[Any]:
            end = start + options.batch_size
            learn(users[start:end], items[start:end], targets[start:end])
            return [end]

        tf.while_loop(lambda start: start < tf.size(users), step, [tf.constant(0)], parallel_iterations=1)

    sampler = UniformNegatives.from_log(train)
    while True:
        items = np.concatenate([train.items[:, None], sampler.draw(options.negatives, rng)], axis=1)
        targets = np.zeros(items.shape, dtype=np.float32)
        targets[:, 0] = 1.0
        order = rng.permutation(items.size)
        users = np.repeat(train.users, items.shape[1])
        one_pass(*(tf.constant(column[order]) for column in (users, items.ravel(), targets.ravel())))
        yield
