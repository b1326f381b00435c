"""EASE: an item-to-item linear model in closed form (Steck 2019, arXiv:1905.03375)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.hyperparameters import ABOVE_0, Limits
from benchmark.modelkit.footprints import sparse_bytes
from benchmark.modelkit.serving_traits import Contributions, HistoryRows
from benchmark.modelkit.sparse_state import history_matrix, pack_histories, unpack_histories
from benchmark.protocol import (
    Array,
    FitContext,
    Floats32,
    Hyperparameter,
    Ids,
    Interactions,
    Needs,
    Range,
    Scores,
    Space,
    Values,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

ROWS_AT_ONCE = 256
BYTES_A_PAIR = 12
"""Of the matrix that is inverted: it is solved in place in float64, beside its float32 copy."""


@dataclass(frozen=True)
class ItemWeights:
    """The solution from the side of items: weights (I, I) from a row's item to a column's."""

    weights: Floats32

    def score(self, history: csr_matrix, users: Ids) -> Scores:
        """Return the scores (B, I) of users, from all histories (U, I)."""
        scores: Scores = history[users] @ self.weights
        return scores

    def fold_in(self, history: csr_matrix, items: Ids) -> Scores:  # noqa: ARG002 (the other solution needs it)
        """Return the scores (I,) of a new user with these items."""
        scores: Scores = self.weights[items].sum(axis=0)
        return scores

    def between(self, history: csr_matrix, rows: Ids, columns: Ids) -> Values:  # noqa: ARG002 (as above)
        """Return the weights (H, M) from some items to others."""
        return self.weights[np.ix_(rows, columns)].astype(np.float64)

    def state(self) -> dict[str, Array]:
        """Return the weights."""
        return {"weights": self.weights}


@dataclass(frozen=True)
class UserInverse:
    """The solution from the side of users.

    Attributes:
        inverse: ``(X X.T + l2)^-1`` (U, U).
        own: ``l2 diag(P)`` (I,).
        l2: the penalty.
    """

    inverse: Floats32
    own: Floats32
    l2: float

    def score(self, history: csr_matrix, users: Ids) -> Scores:
        """Return the scores (B, I) of users, from all histories (U, I)."""
        shares = -self.l2 * self.inverse[users]  # X X.T inverse = 1 - l2 inverse
        shares[np.arange(len(users)), users] += 1
        return self._from_shares(history[users], shares.astype(np.float32), history)

    def fold_in(self, history: csr_matrix, items: Ids) -> Scores:
        """Return the scores (I,) of a new user with these items."""
        new = history_matrix(items, np.array([0, len(items)]), history.shape[1])
        return self._from_shares(new, (history @ new.T).T @ self.inverse, history)[0]

    def _from_shares(self, rows: csr_matrix, shares: Array, history: csr_matrix) -> Scores:
        """Return ``x - x P / diag(P)`` for rows x (B, I), from each user's share (B, U) in ``x X.T P``."""
        own = rows.toarray()
        scores: Scores = own - (own - shares @ history) / self.own
        return scores

    def between(self, history: csr_matrix, rows: Ids, columns: Ids) -> Values:
        """Return the weights (H, M) from some items to others: ``1 - P / diag(P)`` at these places."""
        shares = (history[:, columns].T @ self.inverse) @ history[:, rows]  # (M, H) of X.T inverse X
        same = rows[:, None] == columns
        weights: Values = same - (same - shares.T.astype(np.float64)) / self.own[columns]
        return weights

    def state(self) -> dict[str, Array]:
        """Return both arrays."""
        return {"inverse": self.inverse, "own": self.own}


