"""Models whose scores are dot products: numpy alone serves them, whatever trained the vectors."""

from __future__ import annotations

import numpy as np

from benchmark.protocol import Array, Floats32, Ids, Scores, Values, Vectors


class DotProduct:
    """A vector for each user and each item, and perhaps a bias of each item.

    Attributes:
        _users: (U, D) float32.
        _items: (I, D) float32.
        _bias: (I,) float32, or None.
    """

    _users: Floats32
    _items: Floats32
    _bias: Floats32 | None = None

    def score(self, users: Ids) -> Scores:
        """Return dot products plus item biases (B, I); a user's bias would change no ranking."""
        scores: Scores = self._users[users] @ self._items.T
        if self._bias is not None:
            scores += self._bias
        return scores

    def vectors(self) -> Vectors:
        """Return the vectors and biases whose products :meth:`score` returns."""
        return Vectors(self._users, self._items, self._bias)

    def state(self) -> dict[str, Array]:
        """Return the vectors, and the biases where there are any."""
        vectors = {"users": self._users, "items": self._items}
        return vectors if self._bias is None else vectors | {"bias": self._bias}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back vectors and biases."""
        self._users, self._items, self._bias = state["users"], state["items"], state.get("bias")


class RatingDotProduct(DotProduct):
    """A rating is the mean of all plus both biases plus a dot product (Koren 2009, equation 4).

    Attributes:
        _bias: (I,) float32.
        _user_bias: (U,) float32.
        _mean: () of all ratings.
        _scale: (2,) lowest and highest rating; infinite where the data have no scale.
    """

    _bias: Floats32
    _user_bias: Floats32
    _mean: Values
    _scale: Values

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return ratings (N,), clipped to the scale of the data."""
        dots = np.einsum("nd,nd->n", self._users[users], self._items[items])
        raw = self._mean + self._user_bias[users] + self._bias[items] + dots
        ratings: Values = raw.clip(*self._scale)
        return ratings

    def state(self) -> dict[str, Array]:
        """Return vectors, both biases, the mean and the scale."""
        return super().state() | {"user_bias": self._user_bias, "mean": self._mean, "scale": self._scale}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back what ``state`` returned."""
        super().restore(state)
        self._user_bias, self._mean, self._scale = state["user_bias"], state["mean"], state["scale"]
