"""KGIN's network. Letters: U users, I items, E entities (items first), R relations, P intents, D dim."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import normalize

from adapters.torch.layers import SparseMatrix
from benchmark.protocol import Array, Interactions, KnowledgeGraph

INITIAL = 0.1  # standard deviation of initial vectors


class KginNetwork(nn.Module):
    """Items average what they are related to, users average items and weigh them by intents (Wang 2021).

    Each triple also counts in the other direction, as a relation of its own (2R). Items without a row have
    no vector of their own: their triples speak for them.
    """

    def __init__(
        self,
        train: Interactions,
        graph: KnowledgeGraph,
        size: tuple[int, int, int],
        device: torch.device | str,
    ) -> None:
        """Take the log, its graph (perhaps without triples), and D, the layers and P."""
        super().__init__()
        dim, self.layers, intents = size
        self.n_items = train.n_items
        learns = np.ones(graph.n_entities, dtype=np.float32)
        learns[: train.n_items] = np.bincount(train.items, minlength=train.n_items) > 0
        self.users = nn.Parameter(torch.randn(train.n_users, dim) * INITIAL)
        self.entities = nn.Parameter(
            torch.randn(len(learns), dim) * INITIAL * torch.from_numpy(learns)[:, None]
        )
        self.relations = nn.Parameter(torch.randn(2 * graph.n_relations, dim))
        self.intents = nn.Parameter(torch.randn(intents, dim) * INITIAL)
        self.attention = nn.Parameter(torch.randn(intents, 2 * graph.n_relations) * INITIAL)
        related, relations, others = related_entities(graph)
        self._related = SparseMatrix(related, device)
        self._relations, self._others = (torch.from_numpy(ids).to(device) for ids in (relations, others))
        self._likes = SparseMatrix(mean_of_rows(train.matrix()), device)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of all users (U, D) and items (I, D): the sum of the layers (equation 14)."""
        users = all_users = self.users
        entities = all_entities = self.entities
        by_intent = self.attention.softmax(1) @ self.relations  # (P, D), equations 1 and 2
        for _ in range(self.layers):
            share = (users @ self.intents.T).softmax(1)  # (U, P), equation 8
            liked = self._likes @ entities[: self.n_items]
            paths = self.relations[self._relations] * entities[self._others]
            users = normalize(liked * (1 + share @ by_intent))  # equation 7
            entities = normalize(self._related @ paths)  # equations 9 and 12
            all_users, all_entities = all_users + users, all_entities + entities
        return all_users, all_entities[: self.n_items]

    def likeness(self) -> Tensor:
        """Return how alike the intents are, a scalar: the mean of their squared cosines (section 3.1.2)."""
        vectors = normalize(self.attention.softmax(1) @ self.relations)
        return (vectors @ vectors.T).triu(1).square().mean()


def related_entities(graph: KnowledgeGraph) -> tuple[sparse.csr_matrix, Array, Array]:
    """Return who averages which paths (E, n), and the relation (n,) and entity (n,) at the end of each path.

    A path is a distinct pair of a relation, or its inverse R + r, and the entity that it leads to.
    """
    starts = np.concatenate([graph.heads, graph.tails]).astype(np.int64)
    relations = np.concatenate([graph.relations, graph.relations + graph.n_relations]).astype(np.int64)
    ends = np.concatenate([graph.tails, graph.heads]).astype(np.int64)
    paths, columns = np.unique(relations * graph.n_entities + ends, return_inverse=True)
    shape = graph.n_entities, len(paths)
    ones = np.ones(len(starts), dtype=np.float32)
    matrix: Any = sparse.csr_matrix((ones, (starts, columns)), shape=shape)
    return mean_of_rows(matrix), *np.divmod(paths, graph.n_entities)


def mean_of_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return a matrix of ones over the number of entries of each row."""
    counts = np.diff(matrix.indptr)
    values = np.repeat(1.0 / np.maximum(counts, 1), counts).astype(np.float32)
    return sparse.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
