"""A denoising autoencoder with a multinomial likelihood: Mult-DAE (Liang 2018, arXiv:1802.05814)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adapters.keras import open_device
from adapters.keras.factors import Factors
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class MultDae(Factors):
    """Guesses a history from a part of it: one hidden layer, a softmax over all items.

    Implicit feedback; the user is known by the history alone, so new users are served too. A pass costs
    O(U I dim), a full scoring the same. Tuned: size, step, penalty and the part of a history left out.

    Shape, ``dim`` and ``dropout``: Liang 2018, section 4.3. Batches are smaller than the paper's 500 users,
    as logs of a few thousand users would make too few steps of each pass.
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
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the users per step."""
        import tensorflow as tf

        from adapters.keras.networks import DenoisingAutoencoder
        from adapters.keras.training import Loss, Options, Rows, epochs

        likes = train.matrix()
        active = np.flatnonzero(np.diff(likes.indptr))
        rows = Rows(likes[active])
        network = DenoisingAutoencoder(train.n_items, self.dim, self.dropout, context.seed)

        def loss(batch: Any) -> Any:
            history = rows.dense(batch)
            likely = tf.nn.log_softmax(network(history, training=True))
            return -tf.reduce_mean(tf.reduce_sum(history * likely, 1))

        def begin() -> Loss:
            return loss

        chance = tf.random.Generator.from_seed(context.seed)
        options = Options(self.lr, self.l2, self.batch_size)
        steps = epochs(network.trainable_variables, len(active), begin, options, chance)
        for _ in range(self.max_epochs):
            next(steps)
            self._encoder, self._encoder_bias = map(np.array, network.encoder.get_weights())
            decoder, self._bias = network.decoder.get_weights()
            self._items = np.ascontiguousarray(decoder.T)
            lengths = np.diff(likes.indptr)[:, None]
            self._users = self._encoded(likes @ self._encoder, lengths)
            yield

    def _encoded(self, summed: Scores, lengths: Any) -> Scores:
        """Return the hidden layer, from sums over histories."""
        scale = 1.0 / np.sqrt(np.maximum(lengths, 1))
        return np.tanh(summed * scale + self._encoder_bias).astype(np.float32)

    def fold_in(self, items: Ids) -> Scores:
        """Return the logits (I,) of a new user with these likes."""
        hidden = self._encoded(self._encoder[items].sum(0), len(items))
        scores: Scores = self._items @ hidden + self._bias
        return scores

    def state(self) -> dict[str, Array]:
        """Return the hidden layer of all users, the weights of both layers and their biases."""
        return super().state() | {"encoder": self._encoder, "encoder_bias": self._encoder_bias}

    def restore(self, state: dict[str, Array]) -> None:
        """Take them back."""
        super().restore(state)
        self._encoder, self._encoder_bias = state["encoder"], state["encoder_bias"]
