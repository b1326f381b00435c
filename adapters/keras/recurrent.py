"""The next item of a sequence, by a recurrent network, in Keras (GRU4Rec, Hidasi 2016, arXiv:1511.06939)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.keras.base import KerasTraining
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import FitContext, Interactions, Range, Space

if TYPE_CHECKING:
    from adapters.keras.recurrent_network import RecurrentNetwork


@dataclass
class Recurrent(DotProduct, KerasTraining):
    """A softmax over items after each item of a history."""

    dim: int = 64
    lr: float = 5e-3
    l2: float = 1e-6
    dropout: float = 0.2
    history: int = 50
    batch_size: int = 64
    max_epochs: int = 100

    space: ClassVar[Space] = {
        "dim": Range(16, 256, log=True),
        "lr": Range(5e-4, 2e-2, log=True),
        "l2": Range(1e-8, 1e-4, log=True),
        "dropout": Range(0.0, 0.7),
        "history": Range(20, 200, log=True),
    }
    cell: ClassVar[str]

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train on batches of histories."""
        from adapters.keras.histories import latest_items

        latest, lengths = latest_items(train, self.history)
        cuts = range(self.batch_size, train.n_users, self.batch_size)
        self._latest = list(zip(np.split(latest, cuts), np.split(lengths, cuts), strict=True))
        return super().fit_steps(train, context)

    def untrained(self, train: Interactions, seed: int) -> RecurrentNetwork:
        """Return the network with its initial weights."""
        from adapters.keras.recurrent_network import RecurrentNetwork

        return RecurrentNetwork(train.n_items, self.dim, self.cell, self.dropout, seed)

    def epochs(
        self, network: RecurrentNetwork, train: Interactions, generator: Any, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of histories."""
        import tensorflow as tf

        from adapters.keras.histories import next_items
        from adapters.keras.losses import softmax_loss
        from adapters.keras.training import Options, epochs

        before, after = map(tf.constant, next_items(train, self.history))

        def loss(batch: Any, _: Any) -> Any:
            targets = tf.gather(after, batch)
            there = targets >= 0
            states = tf.boolean_mask(network(tf.gather(before, batch), training=True), there)
            table, bias = network.items.embeddings, network.bias.embeddings[:, 0]
            return softmax_loss(states, tf.boolean_mask(targets, there), table, bias, generator)

        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.trainable_variables, len(before), tuple, loss, options, generator)

    def keep(self, network: RecurrentNetwork) -> None:
        """Keep vectors and biases of the items, and the state after each user's history."""
        self._items = network.items.embeddings.numpy()
        self._bias = network.bias.embeddings.numpy()[:, 0]
        self._users = np.concatenate([network.last(*batch).numpy() for batch in self._latest])


@dataclass
class Gru(Recurrent):
    """A gated recurrent unit reads a history; its last state is compared with every item's embedding.

    Implicit feedback in the order of time. A pass costs O(N dim (dim + I)), at most 2,048 items of a
    catalogue being negatives in a step; a full scoring O(U (history dim^2 + I dim)). Tuned: size, step,
    penalty, the share of items left out, and how far back it reads.

    The same embeddings on both ends: Hidasi 2018 (arXiv:1706.03847). A softmax over the catalogue in place
    of pairwise losses: Klenitskiy 2023 (doi:10.1145/3604915.3610644). The defaults are round values, untuned.
    Rows held out at random are not next items: judge it on a split by time (docs/decisions/0028).
    """

    cell: ClassVar[str] = "gru"


@dataclass
class Lstm(Recurrent):
    """The same as ``keras/gru`` with long short-term memory (Hochreiter 1997), which has one more gate.

    Implicit feedback in the order of time. A pass costs O(N dim (dim + I)), a full scoring
    O(U (history dim^2 + I dim)). Tuned: size, step, penalty, items left out, and how far back it reads.
    Judge it on a split by time, as ``keras/gru``.
    """

    cell: ClassVar[str] = "lstm"
