"""DeepFM's network, and what is kept of it to score with. Letters: U users, I items, B rows, D dim."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from adapters.torch.fm_network import FMNetwork
from adapters.torch.layers import PairTower
from benchmark.protocol import Interactions


class DeepFMNetwork(FMNetwork):
    """A factorisation machine and a perceptron over the same vectors (Guo 2017, arXiv:1703.04247)."""

    def __init__(self, train: Interactions, dim: int, layers: int, device: torch.device | str) -> None:
        super().__init__(train, dim, device)
        self.tower = PairTower(2 * dim, layers)

    def forward(self, users: Tensor, items: Tensor, keep: Tensor) -> Tensor:
        """Return the logits (B, K) of K items for each user; ``keep`` (B, 2D) is the users' dropout mask."""
        (of_users, user_bias, user_fields), (of_items, item_bias, item_fields) = self.users(), self.items()
        products = torch.bmm(embedding(items, of_items), embedding(users, of_users)[:, :, None])[:, :, 0]
        biases = embedding(items, item_bias[:, None])[:, :, 0] + user_bias[users][:, None]
        deep = self.tower(embedding(users, user_fields) * keep, embedding(items, item_fields))
        return products + biases + deep


class DeepFMScorer(nn.Module):
    """What a trained DeepFM scores with: its tables, computed once, and its perceptron, which it shares."""

    def __init__(self, tables: Sequence[Tensor], tower: PairTower) -> None:
        super().__init__()
        for name, table in zip(("users", "items", "deep_users", "deep_items"), tables, strict=True):
            self.register_buffer(name, table)
        self.tower = tower

    @classmethod
    def empty(cls, n_users: int, n_items: int, dim: int, layers: int) -> DeepFMScorer:
        """Return one without content, for weights to be loaded into."""
        shapes = [(n_users, dim + 1), (n_items, dim + 1), (n_users, 2 * dim), (n_items, 2 * dim)]
        return cls([torch.empty(shape) for shape in shapes], PairTower(2 * dim, layers))

    def score(self, users: Tensor) -> Tensor:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items, up to a constant for each user."""
        deep = self.tower.all_pairs(self.deep_users[users], self.deep_items)
        return self.users[users] @ self.items.T + deep
