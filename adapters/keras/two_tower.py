"""Two towers over ids and features, compared by their cosine (Yi 2019, doi:10.1145/3298689.3346996)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.keras import open_device
from adapters.keras.factors import Factors
from benchmark.protocol import Choice, Features, FitContext, Ids, Interactions, Range, Space

if TYPE_CHECKING:
    from adapters.keras.networks import Tower


@dataclass
class TwoTower(Factors):
    """A user and an item are each the sum of an id's and the features' vectors, through dense layers.

    Implicit feedback: a softmax over the items of a batch, corrected for how often each is drawn. A pass
    costs O(N batch_size dim), a full scoring O(U I dim). With ``content_only``, who has features is
    known by them alone; a side without any keeps its ids. Who and what has no training row is
    scored by its features.

    Tuned: size and depth, step, penalty, the temperature of the softmax (Yi 2019, section 3), the share of
    ids left out in training so that features learn to stand alone (Volkovs 2017), and ``content_only``. The
    defaults are round values, untuned; what they reach is in docs/decisions/0028.
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
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the likes per step."""
        import tensorflow as tf
        from keras import layers

        from adapters.keras.training import Loss, Options, epochs, in_batch_loss

        of_users = self._tower(train.users, train.n_users, train.user_features, context.seed)
        of_items = self._tower(train.items, train.n_items, train.item_features, context.seed + 1)
        bias = layers.Embedding(train.n_items, 1, embeddings_initializer="zeros")
        bias.build()
        counts = np.bincount(train.items, minlength=train.n_items)
        log_share = tf.constant(np.log(np.maximum(counts, 1) / len(train)), tf.float32)
        users, items = tf.constant(train.users), tf.constant(train.items)
        chance = tf.random.Generator.from_seed(context.seed)

        def loss(batch: Any) -> Any:
            user, item = tf.gather(users, batch), tf.gather(items, batch)
            keep = of_items.keep(item, self.dropout, chance)
            left = of_users(user, of_users.keep(user, self.dropout, chance))
            cosines = tf.matmul(left, of_items(item, keep), transpose_b=True)
            return in_batch_loss(cosines / self.temperature + bias(item)[:, 0] * keep, item, log_share)

        def begin() -> Loss:
            return loss

        weights = [*of_users.trainable_variables, *of_items.trainable_variables, *bias.trainable_variables]
        steps = epochs(weights, len(train), begin, Options(self.lr, self.l2, self.batch_size), chance)
        for _ in range(self.max_epochs):
            next(steps)
            self._users = of_users.vectors(np.arange(train.n_users)).numpy() / np.float32(self.temperature)
            self._items = of_items.vectors(np.arange(train.n_items)).numpy()
            self._bias = bias.embeddings.numpy()[:, 0]
            yield

    def _tower(self, seen: Ids, n: int, features: Features | None, seed: int) -> Tower:
        """Return the tower of n users or items, of which some have training rows."""
        from adapters.keras.networks import Tower

        described = features if features is not None and features.names else None
        known = None if described and self.content_only else np.bincount(seen, minlength=n) > 0
        return Tower(known, described, self.dim, self.layers, seed)
