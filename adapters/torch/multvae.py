"""A variational autoencoder with a multinomial likelihood: MultVAE (Liang 2018, arXiv:1802.05814)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from adapters.torch import open_device
from benchmark.modelkit.item_to_item import histories
from benchmark.protocol import Array, FitContext, Hyperparameter, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

HIDDEN = 3  # hidden units for each latent one: 600 and 200 in section 4.3


@dataclass
class MultVae:
    """Encodes a history, decodes what its items and others had in common: one hidden layer on each side.

    Feedback: implicit; a user who was not trained with is served from a history. The paper's network,
    likelihood, dropout of the input and annealed divergence (``beta`` is its cap, reached after
    ``warm_up`` passes); a third of its width, as these logs have few users. Two things make it learn in
    fewer passes: the last biases start from the log of the items' popularity, and what is scored with is a
    moving average of the weights (docs/decisions/0026, with the values that were tried).

    Tuned are ``beta`` (section 2.2.2), ``dropout``, ``dim`` and ``lr``; ``warm_up`` and ``batch_size``
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
    published: ClassVar[dict[str, Hyperparameter]] = {"dim": 200, "beta": 0.2}  # section 4.3
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the users per step."""
        from adapters.torch.networks import MultVAE
        from adapters.torch.training import Average, Histories, Options, arrays, chance, epochs, seeded

        self._history = train.matrix()
        popularity = np.log(np.bincount(train.items, minlength=train.n_items) + 0.5).astype(np.float32)
        network = seeded(lambda: MultVAE(popularity, self.dim, HIDDEN * self.dim), context)
        generator, average = chance(context), Average(network)
        histories = Histories(train, generator.device)
        passes = count()

        def begin() -> Callable[[Tensor], Tensor]:
            weight = self.beta * min(1.0, next(passes) / self.warm_up)
            return lambda batch: network.loss(
                histories.of(histories.active[batch]), self.dropout, weight, generator
            )

        options = Options(self.lr, 0.0, self.batch_size, mixed=True)
        steps = epochs(network.parameters(), len(histories.active), begin, options, generator, average)
        for _ in range(self.max_epochs):
            next(steps)
            self._weights = arrays(average.network)
            yield

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        return self._decoded(self._history[users])

    def fold_in(self, items: Ids) -> Scores:
        """Return logits (I,) for a new user's history."""
        return self._decoded(histories(items, np.array([0, len(items)]), self._history.shape[1]))[0]

    def _decoded(self, history: csr_matrix) -> Scores:
        """Return the logits (B, I) at the mean of the posterior (section 2.3)."""
        weights = self._weights
        lengths = np.sqrt(np.maximum(np.diff(history.indptr), 1)).astype(np.float32)
        hidden = np.tanh((history @ weights["items"]) / lengths[:, None] + weights["items_bias"])
        latent = hidden @ weights["latent.weight"][: self.dim].T + weights["latent.bias"][: self.dim]
        hidden = np.tanh(latent @ weights["hidden.weight"].T + weights["hidden.bias"])
        scores: Scores = hidden @ weights["output.weight"].T + weights["output.bias"]
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers, and the histories as two index arrays."""
        return self._weights | {"history.items": self._history.indices, "history.ends": self._history.indptr}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back weights and histories."""
        self._weights = {name: array for name, array in state.items() if not name.startswith("history.")}
        ends, n_items = state["history.ends"], len(self._weights["items"])
        self._history = histories(state["history.items"], ends, n_items)
