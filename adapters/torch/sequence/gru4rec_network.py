"""GRU4Rec's network. Letters: I items, B rows of a batch, T items of a history, D dim."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adapters.torch.sequence.layers import Drop, last_state, no_dropout, with_bias


class GRU4RecNetwork(nn.Module):
    """Gated recurrent units over items, and the items' own vectors with biases as output.

    One table for input and output is the authors' "constrained embedding" (Hidasi 2018, arXiv:1706.03847).
    """

    def __init__(self, n_items: int, dim: int, layers: int) -> None:
        super().__init__()
        self.items = nn.Embedding(n_items, dim)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.gru = nn.GRU(dim, dim, layers)
        nn.init.normal_(self.items.weight, std=dim**-0.5)

    def forward(self, items: Tensor, drop: Drop = no_dropout) -> Tensor:  # (T, B) -> (T, B, D)
        """Return the state after each item, the state before the first one being zero."""
        return drop(self.gru(drop(self.items(items)))[0])

    def score(self, items: Tensor, lengths: Tensor, _: Tensor) -> Tensor:  # (B, T), (B,) -> (B, I)
        """Return scores of the next item."""
        hidden, table = with_bias(
            last_state(self(items.T).transpose(0, 1), lengths), self.items.weight, self.bias
        )
        return hidden @ table.T
