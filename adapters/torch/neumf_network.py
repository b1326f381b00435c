"""NeuMF's network. Letters: U users, I items, B rows of a batch, K items of each, D dim."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adapters.torch.layers import PairTower, vectors


class NeuMFNetwork(nn.Module):
    """NeuMF: generalised matrix factorisation beside a perceptron (He 2017, arXiv:1708.05031).

    Two departures from the paper make it fast and change no result it can reach: both embeddings of a
    user (or item) lie in one table, and the perceptron's first layer is split in halves. An item bias
    stands for popularity, which the paper's pre-training leaves to the embeddings.
    """

    def __init__(self, n_users: int, n_items: int, dim: int, layers: int) -> None:
        super().__init__()
        self.users = vectors(n_users, 2 * dim)  # GMF part, then MLP part
        self.items = vectors(n_items, 2 * dim)
        self.item_bias = vectors(n_items, 1)
        self.gmf = nn.Parameter(torch.ones(dim))
        self.tower = PairTower(dim, layers)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.01)  # section 4.1
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, users: Tensor, items: Tensor, keep: Tensor) -> Tensor:
        """Return the logits (B, K) of K items for each user; ``keep`` (B, 2D) is the users' dropout mask."""
        user_gmf, user_mlp = (self.users(users) * keep).chunk(2, dim=-1)  # (B, D) each
        item_gmf, item_mlp = self.items(items).chunk(2, dim=-1)  # (B, K, D) each
        product = torch.bmm(item_gmf, (user_gmf * self.gmf)[:, :, None])[:, :, 0]
        return product + self.tower(user_mlp, item_mlp) + self.item_bias(items)[:, :, 0]

    def score(self, users: Tensor) -> Tensor:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items."""
        user_gmf, user_mlp = self.users(users).chunk(2, dim=-1)
        item_gmf, item_mlp = self.items.weight.chunk(2, dim=-1)
        product = (user_gmf * self.gmf) @ item_gmf.T
        return product + self.tower.all_pairs(user_mlp, item_mlp) + self.item_bias.weight.T
