"""EASE: an item-to-item linear model in closed form (Steck 2019, arXiv:1905.03375)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from adapters.torch import open_device
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class Ease:
    """Scores are a user's history times one weight matrix (I, I) with an empty diagonal.

    On validation data of 900 users of MovieLens-1M every ``l2`` from 200 to 500, Steck's value for
    MovieLens-20M (section 4), came within .0025 NDCG@10 of the best; the default lies between.
    """

    l2: float = 300.0

    space: ClassVar[Space] = {"l2": Range(1.0, 1e4, log=True)}
    deterministic: ClassVar[bool] = True
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Solve for all weights in one step (section 3.1, algorithm 1)."""
        import torch

        self._history = train.matrix()
        gram = torch.from_numpy((self._history.T @ self._history).toarray()).to(context.device, torch.float64)
        gram.diagonal().add_(self.l2)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        weights = inverse / -inverse.diagonal()
        weights.fill_diagonal_(0)
        self._weights = weights.float().cpu().contiguous().numpy()  # by rows, or each score copies it all
        yield

    def score(self, users: Ids) -> Scores:
        """Return the summed weights (B, I) from the items of each user's history."""
        scores: Scores = self._history[users] @ self._weights
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed weights (I,) from the items of a new user's history."""
        scores: Scores = self._weights[items].sum(axis=0)
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights (I, I) and the histories as the two index arrays of a sparse matrix."""
        return {
            "weights": self._weights,
            "items": self._history.indices,
            "ends": self._history.indptr,
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Take back weights and histories."""
        self._weights = state["weights"]
        ones = np.ones(len(state["items"]), dtype=np.float32)
        shape = (len(state["ends"]) - 1, len(self._weights))
        self._history = csr_matrix((ones, state["items"], state["ends"]), shape=shape)
        self._history.check_format(full_check=True)  # an index out of bounds would read foreign memory
