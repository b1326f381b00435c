"""Training in bulk: likes and drawn negatives in rows, one compiled call a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmark.protocol import Array, Ids, Interactions

REDRAWS = 3  # a like that is drawn as a negative is drawn again, this often


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        negatives: for each like.
        batch_size: rows a step of the optimiser, likes and negatives alike.
    """

    lr: float
    negatives: int
    batch_size: int


def passes(
    network: Callable[..., Any], model: Any, train: Interactions, options: Options, seed: int
) -> Iterator[None]:
    """Train one pass over the likes, with fresh negatives, before each yield, for ever.

    Args:
        network: users (B,) and items (B,) to logits (B,).
        model: the Keras model in it: its weights are trained, its penalties added to the mean log loss.
        train: the likes.
        options: how to train.
        seed: of order and negatives.
    """
    weights, rng = model.trainable_variables, np.random.default_rng(seed)
    optimizer = keras.optimizers.Adam(options.lr)
    optimizer.build(weights)

    def learn(users: Any, items: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            logits = network(users, items, training=True)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
            loss = tf.add_n([tf.reduce_mean(losses), *model.losses])
        optimizer.apply(tape.gradient(loss, weights), weights)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def one_pass(users: Any, items: Any, targets: Any) -> None:
        def step(start: Any) -> list[Any]:
            end = start + options.batch_size
            learn(users[start:end], items[start:end], targets[start:end])
            return [end]

        tf.while_loop(lambda start: start < tf.size(users), step, [tf.constant(0)], parallel_iterations=1)

    draw = negatives(train, options.negatives, rng)
    while True:
        items = np.concatenate([train.items[:, None], next(draw)], axis=1)
        targets = np.zeros(items.shape, dtype=np.float32)
        targets[:, 0] = 1.0
        order = rng.permutation(items.size)
        users = np.repeat(train.users, items.shape[1])
        one_pass(*(tf.constant(column[order]) for column in (users, items.ravel(), targets.ravel())))
        yield


def negatives(train: Interactions, k: int, rng: np.random.Generator) -> Iterator[Ids]:
    """Yield k items for each like (N, k), for ever: uniform among items with a row, hardly any liked.

    Items without a row are left out: that they are disliked is not known.
    """
    codes = np.unique(train.users.astype(np.int64) * train.n_items + train.items)
    pool = np.unique(train.items)
    first = np.repeat(train.users.astype(np.int64) * train.n_items, k)
    while True:
        drawn = rng.choice(pool, len(first))
        again: Array = np.arange(len(first))
        for _ in range(REDRAWS):
            wanted = first[again] + drawn[again]
            found = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
            again = again[codes[found] == wanted]
            drawn[again] = rng.choice(pool, len(again))
        yield drawn.reshape(-1, k)
