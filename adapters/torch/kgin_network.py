"""KGIN's network. Letters: U users, I items, E entities (items first), R relations, P intents, D dim."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import normalize

from adapters.torch.layers import SparseMatrix
from benchmark.protocol import Array, Interactions, KnowledgeGraph

INTENTS = 4  # section 4.1.4
INITIAL = 0.1  # standard deviation of initial vectors


class KginNetwork(nn.Module):
    """Items average what they are related to, users what they like; an item without a row has its triples."""

    def __init__(
        self, train: Interactions, graph: KnowledgeGraph, dim: int, layers: int, device: str
    ) -> None:
        super().__init__()
        self.layers = layers
        self.n_items, graph = train.n_items, shared(graph, train.n_items)
        seen = torch.ones(graph.n_entities, 1)
        seen[: train.n_items, 0] = torch.from_numpy(np.bincount(train.items, minlength=train.n_items) > 0)
        self.users = nn.Parameter(torch.randn(train.n_users, dim) * INITIAL)
        self.entities = nn.Parameter(torch.randn(graph.n_entities, dim) * INITIAL * seen)
        self.relations = nn.Parameter(torch.randn(2 * graph.n_relations, dim))
        self.intents = nn.Parameter(torch.randn(INTENTS, dim) * INITIAL)
        self.attention = nn.Parameter(torch.randn(INTENTS, 2 * graph.n_relations) * INITIAL)
        # A triple counts in both directions; a path is a relation, or its inverse, and the entity at its end.
        starts, ends = np.block([[graph.heads, graph.tails], [graph.tails, graph.heads]])
        relations = np.concatenate([graph.relations, graph.relations + graph.n_relations]).astype(np.int64)
        paths, columns = np.unique(relations * graph.n_entities + ends, return_inverse=True)
        self._path_relations, self._path_ends = (
            torch.from_numpy(ids).to(device) for ids in np.divmod(paths, graph.n_entities)
        )
        self._paths = SparseMatrix(means(starts, columns, (graph.n_entities, len(paths))), device)
        self._likes = SparseMatrix(means(train.users, train.items, (train.n_users, train.n_items)), device)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of all users (U, D) and items (I, D): the sum of the layers."""
        users = all_users = self.users
        entities = all_entities = self.entities
        by_intent = self.attention.softmax(1) @ self.relations  # (P, D), section 3.1.1
        for _ in range(self.layers):
            share = (users @ self.intents.T).softmax(1)  # (U, P)
            liked = self._likes @ entities[: self.n_items]
            paths = self.relations[self._path_relations] * entities[self._path_ends]
            users = normalize(liked * (1 + share @ by_intent))  # section 3.2.1; 1 + as in its authors' code
            entities = normalize(self._paths @ paths)  # section 3.2.2
            all_users, all_entities = all_users + users, all_entities + entities
        return all_users, all_entities[: self.n_items]


def shared(graph: KnowledgeGraph, n_items: int) -> KnowledgeGraph:
    """Return the graph without entities of one neighbour: they say no more than its own vector."""
    ends = np.stack([graph.heads, graph.tails]).astype(np.int64)
    pairs = np.unique(np.sort(ends, axis=0), axis=1)
    kept = np.bincount(pairs.ravel(), minlength=graph.n_entities) > 1
    kept[:n_items] = True
    numbers, triples = (kept.cumsum() - 1).astype(np.int32), kept[ends].all(axis=0)
    heads, tails = numbers[ends[:, triples]]
    return KnowledgeGraph(heads, graph.relations[triples], tails, int(kept.sum()), graph.relation_names)


def means(rows: Array, columns: Array, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Return the matrix that averages, for each row, the columns that it is paired with."""
    values = (1.0 / np.bincount(rows, minlength=1)[rows]).astype(np.float32)
    return sparse.csr_matrix((values, (rows, columns)), shape=shape)
