"""What models of user-item pairs share: log loss on likes and drawn negatives, a compiled scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.keras import open_device
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from adapters.keras.networks import Perceptron


@dataclass
class Pairs:
    """A network over pairs; its fields are what all of them have."""

    dim: int = 32
    layers: int = 3
    lr: float = 3e-3
    l2: float = 1e-6
    dropout: float = 0.3
    negatives: int = 4
    batch_size: int = 2048
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(8, 64, log=True),
        "layers": Range(1, 4),
        "lr": Range(5e-4, 1e-2, log=True),
        "l2": Range(1e-8, 1e-3, log=True),
        "dropout": Range(0.0, 0.8),
        "negatives": Range(2, 8),
    }
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def _kind(self) -> type[Perceptron]:
        """Return the network's class."""
        raise NotImplementedError

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the likes per step."""
        import tensorflow as tf

        from adapters.keras.training import Options, epochs, log_loss

        shape = (train.n_users, train.n_items, self.dim, self.layers)
        self._network = self._kind()(*shape, self.dropout, context.seed)
        chance = tf.random.Generator.from_seed(context.seed)
        options = Options(self.lr, self.l2, self.batch_size)
        begin = log_loss(self._network, train, self.negatives, chance)
        steps = epochs(self._network.trainable_variables, len(train), begin, options, chance)
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
        n_users, n_items = len(state["users.embeddings"]), len(state["items.embeddings"])
        self._network = self._kind()(n_users, n_items, self.dim, self.layers, self.dropout)
        self._network.load(state)
