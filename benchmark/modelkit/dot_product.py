"""What models whose scores are dot products share: numpy alone serves them."""

from __future__ import annotations

from benchmark.protocol import Array, Ids, Scores


class Factors:
    """A vector for each user and each item, and perhaps a bias of each item.

    Attributes:
        _users: (U, D) float32.
        _items: (I, D) float32.
        _bias: (I,) float32, or None.
    """

    _users: Scores
    _items: Scores
    _bias: Scores | None = None

    def score(self, users: Ids) -> Scores:
        """Return dot products plus item biases (B, I)."""
        scores: Scores = self._users[users] @ self._items.T
        if self._bias is not None:
            scores += self._bias
        return scores

    def state(self) -> dict[str, Array]:
        """Return the vectors, and the biases where there are any."""
        vectors = {"users": self._users, "items": self._items}
        return vectors if self._bias is None else vectors | {"bias": self._bias}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back vectors and biases."""
        self._users, self._items, self._bias = state["users"], state["items"], state.get("bias")
