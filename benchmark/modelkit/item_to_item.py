"""Models that weigh each pair of items: a score is the sum of the weights from a user's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.modelkit.sparse_state import pack, unpack
from benchmark.protocol import Array, Floats32, Ids, Scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class ItemToItem:
    """Scores are a user's history times weights (I, I): ``history @ weights``.

    Attributes:
        _history: (U, I) ones at the positives, or how often.
        _weights: (I, I), from a row's item to a column's; sparse or dense.
    """

    _history: csr_matrix
    _weights: csr_matrix | Floats32

    def score(self, users: Ids) -> Scores:
        """Return the summed weights (B, I) from the items of each user's history."""
        found = self._history[users] @ self._weights
        scores: Scores = found if isinstance(found, np.ndarray) else found.toarray()
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed weights (I,) from the items of a new user's history."""
        scores: Scores = np.asarray(self._weights[items].sum(axis=0), dtype=np.float32).ravel()
        return scores

    def state(self) -> dict[str, Array]:
        """Return histories (U, I) and weights (I, I), as the arrays of sparse matrices where they are."""
        history: dict[str, Array] = pack("history", self._history)
        if isinstance(self._weights, np.ndarray):
            return history | {"weights": self._weights}
        return history | pack("weights", self._weights)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back histories and weights."""
        self._history, dense = unpack("history", state), state.get("weights")
        self._weights = unpack("weights", state) if dense is None else dense
