"""What DeepCTR's click models share, as rankers: fields, network, epochs, state and restore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from adapters.deepctr.fields import fields, pack_fields, unpack_fields
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from adapters.deepctr.click_network import ClickNetwork

SHARED: Space = {
    "dim": Range(4, 64, log=True),
    "layers": Range(1, 3),
    "lr": Range(5e-4, 3e-2, log=True),
    "l2": Range(1e-8, 1e-4, log=True),
    "dropout": Range(0.0, 0.8),
    "negatives": Range(2, 8),
}


@dataclass(frozen=True)
class Architecture:
    """What DeepCTR is asked to build.

    Attributes:
        kind: name in ``deepctr.models``.
        dim: size of all embeddings.
        widths: of the perceptron's layers.
        dropout: share of each layer that is left out in training.
        l2: penalty on embeddings and on the linear part.
        extra: keyword arguments that this kind alone takes.
    """

    kind: str
    dim: int
    widths: tuple[int, ...]
    dropout: float = 0.0
    l2: float = 0.0
    extra: Mapping[str, float | tuple[int, ...]] = field(default_factory=dict)


@dataclass
class ClickModel:
    """A network over the fields of a pair; its fields are what all of them have."""

    dim: int = 16
    layers: int = 2
    lr: float = 6e-3
    l2: float = 3e-6
    dropout: float = 0.3
    negatives: int = 3
    batch_size: int = 2048
    max_epochs: int = 60

    space: ClassVar[Space] = SHARED
    kind: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras", "deepctr")
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")
    streams: ClassVar[bool] = True

    @staticmethod
    def open_device(context: FitContext) -> None:
        """Give TensorFlow the threads of the slot, before it first computes; it cannot change them later."""
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(context.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.zeros(())

    def extra(self) -> Mapping[str, float | tuple[int, ...]]:
        """Return the keyword arguments of DeepCTR that this model alone takes."""
        return {}

    def network(self, seed: int) -> ClickNetwork:
        """Return the untrained network; its layers halve in width, as DeepCTR's own do."""
        from adapters.deepctr.click_network import ClickNetwork

        widths = tuple(max(4 * self.dim >> level, 1) for level in range(self.layers))
        architecture = Architecture(self.kind, self.dim, widths, self.dropout, self.l2, self.extra())
        return ClickNetwork(self._users, self._items, architecture, seed)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of likes, each with its negatives."""
        from adapters.deepctr.training import Options, epochs

        self._users = fields(train.users, train.n_users, train.user_features)
        self._items = fields(train.items, train.n_items, train.item_features)
        self._network = self.network(context.seed)
        pace = Pace.of(train, context)
        options = Options(self.lr, self.negatives, self.batch_size, pace)
        return pace.passes(epochs(self._network, train, options, context.seed), self.max_epochs)

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        scores: Scores = self._network.score(users).numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by their layers, and the fields of all users and items."""
        weights = {name: weight.numpy() for name, weight in self._network.weights().items()}
        return weights | pack_fields("users", self._users) | pack_fields("items", self._items)

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network."""
        self._users, self._items = unpack_fields("users", state), unpack_fields("items", state)
        self._network = self.network(seed=0)
        self._network.load(state)
