"""Biased matrix factorisation of ratings (Koren 2009, doi:10.1109/MC.2009.263)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from adapters.torch import open_device
from benchmark.modelkit.dot_product import Factors
from benchmark.protocol import Array, Feedback, FitContext, Ids, Interactions, Range, Space, Values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Mf(Factors):
    """Predicts a rating as mean plus both biases plus a dot product; the squared error is the loss.

    Feedback: explicit. It ranks by its predicted rating, without what it could learn from what was left
    unrated, so it is judged by RMSE. A pass costs O(N dim) and, as Adam moves every
    vector in each batch, O((U + I) dim) for each; a full scoring O(U I dim).

    Tuned: size, step and penalty. Model, penalty (on all that makes a prediction) and the ranges of ``dim``
    and ``l2``: Koren 2009, equation 5 and figure 4, and Rendle 2019 (arXiv:1905.01395), who tunes the same.
    ``l2`` and ``lr`` had the best validation RMSE on MovieLens-latest-small and 900 users of MovieLens-1M
    (docs/decisions/0026).
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
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the ratings per step."""
        import torch

        from adapters.torch.networks import BiasedFactors
        from adapters.torch.training import Options, arrays, chance, epochs, pairs_of, seeded

        mean = float(train.values.mean())
        network = seeded(lambda: BiasedFactors(train.n_users, train.n_items, self.dim, mean), context)
        generator = chance(context)
        users, items = pairs_of(train, generator.device)
        values = torch.tensor(train.values, device=generator.device)

        def loss(batch: Tensor) -> Tensor:
            ratings, length = network(users[batch], items[batch])
            return ((values[batch] - ratings).square() + self.l2 * length).mean()

        options = Options(self.lr, 0.0, self.batch_size)
        steps = epochs(network.parameters(), len(train), lambda: loss, options, generator)
        self._scale, self._mean = np.array(train.scale or (-np.inf, np.inf)), np.array(mean)
        for _ in range(self.max_epochs):
            next(steps)
            tables = arrays(network)
            self._users, self._user_bias = tables["users.weight"][:, :-1], tables["users.weight"][:, -1]
            self._items, self._bias = tables["items.weight"][:, :-1], tables["items.weight"][:, -1]
            yield

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return ratings (N,), cut to the scale of the data."""
        assert self._bias is not None
        dots = np.einsum("nd,nd->n", self._users[users], self._items[items])
        return np.clip(self._mean + self._user_bias[users] + self._bias[items] + dots, *self._scale)

    def state(self) -> dict[str, Array]:
        """Return vectors, both biases, the mean and the scale."""
        return super().state() | {"user_bias": self._user_bias, "mean": self._mean, "scale": self._scale}

    def restore(self, state: dict[str, Array]) -> None:
        """Take them back."""
        super().restore(state)
        self._user_bias, self._mean, self._scale = state["user_bias"], state["mean"], state["scale"]
