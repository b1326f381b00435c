"""NeuMF: generalised matrix factorisation beside a multilayer perceptron (He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

CHUNK = 1 << 20  # numbers of one hidden layer that exist at a time while scoring: 4 MB stay in the cache


class NeuMF(nn.Module):
    """Scores of user-item pairs; letters: B users, K items of each, D dim.

    Two departures from the paper make it fast and change no result it can reach: both embeddings of a
    user (or item) lie in one table, and the first layer of the perceptron, linear in the concatenated
    pair, is the sum of a user half and an item half, each computed once per user or item. An item bias
    stands for popularity, which the paper's pre-training leaves to the embeddings.
    """

    def __init__(self, n_users: int, n_items: int, dim: int, layers: int) -> None:
        super().__init__()
        widths = [max(dim >> depth, 4) for depth in range(layers)]  # a tower: each layer half as wide
        self.users = nn.Embedding(n_users, 2 * dim)  # GMF part, then MLP part
        self.items = nn.Embedding(n_items, 2 * dim)
        self.item_bias = nn.Embedding(n_items, 1)
        self.gmf = nn.Parameter(torch.ones(dim))
        self.user_half = nn.Linear(dim, widths[0])
        self.item_half = nn.Linear(dim, widths[0], bias=False)
        self.hidden = nn.ModuleList(nn.Linear(wide, narrow) for wide, narrow in pairwise(widths))
        self.output = nn.Linear(widths[-1], 1, bias=False)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.01)  # section 4.1
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, users: Tensor, items: Tensor, keep: Tensor) -> Tensor:
        """Return the logits (B, K) of K items for each user; ``keep`` (B, 2D) is the users' dropout mask."""
        user_gmf, user_mlp = (self.users(users) * keep).chunk(2, dim=-1)  # (B, D) each
        item_gmf, item_mlp = self.items(items).chunk(2, dim=-1)  # (B, K, D) each
        product = torch.bmm(item_gmf, (user_gmf * self.gmf)[:, :, None])[:, :, 0]
        first = self.user_half(user_mlp)[:, None] + self.item_half(item_mlp)
        return product + self._tower(first) + self.item_bias(items)[:, :, 0]

    def score(self, users: Tensor) -> Tensor:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items, without gradients."""
        with torch.no_grad():
            user_gmf, user_mlp = self.users(users).chunk(2, dim=-1)
            item_gmf, item_mlp = self.items.weight.chunk(2, dim=-1)
            product = (user_gmf * self.gmf) @ item_gmf.T
            item_half = self.item_half(item_mlp)  # (I, H)
            halves = self.user_half(user_mlp).split(max(1, CHUNK // item_half.numel()))
            tower = torch.cat([self._tower(half[:, None] + item_half) for half in halves])
            return product + tower + self.item_bias.weight.T

    def _tower(self, first: Tensor) -> Tensor:  # (..., H) -> (...)
        x = first.relu()
        for layer in self.hidden:
            x = layer(x).relu()
        return self.output(x)[..., 0]
