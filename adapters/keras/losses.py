"""What losses need: negatives, the softmax over the catalogue or over a batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from adapters.keras.training import Loss
from benchmark.modelkit.negative_sampling import REDRAWS, UniformNegatives
from benchmark.protocol import Interactions

MAX_SOFTMAX_ITEMS = 2048
"""Items that a softmax sums over; of a larger catalogue it draws as many."""


def log_loss(
    network: Callable[..., Any], train: Interactions, negatives: int, generator: Any
) -> tuple[Callable[[], Any], Loss]:
    """Return what draws negatives for a pass, and the mean log loss of positives and negatives.

    Negatives are uniform among the items with a row: nothing says that the others are disliked.

    Args:
        network: users (B,) and items (B, 1 + negatives) to logits of the items' shape.
        train: the positives.
        negatives: for each positive.
        generator: a ``tf.random.Generator``.
    """
    users, positives = tf.constant(train.users), tf.constant(train.items)
    sampler = UniformNegatives.from_log(train)
    codes = tf.constant(sampler.pairs.codes)

    def draw() -> Any:
        drawn = tf.gather(sampler.pool, unseen(users, codes, len(sampler.pool), negatives, generator))
        return tf.concat([positives[:, None], drawn], axis=1)

    def loss(batch: Any, items: Any) -> Any:
        logits = network(tf.gather(users, batch), tf.gather(items, batch), training=True)
        target = tf.one_hot(tf.zeros_like(batch), 1 + negatives)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))

    return draw, loss


def unseen(users: Any, codes: Any, n_items: int, k: int, generator: Any) -> Any:
    """Return k uniform items for each row's user, (N, k), hardly any of them a positive of that user.

    Args:
        users: (N,) the user of each row.
        codes: (N,) sorted codes ``user * n_items + item`` of all positives.
        n_items: I.
        k: negatives per row.
        generator: a ``tf.random.Generator``.
    """
    first = tf.repeat(tf.cast(users, tf.int64) * n_items, k)
    drawn = generator.uniform(tf.shape(first), maxval=n_items, dtype=tf.int64)
    again = tf.range(tf.size(first))
    for _ in range(REDRAWS):
        wanted = tf.gather(first, again) + tf.gather(drawn, again)
        found = tf.minimum(tf.searchsorted(codes, wanted), tf.size(codes) - 1)
        again = tf.boolean_mask(again, tf.gather(codes, found) == wanted)
        fresh = generator.uniform(tf.shape(again), maxval=n_items, dtype=tf.int64)
        drawn = tf.tensor_scatter_nd_update(drawn, again[:, None], fresh)
    return tf.reshape(tf.cast(drawn, tf.int32), (-1, k))


def softmax_loss(states: Any, targets: Any, items: Any, bias: Any, generator: Any) -> Any:
    """Return minus the mean log likelihood of targets under a softmax over items, a scalar.

    Over a catalogue of more than ``MAX_SOFTMAX_ITEMS`` items, the sum of the softmax is estimated from as
    many drawn uniformly, plus the target itself (sampled softmax: Jean 2015, arXiv:1412.2007).

    Args:
        states: (n, D).
        targets: (n,) items.
        items: (I, D).
        bias: (I,).
        generator: a ``tf.random.Generator``.
    """
    n_items = items.shape[0]
    if n_items <= MAX_SOFTMAX_ITEMS:
        logits = tf.matmul(states, items, transpose_b=True) + bias
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
    drawn = generator.uniform([MAX_SOFTMAX_ITEMS], maxval=n_items, dtype=tf.int32)
    logits = tf.matmul(states, tf.gather(items, drawn), transpose_b=True) + tf.gather(bias, drawn)
    others = tf.reduce_logsumexp(logits, 1) + math.log(n_items / MAX_SOFTMAX_ITEMS)
    own = tf.reduce_sum(states * tf.gather(items, targets), 1) + tf.gather(bias, targets)
    return tf.reduce_mean(tf.nn.softplus(others - own))


def in_batch_loss(logits: Any, items: Any, log_share: Any) -> Any:
    """Return minus the mean log likelihood of each row's own item among the batch's items, a scalar.

    The items of a batch occur as often as they are liked; subtracting the logarithm of their shares from
    the logits corrects for it (Yi 2019, equation 3). The same item in another row is no negative.

    Args:
        logits: (B, B), the own items on the diagonal.
        items: (B,).
        log_share: (I,) logarithm of each item's share of the positives.
    """
    same = tf.linalg.set_diag(items[:, None] == items[None], tf.zeros_like(items, tf.bool))
    corrected = tf.where(same, np.float32(-1e9), logits - tf.gather(log_share, items))
    own = tf.range(tf.size(items))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(own, corrected))
