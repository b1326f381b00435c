"""Models that weigh each pair of items: a score is the sum of the weights from a user's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.modelkit.serving_traits import Contributions, HistoryRows
from benchmark.modelkit.sparse_state import pack, unpack
from benchmark.protocol import Array, Floats32, Ids, Scores, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class ItemToItem(HistoryRows):
    """Scores are a user's history times weights (I, I): ``history @ weights``.

    Attributes:
        _history: (U, I) ones at the positives, or how often.
        _weights: (I, I), from a row's item to a column's; sparse or dense.
    """

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

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return the weight from each item of a user's history; they are all that a score consists of."""
        own = self._history[user]
        return self._weighed(own.indices, own.data.astype(np.float64), items)

    def explain_history(self, history: Ids, items: Ids) -> Contributions:
        """Return the weight from each item of a new user's history."""
        return self._weighed(history, np.ones(len(history)), items)

    def _weighed(self, history: Ids, times: Values, items: Ids) -> Contributions:
        found = self._weights[history][:, items]
        weights = found if isinstance(found, np.ndarray) else found.toarray()
        return Contributions(history, times[:, None] * weights, np.zeros(len(items)))

    def similar_items(self, item: int) -> Scores:
        """Return the weights (I,) from this item to all others."""
        return self.fold_in(np.array([item], dtype=np.int32))

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
