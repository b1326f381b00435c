"""A multilayer perceptron over user and item embeddings, in Keras (the MLP of He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from adapters.keras import open_device
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class Mlp:
    """Concatenated embeddings, dense layers that halve in width, one logit.

    Paper: log loss, four uniform negatives, Adam, a tower of layers. The rest had the best validation
    NDCG@10 within 25 seconds of one core, among a dozen tried on 900 users of MovieLens-1M and on
    MovieLens-100K (docs/decisions/0202).
    """

    dim: int = 32
    layers: int = 2
    lr: float = 3e-3
    l2: float = 1e-6
    dropout: float = 0.3
    negatives: int = 4
    batch_size: int = 2048
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(8, 64, log=True),
        "layers": Range(1, 3),
        "lr": Range(5e-4, 1e-2, log=True),
        "l2": Range(1e-8, 1e-4, log=True),
        "dropout": Range(0.0, 0.8),
        "negatives": Range(2, 8),
    }
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch per step."""
        from adapters.keras.networks import Perceptron
        from adapters.keras.training import Options, epochs

        shape = (train.n_users, train.n_items, self.dim, self.layers)
        self._network = Perceptron(*shape, self.dropout, context.seed)
        options = Options(self.lr, self.l2, self.batch_size, self.negatives)
        steps = epochs(self._network, train, options, context.seed)
        for _ in range(self.max_epochs):
            next(steps)
            yield

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        scores: Scores = self._network.score(users).numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers."""
        return {name: weight.numpy() for name, weight in self._network.named_weights().items()}

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network."""
        from adapters.keras.networks import Perceptron

        n_users, n_items = len(state["users.embeddings"]), len(state["items.embeddings"])
        self._network = Perceptron(n_users, n_items, self.dim, self.layers, self.dropout)
        self._network.load(state)
