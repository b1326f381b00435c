"""Biased matrix factorisation of ratings, in Keras (Koren 2009, doi:10.1109/MC.2009.263)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adapters.keras import open_device
from adapters.keras.factors import Factors
from benchmark.protocol import Array, Feedback, FitContext, Ids, Interactions, Range, Space, Values


@dataclass
class Mf(Factors):
    """Predicts a rating as mean plus both biases plus a dot product; the squared error is the loss.

    Explicit feedback. It ranks by its predicted rating, without what it could learn from what was left
    unrated, so it is judged by RMSE. A pass costs O(N dim), a full scoring O(U I dim).

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
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the ratings per step."""
        import tensorflow as tf

        from adapters.keras.networks import BiasedFactors
        from adapters.keras.training import Loss, Options, epochs

        mean = float(train.values.mean())
        network = BiasedFactors(train.n_users, train.n_items, self.dim, mean, context.seed)
        users, items, values = map(tf.constant, (train.users, train.items, train.values))

        def loss(batch: Any) -> Any:
            ratings, length = network(tf.gather(users, batch), tf.gather(items, batch))
            return tf.reduce_mean((tf.gather(values, batch) - ratings) ** 2 + self.l2 * length)

        def begin() -> Loss:
            return loss

        chance = tf.random.Generator.from_seed(context.seed)
        options = Options(self.lr, 0.0, self.batch_size)
        steps = epochs(network.trainable_variables, len(train), begin, options, chance)
        self._scale, self._mean = np.array(train.scale or (-np.inf, np.inf)), np.array(mean)
        for _ in range(self.max_epochs):
            next(steps)
            tables = {layer.name: layer.embeddings.numpy() for layer in network.layers}
            self._users, self._user_bias = tables["users"], tables["user_bias"][:, 0]
            self._items, self._bias = tables["items"], tables["item_bias"][:, 0]
            yield

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return ratings (N,), cut to the scale of the data."""
        dots = np.einsum("nd,nd->n", self._users[users], self._items[items])
        return np.clip(self._mean + self._user_bias[users] + self._bias[items] + dots, *self._scale)

    def state(self) -> dict[str, Array]:
        """Return vectors, both biases, the mean and the scale."""
        return super().state() | {"user_bias": self._user_bias, "mean": self._mean, "scale": self._scale}

    def restore(self, state: dict[str, Array]) -> None:
        """Take them back."""
        super().restore(state)
        self._user_bias, self._mean, self._scale = state["user_bias"], state["mean"], state["scale"]
