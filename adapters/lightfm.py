"""LightFM's WARP matrix factorisation (Kula 2015, arXiv:1507.08439)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class Warp:
    """Dot products of learned vectors plus an item bias, trained to put likes on top.

    LightFM's own defaults (10 dimensions, 10 epochs, no penalty) are toy sizes. These had the best
    validation NDCG@10 among a dozen tried on 900 users of MovieLens-1M and on MovieLens-100K
    (docs/decisions/0202).
    """

    dim: int = 64
    lr: float = 0.05
    l2: float = 5e-4
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "lr": Range(1e-3, 0.3, log=True),
        "l2": Range(1e-7, 3e-3, log=True),
    }
    requires: ClassVar[tuple[str, ...]] = ("lightfm",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch per step; WARP treats every event as a like."""
        import lightfm

        model = lightfm.LightFM(
            self.dim,
            loss="warp",
            learning_rate=self.lr,
            user_alpha=self.l2,
            item_alpha=self.l2,
            random_state=context.seed,
        )
        likes = train.matrix().tocoo()
        for _ in range(self.max_epochs):
            model.fit_partial(likes, num_threads=context.threads)
            _, self._users = model.get_user_representations()
            self._bias, self._items = model.get_item_representations()
            yield

    def score(self, users: Ids) -> Scores:
        """Return dot products plus item bias (B, I); a user's bias cannot change a ranking."""
        scores: Scores = self._users[users] @ self._items.T + self._bias
        return scores

    def state(self) -> dict[str, Array]:
        """Return the vectors of users (U, dim) and items (I, dim) and the items' bias (I,)."""
        return {"users": self._users, "items": self._items, "bias": self._bias}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back vectors and bias."""
        self._users, self._items, self._bias = state["users"], state["items"], state["bias"]
