"""What Surprise's rating models share: score and rate from whole rows of ratings, state and restore."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from benchmark.modelkit.ratings import at_pairs
from benchmark.protocol import Array, Ids, Interactions, Needs, Scores, Values

BYTES_A_ROW = 235
"""Of a rating in the library's own training set: two tuples, a float, and lists while it is made."""


class RatingModel(ABC):
    """What all of them share: ``score`` and ``rate`` from whole rows of ratings, and their state.

    Attributes:
        arrays: names of the arrays that make up the state; the attribute of each has a ``_`` before its name.
    """

    arrays: ClassVar[tuple[str, ...]]
    feedback: ClassVar[str] = "explicit"
    requires: ClassVar[tuple[str, ...]] = ("surprise",)
    _scale: Values

    @abstractmethod
    def _ratings(self, users: Ids) -> Values:
        """Return ratings (B, I) of all items for users (B,), not clipped."""

    def needs(self, train: Interactions) -> Needs:
        """Return what the library's training set takes, and what the model adds to it."""
        rows, own = float(BYTES_A_ROW) * len(train), self._own_bytes(train)
        why = self._own_why(train) if own > rows else f"{len(train):,} ratings as Python objects"
        return Needs(rows + own, why=why)

    def _own_bytes(self, train: Interactions) -> float:  # noqa: ARG002 (others need it)
        return 0.0

    def _own_why(self, train: Interactions) -> str:  # noqa: ARG002 (others need it)
        return ""

    def score(self, users: Ids) -> Scores:
        """Return predicted ratings (B, I), not clipped: clipping would tie the best items."""
        return self._ratings(users).astype(np.float32)

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return predicted ratings (N,), clipped to the data's scale."""
        return at_pairs(self._ratings, users, items).clip(*self._scale)

    def state(self) -> dict[str, Array]:
        """Return the learned arrays by name; a model's ``arrays`` lists them."""
        return {name: getattr(self, f"_{name}") for name in self.arrays}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the arrays of ``state``."""
        for name in self.arrays:
            setattr(self, f"_{name}", state[name])
