"""Training in bulk: one compiled call is one pass over the data, negatives and shuffling included."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from benchmark.protocol import Array, Interactions

REDRAWS = 3  # a like that is drawn as a negative is drawn again, this often
CANDIDATES = 2048  # items a softmax sums over; of a larger catalogue it draws as many

Loss: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        l2: weight decay, added to the gradient.
        batch_size: rows a step of the optimiser.
    """

    lr: float
    l2: float
    batch_size: int


def epochs(
    weights: Sequence[Any], rows: int, begin: Callable[[], Loss], options: Options, chance: Any
) -> Iterator[None]:
    """Train one pass over shuffled rows before each yield, for ever.

    Keras's own ``fit`` spends more on calls than on arithmetic here. All is traced once, by plain calls:
    without ``autograph``, which reads the sources of whatever it meets, a trace takes half the time.

    Args:
        weights: what Adam changes; the loss depends on each.
        rows: n; a row is whatever the loss takes it for, such as a user or an interaction.
        begin: draws what a pass needs; returns the loss of a batch of rows (B,) int32, a scalar.
        options: how to train.
        chance: a ``tf.random.Generator``.
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
        loss = begin()
        order = tf.argsort(chance.uniform([rows]))

        def step(start: Any) -> list[Any]:
            learn(loss, order[start : start + options.batch_size])
            return [start + options.batch_size]

        tf.while_loop(lambda start: start < rows, step, [tf.constant(0)], parallel_iterations=1)

    while True:
        epoch()
        yield


def log_loss(
    network: Callable[..., Any], train: Interactions, negatives: int, chance: Any
) -> Callable[[], Loss]:
    """Return what draws the negatives of a pass: its loss is the mean log loss of likes and negatives.

    Negatives are uniform among the items that somebody liked: of the others the log says nothing.

    Args:
        network: users (B,) and items (B, 1 + negatives) to logits of the items' shape.
        train: the likes.
        negatives: for each like.
        chance: a ``tf.random.Generator``.
    """
    users, likes = tf.constant(train.users), tf.constant(train.items)
    liked, places = np.unique(train.items, return_inverse=True)
    known = tf.sort(tf.constant(train.users.astype("int64") * len(liked) + places))

    def begin() -> Loss:
        drawn = tf.gather(liked, unseen(users, known, len(liked), negatives, chance))
        items = tf.concat([likes[:, None], drawn], axis=1)

        def loss(batch: Any) -> Any:
            logits = network(tf.gather(users, batch), tf.gather(items, batch), training=True)
            target = tf.one_hot(tf.zeros_like(batch), 1 + negatives)
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))

        return loss

    return begin


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


class Rows:
    """A constant sparse matrix (n, m), of which batches of rows are taken."""

    def __init__(self, matrix: Any) -> None:
        """Take a scipy matrix by rows."""
        self._ends = tf.constant(matrix.indptr.astype(np.int32))
        self._columns = tf.constant(matrix.indices.astype(np.int32))
        self._values = tf.constant(matrix.data.astype(np.float32))
        self._width = matrix.shape[1]

    @classmethod
    def mean(cls, matrix: Any) -> Rows:
        """Take each row over the sum of its absolute values, so that all rows weigh the same."""
        weights = np.asarray(abs(matrix).sum(axis=1)).ravel()
        scaled = matrix.copy()
        scaled.data = matrix.data / np.repeat(weights, np.diff(matrix.indptr)).clip(1e-12)
        return cls(scaled)

    def _entries(self, rows: Any) -> tuple[Any, Any, Any]:
        """Return place in the batch, column and value (n,) of each entry of the rows (B,)."""
        starts = tf.gather(self._ends, rows)
        counts = tf.gather(self._ends, rows + 1) - starts
        places = tf.repeat(tf.range(tf.size(rows)), counts)
        at = tf.gather(starts - tf.cumsum(counts, exclusive=True), places) + tf.range(tf.size(places))
        return places, tf.gather(self._columns, at), tf.gather(self._values, at)

    def dense(self, rows: Any) -> Any:  # (B,) -> (B, m)
        """Return rows with their zeros."""
        places, columns, values = self._entries(rows)
        return tf.scatter_nd(tf.stack([places, columns], 1), values, [tf.size(rows), self._width])

    def sums(self, table: Callable[[Any], Any], rows: Any) -> Any:  # (B,) -> (B, D)
        """Return sums of vectors times values; the table maps columns (n,) to vectors (n, D)."""
        places, columns, values = self._entries(rows)
        vectors = table(columns) * values[:, None]
        return tf.math.unsorted_segment_sum(vectors, places, tf.size(rows))


def next_items(train: Interactions, length: int) -> tuple[Array, Array]:
    """Return pieces of histories (W, L), and what came after each item (W, L), -1 for nothing; int32.

    A history longer than ``length`` is cut into pieces; what ends a piece begins the next.
    """
    starts, places = train.histories()
    items = train.items[places]
    moves = np.maximum(np.diff(starts) - 1, 0)  # from one item to the next, of each user
    pieces = -(-moves // length)
    users = np.repeat(np.arange(train.n_users), moves)
    step = np.arange(len(users)) - (moves.cumsum() - moves)[users]
    row, column = (pieces.cumsum() - pieces)[users] + step // length, step % length
    before = np.zeros((pieces.sum(), length), dtype=np.int32)
    after = np.full_like(before, -1)
    before[row, column], after[row, column] = items[starts[users] + step], items[starts[users] + step + 1]
    return before, after


def latest_items(train: Interactions, length: int) -> tuple[Array, Array]:
    """Return each user's last items (U, L), the earliest of them first, and how many they are (U,), int32."""
    starts, places = train.histories()
    lengths = np.minimum(np.diff(starts), length).astype(np.int32)
    users = np.repeat(np.arange(train.n_users), lengths)
    column = np.arange(len(users)) - (lengths.cumsum() - lengths)[users]
    latest = np.zeros((train.n_users, length), dtype=np.int32)
    latest[users, column] = train.items[places[(starts[1:] - lengths)[users] + column]]
    return latest, lengths


