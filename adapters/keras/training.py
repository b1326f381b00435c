"""Training in bulk: one compiled call is one epoch, negatives and shuffling included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from adapters.keras.networks import Perceptron
from benchmark.protocol import Interactions

REDRAWS = 3  # a like that is drawn as a negative is drawn again, this often


@dataclass(frozen=True)
class Options:
    """How to train; the fields are hyperparameters of the adapter."""

    lr: float
    l2: float
    batch_size: int
    negatives: int


def epochs(network: Perceptron, train: Interactions, options: Options, seed: int) -> Iterator[None]:
    """Train for one epoch before each yield, for ever: log loss on likes and sampled negatives."""
    users, likes = tf.constant(train.users), tf.constant(train.items)
    codes = tf.constant(train.users.astype("int64") * train.n_items + train.items)
    known = tf.sort(codes)
    optimizer = keras.optimizers.Adam(options.lr)
    optimizer.build(network.trainable_variables)
    chance = tf.random.Generator.from_seed(seed)

    def learn(user: Any, item: Any) -> None:
        with tf.GradientTape() as tape:
            logits = network(user, item, training=True)
            target = tf.one_hot(tf.zeros_like(user), 1 + options.negatives)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))
        weights = network.trainable_variables
        slopes = tape.gradient(loss, weights)
        dense = [
            tf.convert_to_tensor(slope) + options.l2 * weight
            for slope, weight in zip(slopes, weights, strict=True)
        ]
        optimizer.apply(dense, weights)

    @tf.function  # type: ignore[untyped-decorator]
    def epoch() -> None:
        drawn = unseen(users, known, train.n_items, options.negatives, chance)
        items = tf.concat([likes[:, None], drawn], axis=1)
        order = tf.argsort(chance.uniform(tf.shape(users)))
        for start in tf.range(0, len(train), options.batch_size):
            batch = order[start : start + options.batch_size]
            learn(tf.gather(users, batch), tf.gather(items, batch))

    while True:
        epoch()
        yield


def unseen(users: Any, known: Any, n_items: int, k: int, chance: Any) -> Any:
    """Return k uniform items for each row's user, (N, k), hardly any of them liked by that user.

    Args:
        users: (N,) the user of each row.
        known: (N,) sorted codes ``user * n_items + item`` of all likes.
        n_items: I.
        k: negatives a row.
        chance: a ``tf.random.Generator``.
    """
    first = tf.repeat(tf.cast(users, tf.int64) * n_items, k)
    drawn = chance.uniform(tf.shape(first), maxval=n_items, dtype=tf.int64)
    again = tf.range(tf.size(first))
    for _ in range(REDRAWS):
        codes = tf.gather(first, again) + tf.gather(drawn, again)
        found = tf.minimum(tf.searchsorted(known, codes), tf.size(known) - 1)
        again = tf.boolean_mask(again, tf.gather(known, found) == codes)
        fresh = chance.uniform(tf.shape(again), maxval=n_items, dtype=tf.int64)
        drawn = tf.tensor_scatter_nd_update(drawn, again[:, None], fresh)
    return tf.reshape(tf.cast(drawn, tf.int32), (-1, k))
