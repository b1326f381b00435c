"""A variational autoencoder with a multinomial likelihood: MultVAE (Liang 2018, arXiv:1802.05814)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from adapters.torch.base import TorchTraining
from benchmark.hyperparameters import AT_LEAST_0, COUNT, Limits
from benchmark.modelkit.pace import Pace
from benchmark.modelkit.serving_traits import HistoryRows
from benchmark.modelkit.sparse_state import history_matrix, pack_histories, unpack_histories
from benchmark.protocol import (
    Array,
    FitContext,
    Floats32,
    Hyperparameter,
    Ids,
    Interactions,
    Needs,
    Range,
    Scores,
    Space,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Generator, Tensor

    from adapters.torch.multvae_network import MultVAENetwork

HIDDEN = 3  # hidden units for each latent one: 600 and 200 in section 4.3
STORED = (
    *("items", "items_bias", "latent.weight", "latent.bias"),
    *("hidden.weight", "hidden.bias", "output.weight", "output.bias"),
)
"""Names of the layers of a stored model, in the order of :class:`Weights`."""


class Weights(NamedTuple):
    """What scores are made from; D dim, H hidden units."""

    items: Floats32  # (I, H)
    items_bias: Floats32  # (H,)
    latent: Floats32  # (2D, H)
    latent_bias: Floats32  # (2D,)
    hidden: Floats32  # (H, D)
    hidden_bias: Floats32  # (H,)
    output: Floats32  # (I, H)
    output_bias: Floats32  # (I,)

    @classmethod
    def from_state(cls, state: dict[str, Array]) -> Weights:
        """Take the weights by the names of their layers."""
        return cls(*(state[name] for name in STORED))


@dataclass
class MultVae(HistoryRows, TorchTraining):
    """Encodes a history, decodes it into scores of all items: one hidden layer on each side.

    Implicit feedback; a user who was not trained with is served from a history. The paper's network,
    likelihood, dropout of the input and annealed divergence (``beta`` is its cap, reached after
    ``warm_up`` passes); a third of its width, as these logs have few users. Two things make it learn in
    fewer passes: the last biases start from the log of the items' popularity, and scores are made from a
    moving average of the weights (docs/decisions/0026, with the values that were tried).

    Tuned: ``beta`` (section 2.2.2), ``dropout``, ``dim`` and ``lr``; ``warm_up`` and ``batch_size``
    trade time for quality. A pass and a full scoring cost O(U I dim); memory is O(I dim + N).
    """

    dim: int = 64
    lr: float = 1e-3
    dropout: float = 0.5
    beta: float = 0.5
    warm_up: int = 20
    batch_size: int = 32
    max_epochs: int = 200

    space: ClassVar[Space] = {
        "dim": Range(32, 400, log=True),
        "lr": Range(2e-4, 1e-2, log=True),
        "dropout": Range(0.1, 0.9),
        "beta": Range(0.01, 1.0, log=True),
    }
    limits: ClassVar[Limits] = {"beta": AT_LEAST_0, "warm_up": COUNT}
    published: ClassVar[dict[str, Hyperparameter]] = {"dim": 200, "beta": 0.2}  # section 4.3

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of users."""
        self._history = train.matrix()
        return super().fit_steps(train, context)

    def needs(self, train: Interactions) -> Needs:
        """Return two layers over all items: weights, gradients, Adam's moments, average, and what is kept."""
        weights = 4.0 * 2 * train.n_items * HIDDEN * self.dim
        batch = 4.0 * self.batch_size * train.n_items
        trained = 5 * weights + 4 * batch + 24.0 * len(train)
        why = f"two layers of {train.n_items:,} x {HIDDEN * self.dim:,}, and what trains them"
        return Needs(trained + 3 * weights + 8.0 * len(train), trained, why)

    def untrained(self, train: Interactions, device: str) -> MultVAENetwork:  # noqa: ARG002 (others need it)
        """Return the network, whose last biases are the log of the items' popularity."""
        from adapters.torch.multvae_network import MultVAENetwork

        popularity = np.log(np.bincount(train.items, minlength=train.n_items) + 0.5).astype(np.float32)
        return MultVAENetwork(popularity, self.dim, HIDDEN * self.dim)

    def epochs(
        self, network: MultVAENetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of users."""
        from adapters.torch.losses import Histories
        from adapters.torch.training import MovingAverage, Options, epochs

        self._average = MovingAverage(network)
        histories, passes = Histories(train, generator.device), count()

        def start_epoch() -> Callable[[Tensor], Tensor]:
            weight = self.beta * min(1.0, next(passes) / self.warm_up)
            return lambda batch: network.loss(
                histories.select(histories.active[batch]), self.dropout, weight, generator
            )

        options = Options(self.lr, 0.0, self.batch_size, pace, mixed=True)
        n_rows = len(histories.active)
        return epochs(network.parameters(), n_rows, start_epoch, options, generator, self._average)

    def keep(self, network: MultVAENetwork) -> None:  # noqa: ARG002 (its average is kept)
        """Keep the moving average of the weights."""
        from adapters.torch.training import state_arrays

        self._weights = Weights.from_state(state_arrays(self._average.network))

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        return self._decoded(self._history[users])

    def fold_in(self, items: Ids) -> Scores:
        """Return logits (I,) for a new user's history."""
        return self._decoded(history_matrix(items, np.array([0, len(items)]), self._history.shape[1]))[0]

    def _decoded(self, history: csr_matrix) -> Scores:
        """Return the logits (B, I) at the mean of the posterior (section 2.3)."""
        weights = self._weights
        lengths = np.sqrt(np.maximum(np.diff(history.indptr), 1)).astype(np.float32)
        hidden = np.tanh((history @ weights.items) / lengths[:, None] + weights.items_bias)
        latent = hidden @ weights.latent[: self.dim].T + weights.latent_bias[: self.dim]
        hidden = np.tanh(latent @ weights.hidden.T + weights.hidden_bias)
        scores: Scores = hidden @ weights.output.T + weights.output_bias
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers, and the histories as two index arrays."""
        return dict(zip(STORED, self._weights, strict=True)) | pack_histories(self._history, "history.")

    def restore(self, state: dict[str, Array]) -> None:
        """Take back weights and histories."""
        self._weights = Weights.from_state(state)
        self._history = unpack_histories(state, len(self._weights.items), "history.")