@dataclass
class Ease(HistoryRows):
    """Scores are a user's history times one weight matrix (I, I) with an empty diagonal.

    Implicit feedback. With ``P = (X.T X + l2)^-1`` the weights are ``1 - P / diag(P)`` (section 3.1,
    algorithm 1). Where users are fewer than items the same scores come from the smaller side (Woodbury):
    ``X P`` is ``(X X.T + l2)^-1 X``, so the users' matrix is inverted and the weights are never written
    out. PyTorch inverts, on the CPU or a GPU; numpy alone serves. Time: O(min(U, I)^3), and
    O(N min(U, I)) for a full scoring; memory: 12 min(U, I)^2 bytes.

    Tuned: ``l2``, its only hyperparameter. On validation data of 900 users of MovieLens-1M every ``l2`` from
    200 to 500, Steck's value for MovieLens-20M (section 4), came within 0.0025 NDCG@10 of the best; the
    default lies between.
    """

    l2: float = 300.0

    space: ClassVar[Space] = {"l2": Range(1.0, 1e4, log=True)}
    limits: ClassVar[Limits] = {"l2": ABOVE_0}  # without a penalty there may be no inverse
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
        self._solution: ItemWeights | UserInverse
        if train.n_items <= train.n_users:
            weights = inverted(history.T.tocsr(), self.l2, context.device)
            weights /= -weights.diagonal()  # in place: no second matrix of this size and type
            np.fill_diagonal(weights, 0)
            self._solution = ItemWeights(weights.astype(np.float32))
        else:
            inverse = inverted(history, self.l2, context.device)
            own = 1.0 - quadratic_diagonal(inverse, history)  # l2 times the diagonal of P
            self._solution = UserInverse(inverse.astype(np.float32), own.astype(np.float32), self.l2)
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return a matrix over the smaller side with its copy, and the sparse one that it is made of."""
        n = min(train.n_items, train.n_users)
        dense = float(BYTES_A_PAIR) * n**2
        why = f"a {n:,} x {n:,} matrix of float64 and its copy in float32"
        return Needs(dense + sparse_bytes(len(train)), 8.0 * n**2, why)

    def score(self, users: Ids) -> Scores:
        """Return the summed weights (B, I) from the items of each user's history."""
        return self._solution.score(self._history, users)

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed weights (I,) from the items of a new user's history."""
        return self._solution.fold_in(self._history, items)

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return the weight from each item of a user's history; they are all that a score consists of."""
        return self.explain_history(self.history_of(user), items)

    def explain_history(self, history: Ids, items: Ids) -> Contributions:
        """Return the weight from each item of a new user's history."""
        weights = self._solution.between(self._history, history, items)
        return Contributions(history, weights, np.zeros(len(items)))

    def similar_items(self, item: int) -> Scores:
        """Return the weights (I,) from this item to all others."""
        return self.fold_in(np.array([item], dtype=np.int32))

    def state(self) -> dict[str, Array]:
        """Return the solution, and the histories as the two index arrays of a sparse matrix.

        The solution is ``weights`` (I, I), or ``inverse`` (U, U) and ``own`` (I,) where users are fewer.
        """
        return self._solution.state() | pack_histories(self._history)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back solution and histories."""
        if (weights := state.get("weights")) is not None:
            self._solution, n_items = ItemWeights(weights), len(weights)
        else:
            self._solution = UserInverse(state["inverse"], state["own"], self.l2)
            n_items = len(self._solution.own)
        self._history = unpack_histories(state, n_items)


def inverted(rows: csr_matrix, l2: float, device: str) -> Values:
    """Return the inverse of ``rows @ rows.T + l2`` (n, n) in float64, computed on the device.

    All in the memory of one matrix, as each step overwrites what the last one made.
    """
    import torch

    gram, columns = np.empty((rows.shape[0],) * 2), rows.T
    for first in range(0, len(gram), ROWS_AT_ONCE):
        block = slice(first, first + ROWS_AT_ONCE)
        gram[block] = (rows[block] @ columns).toarray()
    matrix = torch.from_numpy(gram).to(device).T  # by columns, as the library works: so nothing is copied
    matrix.diagonal().add_(l2)
    torch.linalg.cholesky(matrix, out=matrix)
    torch.cholesky_inverse(matrix, out=matrix)
    inverse: Values = matrix.cpu().numpy().T  # by rows, or each score copies it all; it is symmetric
    return inverse


def quadratic_diagonal(inverse: Values, history: csr_matrix) -> Values:
    """Return ``diag(X.T inverse X)`` (I,) for histories X (U, I), a block of users at a time.

    >>> from scipy.sparse import csr_matrix
    >>> quadratic_diagonal(np.array([[2.0, 1.0], [1.0, 3.0]]), csr_matrix([[1.0, 1.0], [0.0, 1.0]])).tolist()
    [2.0, 7.0]
    """
    total = np.zeros(history.shape[1])
    for first in range(0, history.shape[0], ROWS_AT_ONCE):
        block = slice(first, first + ROWS_AT_ONCE)
        total += np.asarray(history[block].multiply(inverse[block] @ history).sum(axis=0)).ravel()
    return total
