"""EASE: an item-to-item linear model in closed form (Steck 2019, arXiv:1905.03375)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.modelkit.item_to_item import histories
from benchmark.protocol import Array, FitContext, Hyperparameter, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

USERS_AT_ONCE = 256


@dataclass
class Ease:
    """Scores are a user's history times one weight matrix (I, I) with an empty diagonal.

    Implicit feedback. With ``P = (X.T X + l2)^-1`` the weights are ``1 - P / diag(P)`` (section 3.1,
    algorithm 1). Where users are fewer than items the same scores come from the smaller side (Woodbury):
    ``X P`` is ``(X X.T + l2)^-1 X``, so the users' matrix is inverted and the weights are never written
    out. Time: O(min(U, I)^3), and O(N min(U, I)) for a full scoring; memory: 28 min(U, I)^2 bytes.

    Tuned: ``l2``, all that it has. On validation data of 900 users of MovieLens-1M every ``l2`` from 200 to
    500, Steck's value for MovieLens-20M (section 4), came within .0025 NDCG@10 of the best; the default lies
    between.
    """

    l2: float = 300.0

    space: ClassVar[Space] = {"l2": Range(1.0, 1e4, log=True)}
    published: ClassVar[dict[str, Hyperparameter]] = {"l2": 500.0}  # section 4, MovieLens-20M
    deterministic: ClassVar[bool] = True
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)

    @staticmethod
    def open_device(context: FitContext) -> None:
        """Make the solver's device ready before the clock starts."""
        import torch

        torch.set_num_threads(context.threads)
        torch.ones((2, 2), device=context.device).cholesky_inverse()  # loads the linear algebra libraries

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Solve for all weights in one step."""
        self._history = history = train.matrix()
        if train.n_items <= train.n_users:
            inverse = _inverse(history.T @ history, self.l2, context.device)
            weights = inverse / -inverse.diagonal()
            np.fill_diagonal(weights, 0)
            self._solution = {"weights": weights.astype(np.float32)}
        else:
            inverse = _inverse(history @ history.T, self.l2, context.device)
            own = 1.0 - _quadratic(inverse, history)  # l2 times the diagonal of P
            self._solution = {"inverse": inverse.astype(np.float32), "own": own.astype(np.float32)}
        yield

    def score(self, users: Ids) -> Scores:
        """Return the summed weights (B, I) from the items of each user's history."""
        history = self._history[users]
        if "weights" in self._solution:
            scores: Scores = history @ self._solution["weights"]
            return scores
        shares = -self.l2 * self._solution["inverse"][users]  # X X.T inverse = 1 - l2 inverse
        shares[np.arange(len(users)), users] += 1
        return self._from_users(history, shares.astype(np.float32))

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed weights (I,) from the items of a new user's history."""
        if "weights" in self._solution:
            scores: Scores = self._solution["weights"][items].sum(axis=0)
            return scores
        history = histories(items, np.array([0, len(items)]), self._history.shape[1])
        shares = (self._history @ history.T).T @ self._solution["inverse"]
        return self._from_users(history, shares)[0]

    def _from_users(self, history: csr_matrix, shares: Array) -> Scores:
        """Return ``x - x P / diag(P)`` for rows x (B, I), from each user's share (B, U) in ``x X.T P``."""
        own = history.toarray()
        scores: Scores = own - (own - shares @ self._history) / self._solution["own"]
        return scores

    def state(self) -> dict[str, Array]:
        """Return the solution and the histories as the two index arrays of a sparse matrix.

        The solution is ``weights`` (I, I), or ``inverse`` (U, U) and ``own`` (I,) where users are fewer.
        """
        return self._solution | {"items": self._history.indices, "ends": self._history.indptr}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back solution and histories."""
        self._solution = {name: state[name] for name in ("weights", "inverse", "own") if name in state}
        n_items = len(state["weights"] if "weights" in state else state["own"])
        self._history = histories(state["items"], state["ends"], n_items)


def _inverse(gram: csr_matrix, l2: float, device: str) -> Array:
    """Return the inverse of ``gram + l2`` (n, n) in float64."""
    import torch

    dense = torch.from_numpy(gram.toarray(order="C")).to(device, torch.float64)
    dense.diagonal().add_(l2)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(dense))
    return np.ascontiguousarray(inverse.cpu().numpy())  # by rows, or each score copies it all


def _quadratic(inverse: Array, history: csr_matrix) -> Array:
    """Return ``diag(X.T inverse X)`` (I,) for histories X (U, I), a block of users at a time.

    >>> from scipy.sparse import csr_matrix
    >>> _quadratic(np.array([[2.0, 1.0], [1.0, 3.0]]), csr_matrix([[1.0, 1.0], [0.0, 1.0]])).tolist()
    [2.0, 7.0]
    """
    total = np.zeros(history.shape[1])
    for first in range(0, history.shape[0], USERS_AT_ONCE):
        block = slice(first, first + USERS_AT_ONCE)
        total += np.asarray(history[block].multiply(inverse[block] @ history).sum(axis=0)).ravel()
    return total
