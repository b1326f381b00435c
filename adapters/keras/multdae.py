"""A denoising autoencoder with a multinomial likelihood: Mult-DAE (Liang 2018, arXiv:1802.05814)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.keras.base import KerasTraining
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, FitContext, Floats32, Ids, Interactions, Needs, Range, Scores, Space

if TYPE_CHECKING:
    from adapters.keras.multdae_network import MultDAENetwork


@dataclass
class MultDae(DotProduct, KerasTraining):
    """Guesses a history from a part of it: one hidden layer, a softmax over all items.

    Implicit feedback; a user is represented by the history alone, so new users are served too. A pass costs
    O(U I dim), a full scoring the same. Tuned: size, step, penalty and the share of a history left out.

    Shape, ``dim`` and ``dropout``: Liang 2018, section 4.3. Batches are smaller than the paper's 500 users,
    which would make too few steps per pass on logs of a few thousand users.
    """

    dim: int = 200
    lr: float = 1e-3
    l2: float = 1e-5
    dropout: float = 0.5
    batch_size: int = 128
    max_epochs: int = 200

    space: ClassVar[Space] = {
        "dim": Range(32, 400, log=True),
        "lr": Range(2e-4, 1e-2, log=True),
        "l2": Range(1e-7, 1e-3, log=True),
        "dropout": Range(0.1, 0.9),
    }

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of users."""
        self._history = train.matrix()
        return super().fit_steps(train, context)

    def needs(self, train: Interactions) -> Needs:
        """Return two layers over all items with what trains them, and batches as dense rows."""
        weights = 4.0 * 2 * train.n_items * self.dim
        batch = 4.0 * self.batch_size * train.n_items
        users = 4.0 * train.n_users * self.dim
        why = f"two layers of {train.n_items:,} x {self.dim:,}, batches of {self.batch_size} histories"
        return Needs(7.5 * weights + 6 * batch + 2 * users + 24.0 * len(train), why=why)

    def untrained(self, train: Interactions, seed: int) -> MultDAENetwork:
        """Return the network with its initial weights."""
        from adapters.keras.multdae_network import MultDAENetwork

        return MultDAENetwork(train.n_items, self.dim, self.dropout, seed)

    def epochs(
        self, network: MultDAENetwork, train: Interactions, generator: Any, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of users."""
        import tensorflow as tf

        from adapters.keras.layers import SparseRows
        from adapters.keras.training import Options, epochs

        positives = train.matrix()
        active = np.flatnonzero(np.diff(positives.indptr))
        rows = SparseRows(positives[active])

        def loss(batch: Any, _: Any) -> Any:
            history = rows.dense(batch)
            likely = tf.nn.log_softmax(network(history, training=True))
            return -tf.reduce_mean(tf.reduce_sum(history * likely, 1))

        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.trainable_variables, len(active), tuple, loss, options, generator)

    def keep(self, network: MultDAENetwork) -> None:
        """Keep the weights of both layers, and the hidden layer of all users."""
        self._encoder, self._encoder_bias = map(np.array, network.encoder.get_weights())
        decoder, self._bias = network.decoder.get_weights()
        self._items = np.ascontiguousarray(decoder.T)
        lengths = np.diff(self._history.indptr)[:, None]
        self._users = self._encoded(self._history @ self._encoder, lengths)

    def _encoded(self, summed: Floats32, lengths: Any) -> Floats32:
        """Return the hidden layer, from sums over histories."""
        scale = 1.0 / np.sqrt(np.maximum(lengths, 1))
        return np.tanh(summed * scale + self._encoder_bias).astype(np.float32)

    def fold_in(self, items: Ids) -> Scores:
        """Return the logits (I,) of a new user with these likes."""
        assert self._bias is not None
        hidden = self._encoded(self._encoder[items].sum(0), len(items))
        scores: Scores = self._items @ hidden + self._bias
        return scores

    def state(self) -> dict[str, Array]:
        """Return the hidden layer of all users, the weights of both layers and their biases."""
        return super().state() | {"encoder": self._encoder, "encoder_bias": self._encoder_bias}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back what ``state`` returned."""
        super().restore(state)
        self._encoder, self._encoder_bias = state["encoder"], state["encoder_bias"]
