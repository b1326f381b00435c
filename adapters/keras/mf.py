"""Biased matrix factorisation of ratings, in Keras (Koren 2009, doi:10.1109/MC.2009.263)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.keras.base import KerasTraining
from benchmark.modelkit.dot_product import RatingDotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Feedback, FitContext, Interactions, Range, Space

if TYPE_CHECKING:
    from adapters.keras.mf_network import MFNetwork


@dataclass
class Mf(RatingDotProduct, KerasTraining):
    """Predicts a rating as mean plus both biases plus a dot product; the squared error is the loss.

    Explicit feedback. It ranks by its predicted rating and learns nothing from what was left unrated, so it
    is judged by RMSE. A pass costs O(N dim), a full scoring O(U I dim).

    Tuned: size, step and the penalty on all that makes a prediction (Koren 2009, equation 5). Defaults and
    ranges are those of ``torch/mf``, the same model (docs/decisions/0026).
    """

    dim: int = 64
    lr: float = 5e-3
    l2: float = 0.1
    batch_size: int = 2048
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "lr": Range(5e-4, 5e-2, log=True),
        "l2": Range(3e-3, 1.0, log=True),
    }
    feedback: ClassVar[Feedback] = "explicit"

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of ratings."""
        self._scale = np.array(train.scale or (-np.inf, np.inf))
        return super().fit_steps(train, context)

    def untrained(self, train: Interactions, seed: int) -> MFNetwork:
        """Return the network, which starts from the mean of all ratings."""
        from adapters.keras.mf_network import MFNetwork

        return MFNetwork(train.n_users, train.n_items, self.dim, float(train.values.mean()), seed)

    def epochs(self, network: MFNetwork, train: Interactions, generator: Any, pace: Pace) -> Iterator[int]:
        """Train on batches of ratings."""
        import tensorflow as tf

        from adapters.keras.training import Options, epochs

        users, items, values = map(tf.constant, (train.users, train.items, train.values))

        def loss(batch: Any, _: Any) -> Any:
            ratings, length = network(tf.gather(users, batch), tf.gather(items, batch))
            return tf.reduce_mean((tf.gather(values, batch) - ratings) ** 2 + self.l2 * length)

        options = Options(self.lr, 0.0, self.batch_size, pace)
        return epochs(network.trainable_variables, len(train), tuple, loss, options, generator)

    def keep(self, network: MFNetwork) -> None:
        """Keep vectors, biases and the mean."""
        self._users, self._items = network.users.embeddings.numpy(), network.items.embeddings.numpy()
        self._user_bias = network.user_bias.embeddings.numpy()[:, 0]
        self._bias = network.item_bias.embeddings.numpy()[:, 0]
        self._mean = np.array(network.mean)
