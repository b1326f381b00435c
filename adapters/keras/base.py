"""What Keras adapters share: the device, the epoch loop, state and restore. Light until used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, FitContext, Ids, Interactions, Scores

if TYPE_CHECKING:
    from adapters.keras.layers import NamedNetwork


class KerasTraining(ABC):
    """A model that Keras and TensorFlow train batch by batch, so that a step may be smaller than a pass.

    A subclass is a dataclass with the field ``max_epochs``. It builds a network, trains it, and keeps
    after each step whatever its scores are made from.
    """

    max_epochs: int
    streams: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")

    @staticmethod
    def open_device(context: FitContext) -> None:
        """Give TensorFlow the threads of the slot, before it first computes; it cannot change them later."""
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(context.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.zeros(())

    @abstractmethod
    def untrained(self, train: Interactions, seed: int) -> Any:
        """Return the network with its initial weights, all of them drawn from the seed."""

    @abstractmethod
    def epochs(self, network: Any, train: Interactions, generator: Any, pace: Pace) -> Iterator[int]:
        """Train for ever; yield after each step the rows of the log that it trained.

        Args:
            network: what ``untrained`` returned.
            train: the log.
            generator: a ``tf.random.Generator``, the only source of randomness.
            pace: where a pass is cut into steps.
        """

    @abstractmethod
    def keep(self, network: Any) -> None:
        """Keep what scores are made from; called after each step."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train ``max_epochs`` passes."""
        import tensorflow as tf

        network = self.untrained(train, context.seed)
        generator = tf.random.Generator.from_seed(context.seed)
        pace = Pace.of(train, context)
        for rows in pace.passes(self.epochs(network, train, generator, pace), self.max_epochs):
            self.keep(network)
            yield rows


class KerasModel(KerasTraining):
    """A model that its own network serves.

    Its network is a :class:`adapters.keras.layers.NamedNetwork` with embeddings called "users" and "items",
    from which ``restore`` learns how many there are, and a method ``score``: users (B,) to scores (B, I).
    """

    _network: Any

    @abstractmethod
    def network(self, n_users: int, n_items: int, seed: int) -> NamedNetwork:
        """Return the network with its initial weights, all of them drawn from the seed."""

    def untrained(self, train: Interactions, seed: int) -> NamedNetwork:
        """Return the network for the users and items of the log."""
        return self.network(train.n_users, train.n_items, seed)

    def keep(self, network: NamedNetwork) -> None:
        """Keep the network itself."""
        self._network = network

    def score(self, users: Ids) -> Scores:
        """Return the scores (B, I) of all items."""
        scores: Scores = self._network.score(users).numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers."""
        return {name: weight.numpy() for name, weight in self._network.named_weights().items()}

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network."""
        n_users, n_items = len(state["users.embeddings"]), len(state["items.embeddings"])
        self._network = self.network(n_users, n_items, seed=0)
        self._network.load(state)
