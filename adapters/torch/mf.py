"""Biased matrix factorisation of ratings (Koren 2009, doi:10.1109/MC.2009.263)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from adapters.torch.base import TorchTraining
from benchmark.modelkit.dot_product import RatingDotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Feedback, FitContext, Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from adapters.torch.mf_network import MFNetwork


@dataclass
class Mf(RatingDotProduct, TorchTraining):
    """Predicts a rating as mean plus both biases plus a dot product; the squared error is the loss.

    Explicit feedback. It ranks by its predicted rating and learns nothing from what was left unrated, so it
    is judged by RMSE. A pass costs O(N dim) and, as Adam moves every vector in each batch, O((U + I) dim)
    for each; a full scoring O(U I dim).

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

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of ratings."""
        self._scale = np.array(train.scale or (-np.inf, np.inf))
        return super().fit_steps(train, context)

    def untrained(self, train: Interactions, device: str) -> MFNetwork:  # noqa: ARG002 (others need it)
        """Return the network, which starts from the mean of all ratings."""
        from adapters.torch.mf_network import MFNetwork

        return MFNetwork(train.n_users, train.n_items, self.dim, float(train.values.mean()))

    def epochs(
        self, network: MFNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of ratings."""
        import torch

        from adapters.torch.losses import pair_tensors
        from adapters.torch.training import Options, epochs, sparse_tables

        users, items = pair_tensors(train, generator.device)
        values = torch.tensor(train.values, device=generator.device)

        def loss(batch: Tensor) -> Tensor:
            ratings, length = network(users[batch], items[batch])
            return ((values[batch] - ratings).square() + self.l2 * length).mean()

        options = Options(self.lr, 0.0, self.batch_size, pace, sparse=sparse_tables(network))
        return epochs(network.parameters(), len(train), lambda: loss, options, generator)

    def keep(self, network: MFNetwork) -> None:
        """Keep vectors, biases and the mean."""
        users, items = (table.weight.cpu().numpy().copy() for table in (network.users, network.items))
        self._users, self._user_bias = users[:, :-1], users[:, -1]
        self._items, self._bias = items[:, :-1], items[:, -1]
        self._mean = np.array(network.mean)