def softmax_loss(states: Any, targets: Any, items: Any, bias: Any, chance: Any) -> Any:
    """Return minus the mean log likelihood of targets under a softmax over items, a scalar.

    Over a catalogue of more than ``CANDIDATES`` items, the sum of the softmax is estimated from as many
    drawn uniformly, the target itself counted besides (sampled softmax: Jean 2015, arXiv:1412.2007).

    Args:
        states: (n, D).
        targets: (n,) items.
        items: (I, D).
        bias: (I,).
        chance: a ``tf.random.Generator``.
    """
    n_items = items.shape[0]
    if n_items <= CANDIDATES:
        logits = tf.matmul(states, items, transpose_b=True) + bias
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
    drawn = chance.uniform([CANDIDATES], maxval=n_items, dtype=tf.int32)
    logits = tf.matmul(states, tf.gather(items, drawn), transpose_b=True) + tf.gather(bias, drawn)
    others = tf.reduce_logsumexp(logits, 1) + math.log(n_items / CANDIDATES)
    own = tf.reduce_sum(states * tf.gather(items, targets), 1) + tf.gather(bias, targets)
    return tf.reduce_mean(tf.nn.softplus(others - own))


def in_batch_loss(logits: Any, items: Any, log_share: Any) -> Any:
    """Return minus the mean log likelihood of each row's own item among the batch's items, a scalar.

    The items of a batch are drawn as often as they are liked; taking the logarithm of their shares off
    the logits corrects for it (Yi 2019, equation 3). The same item in another row is no rival.

    Args:
        logits: (B, B), the own items on the diagonal.
        items: (B,).
        log_share: (I,) logarithm of each item's share of the likes.
    """
    same = tf.linalg.set_diag(items[:, None] == items[None], tf.zeros_like(items, tf.bool))
    corrected = tf.where(same, np.float32(-1e9), logits - tf.gather(log_share, items))
    own = tf.range(tf.size(items))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(own, corrected))
