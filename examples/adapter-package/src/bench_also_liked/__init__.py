"""Items that were liked by those who liked the same items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.modelkit.sparse_state import pack_histories, unpack_histories
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class AlsoLiked:
    """Counts of common likes, divided by the items' popularity (Deshpande & Karypis 2004, section 4.2).

    Implicit feedback. Tuned: ``damping``, the power of an item's count by which its common counts are
    divided: 0 recommends what is popular, 1 what is rare. A fit costs the sum of squared lengths of all
    histories, a score of one user the neighbours of the user's items.
    """

    damping: float = 0.5

    space: ClassVar[Space] = {"damping": Range(0.0, 1.0)}
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Count every pair of items once; the seed changes nothing."""
        self._history = train.matrix()
        together = (self._history.T @ self._history).toarray()
        rarity = np.maximum(together.diagonal(), 1.0) ** -self.damping
        np.fill_diagonal(together, 0.0)
        self._weights = (together * rarity).astype(np.float32)
        yield

    def score(self, users: Ids) -> Scores:
        """Return the summed weights (B, I) of each user's likes."""
        scores: Scores = self._history[users] @ self._weights
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed weights (I,) of a history of items (n,)."""
        scores: Scores = self._weights[items].sum(axis=0)
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights (I, I), and the histories (U, I) as two index arrays."""
        return {"weights": self._weights} | pack_histories(self._history)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back what ``state`` returned; a stored index out of bounds is refused."""
        self._weights = state["weights"]
        self._history = unpack_histories(state, len(self._weights))
