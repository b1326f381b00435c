"""iALS: implicit alternating least squares (Hu 2008, ICDM; Rendle 2021, arXiv:2110.14037)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BLOCK = 4_000_000
"""Numbers gathered at once: 16 MB of float32."""


@dataclass
class Ials:
    """Dot products of vectors that fit a one at each like and, weighted by ``alpha``, a zero at every pair.

    Implicit feedback. Minimises ``sum over likes (1 - x)^2 + alpha * sum over all pairs x^2`` and, for each
    user and item with n likes among m, ``l2 * (n + alpha * m)`` times the squared length of its vector
    (Rendle 2021, equations 1 to 4 and section 3.2 with an exponent of 1: frequent ones are held harder).
    A step solves for all items, then for all users, exactly.

    Rendle's best for MovieLens-20M, ``alpha`` .1 and ``l2`` .003, overfits smaller logs: on validation
    data of 900 users of MovieLens-1M it had an NDCG@10 of .172, the defaults .216 (docs/decisions/0502).
    Time of a step: 2 N ``dim``^2 + (U + I) ``dim``^3; memory: (U + I) ``dim``.
    """

    dim: int = 64
    l2: float = 0.01
    alpha: float = 0.3
    max_epochs: int = 30

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "l2": Range(1e-4, 0.3, log=True),
        "alpha": Range(0.01, 10.0, log=True),
    }

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Solve for all items, then for all users, in each step."""
        likes = train.matrix()
        liked_by = likes.T.tocsr()
        rng = np.random.default_rng(context.seed)
        spread = np.float32(0.1 / np.sqrt(self.dim))  # Rendle 2021, section 3.3
        self._users = spread * rng.standard_normal((train.n_users, self.dim), dtype=np.float32)
        for _ in range(self.max_epochs):
            self._items = self._solved(liked_by, self._users)
            self._users = self._solved(likes, self._items)
            yield

    def _solved(self, likes: csr_matrix, others: Array) -> Array:
        """Return the vectors (n, dim) that fit best to the others' (m, dim), given likes (n, m).

        Rows of about the same length are solved together: their gathered vectors are padded with zeros.
        """
        starts, lengths = likes.indptr[:-1], np.diff(likes.indptr)
        padded = np.concatenate([others, np.zeros((1, self.dim), dtype=np.float32)])
        columns = np.append(likes.indices, len(others))  # the last place, where padding points to
        vectors = np.zeros((len(lengths), self.dim), dtype=np.float32)
        shared = self.alpha * (others.T @ others)
        for rows in _alike(lengths, self.dim):
            reach = np.arange(lengths[rows].max())
            places = np.where(reach < lengths[rows, None], starts[rows, None] + reach, -1)
            near = padded[columns[places]]
            normal = near.transpose(0, 2, 1) @ near + shared
            penalty = self.l2 * (lengths[rows] + self.alpha * len(others))
            normal[:, np.arange(self.dim), np.arange(self.dim)] += penalty[:, None].astype(np.float32)
            vectors[rows] = np.linalg.solve(normal, near.sum(axis=1)[..., None])[..., 0]
        return vectors

    def score(self, users: Ids) -> Scores:
        """Return dot products (B, I)."""
        scores: Scores = self._users[users] @ self._items.T
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return dot products (I,) with the vector that fits best to a new user's history."""
        from scipy.sparse import csr_matrix

        history = csr_matrix((np.ones(len(items)), items, [0, len(items)]), shape=(1, len(self._items)))
        scores: Scores = self._solved(history, self._items)[0] @ self._items.T
        return scores

    def state(self) -> dict[str, Array]:
        """Return the vectors of users (U, dim) and items (I, dim)."""
        return {"users": self._users, "items": self._items}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the vectors."""
        self._users, self._items = state["users"], state["items"]


def _alike(lengths: Array, dim: int) -> Iterator[Array]:
    """Return the places of all lengths (n,) above 0, the longest first, in blocks that gather BLOCK numbers.

    >>> [block.tolist() for block in _alike(np.array([2, 0, 5]), dim=8)]
    [[2, 0]]
    """
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    first = 0
    while first < len(order):
        size = max(1, BLOCK // (dim * max(dim, int(lengths[order[first]]))))
        yield order[first : first + size]
        first += size
