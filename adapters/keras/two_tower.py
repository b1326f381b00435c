"""Two towers over ids and features, compared by their cosine (Yi 2019, doi:10.1145/3298689.3346996)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.keras.base import KerasTraining
from benchmark.hyperparameters import COUNT_OR_NONE, Limits
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Choice, Features, Ids, Interactions, Range, Space

if TYPE_CHECKING:
    from adapters.keras.two_tower_network import TowerNetwork, TwoTowerNetwork


@dataclass
class TwoTower(DotProduct, KerasTraining):
    """A user and an item are each the sum of an id's and the features' vectors, through dense layers.

    Implicit feedback: a softmax over the items of a batch, corrected for how often each is drawn. A pass
    costs O(N batch_size dim), a full scoring O(U I dim). With ``content_only``, what has features
    is represented by them alone; a side without any keeps its ids. Users and items without a training row
    are scored by their features.

    Tuned: size and depth, step, penalty, the temperature of the softmax (Yi 2019, section 3), the share of
    ids left out in training so that features learn to suffice (Volkovs 2017), and ``content_only``. The
    defaults are round values, untuned; docs/decisions/0028 reports their results.
    """

    dim: int = 64
    layers: int = 0
    lr: float = 5e-3
    l2: float = 1e-6
    dropout: float = 0.2
    temperature: float = 0.15
    content_only: bool = False
    batch_size: int = 512
    max_epochs: int = 100

    space: ClassVar[Space] = {
        "dim": Range(16, 256, log=True),
        "layers": Range(0, 2),
        "lr": Range(5e-4, 3e-2, log=True),
        "l2": Range(1e-8, 1e-4, log=True),
        "dropout": Range(0.0, 0.8),
        "temperature": Range(0.03, 0.5, log=True),
        "content_only": Choice(False, True),
    }
    limits: ClassVar[Limits] = {"layers": COUNT_OR_NONE}
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")

    def untrained(self, train: Interactions, seed: int) -> TwoTowerNetwork:
        """Return both towers with their initial weights."""
        from adapters.keras.two_tower_network import TwoTowerNetwork

        users = self._tower(train.users, train.n_users, train.user_features, seed)
        items = self._tower(train.items, train.n_items, train.item_features, seed + 1)
        return TwoTowerNetwork(users, items, train.n_users, train.n_items)

    def _tower(self, seen: Ids, n: int, features: Features | None, seed: int) -> TowerNetwork:
        """Return the tower of n users or items, of which some have training rows."""
        from adapters.keras.two_tower_network import TowerNetwork

        described = features if features is not None and features.names else None
        with_ids = None if described and self.content_only else np.bincount(seen, minlength=n) > 0
        return TowerNetwork(with_ids, described, self.dim, self.layers, seed)

    def epochs(
        self, network: TwoTowerNetwork, train: Interactions, generator: Any, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of likes."""
        import tensorflow as tf

        from adapters.keras.losses import in_batch_loss
        from adapters.keras.training import Options, epochs

        counts = np.bincount(train.items, minlength=train.n_items)
        log_share = tf.constant(np.log(np.maximum(counts, 1) / len(train)), tf.float32)
        users, items = tf.constant(train.users), tf.constant(train.items)

        def loss(batch: Any, _: Any) -> Any:
            user, item = tf.gather(users, batch), tf.gather(items, batch)
            cosines, bias = network.logits(user, item, self.dropout, generator)
            return in_batch_loss(cosines / self.temperature + bias, item, log_share)

        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.trainable_variables, len(train), tuple, loss, options, generator)

    def keep(self, network: TwoTowerNetwork) -> None:
        """Keep the vectors of all users and items, and the items' biases."""
        users, items, self._bias = network.tables()
        self._users, self._items = users / np.float32(self.temperature), items
