"""Caser's network. Letters: I items, B rows of a batch, L items of a window, D dim."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, pad

from adapters.torch.sequence.layers import Drop, no_dropout, with_bias


class CaserNetwork(nn.Module):
    """Convolutions over the last items as over an image, beside a vector of the user (Tang 2018, section 3).

    ``nothing`` stands for the items before the first.
    """

    def __init__(self, n_users: int, n_items: int, dim: int, window: int, filters: tuple[int, int]) -> None:
        super().__init__()
        across, down = filters
        self.window = window
        self.items = nn.Embedding(n_items, dim)
        self.nothing = nn.Parameter(torch.zeros(dim))
        self.users = nn.Embedding(n_users, dim)
        self.across = nn.ModuleList(nn.Linear(height * dim, across) for height in range(1, window + 1))
        self.down = nn.Linear(window, down)
        self.joined = nn.Linear(window * across + down * dim, dim)
        self.output, self.bias = nn.Embedding(n_items, 2 * dim), nn.Parameter(torch.zeros(n_items))
        for table in (self.items, self.users, self.output):
            nn.init.normal_(table.weight, std=1 / table.embedding_dim)

    def forward(self, items: Tensor, present: Tensor, users: Tensor, drop: Drop = no_dropout) -> Tensor:
        """Return the state (B, 2D) after the ``present`` items (B, L), for users with vectors (B, D)."""
        table = torch.cat([self.items.weight, self.nothing[None]])
        image = embedding(torch.where(present, items, len(table) - 1), table)  # (B, L, D)
        swept = self._sweep(image.flatten(1)).relu()
        counts = [self.window - height for height in range(self.window)]  # positions of each filter's height
        parts = swept.split([n * layer.out_features for n, layer in zip(counts, self.across, strict=True)], 1)
        seen = [part.unflatten(1, (n, -1)).amax(1) for part, n in zip(parts, counts, strict=True)]
        below = self.down(image.transpose(1, 2)).flatten(1)  # the vertical filters
        hidden = self.joined(drop(torch.cat([*seen, below], 1))).relu()
        return torch.cat([hidden, users], 1)  # section 3.3

    def _sweep(self, flat: Tensor) -> Tensor:  # (B, L * D) -> (B, positions * across)
        """Return every horizontal filter at every position (section 3.2), as one banded product."""
        width, dim = flat.shape[1], self.items.embedding_dim
        bands = [
            pad(layer.weight, (start, width - start - layer.in_features))
            for layer in self.across
            for start in range(0, width - layer.in_features + 1, dim)
        ]
        biases = [layer.bias for layer in self.across for _ in range(layer.in_features, width + 1, dim)]
        return linear(flat, torch.cat(bands), torch.cat(biases))

    def score(self, items: Tensor, lengths: Tensor, users: Tensor) -> Tensor:  # (B, T), (B,), (B,) -> (B, I)
        """Return logits of the next item; an unknown user has the mean of the users' vectors."""
        positions = lengths[:, None] + torch.arange(-self.window, 0, device=items.device)
        last = items.gather(1, positions.clamp(min=0, max=items.shape[1] - 1))
        vectors = self.users(users.clamp(min=0))
        vectors = torch.where((users < 0)[:, None], self.users.weight.mean(0), vectors)
        hidden, table = with_bias(self(last, positions >= 0, vectors), self.output.weight, self.bias)
        return hidden @ table.T
