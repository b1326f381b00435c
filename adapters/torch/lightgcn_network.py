"""LightGCN's network. Letters: U users, I items, D dim."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from adapters.torch.layers import SparseMatrix


def normalised_adjacency(positives: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the graph of users and items (U + I, U + I), each edge over the root of both degrees.

    He 2020, equation 8; ``positives`` is (U, I).
    """
    users, items = positives.nonzero()
    values = 1.0 / np.sqrt(np.bincount(users)[users] * np.bincount(items)[items])
    edges = sparse.csr_matrix((values.astype(np.float32), (users, items)), shape=positives.shape)
    blocks: Any = [[None, edges], [edges.T, None]]
    graph: sparse.csr_matrix = sparse.bmat(blocks, format="csr", dtype=np.float32)
    return graph


class LightGCNNetwork(nn.Module):
    """Vectors that are averages over neighbourhoods in the graph of likes (He 2020, arXiv:2002.02126)."""

    def __init__(
        self, positives: sparse.csr_matrix, dim: int, layers: int, device: torch.device | str
    ) -> None:
        super().__init__()
        self.n_users, self.layers = positives.shape[0], layers
        self.own = nn.Parameter(torch.empty(sum(positives.shape), dim))
        nn.init.normal_(self.own, std=0.1)
        self._graph = SparseMatrix(normalised_adjacency(positives), device)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of all users (U, D) and items (I, D): the mean over the layers (equation 4)."""
        near = total = self.own
        for _ in range(self.layers):
            near = self._graph @ near
            total = total + near
        mean = total / (self.layers + 1)
        return mean[: self.n_users], mean[self.n_users :]
