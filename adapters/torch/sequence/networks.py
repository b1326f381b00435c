"""The networks. Letters: U users, I items, B rows of a batch, T items of a history, D dim."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, pad, scaled_dot_product_attention

from adapters.torch.sequence.training import with_bias

INITIAL = 0.02  # standard deviation of initial embeddings in GPT and BERT

Drop = Callable[[Tensor], Tensor]


def keep(x: Tensor) -> Tensor:
    """Return ``x``: what stands for dropout outside training."""
    return x


def last_of(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Return the state (B, D) after the last item of each history, from those after every item (B, T, D)."""
    return hidden[torch.arange(len(hidden), device=hidden.device), (lengths - 1).clamp(min=0)]


class Block(nn.Module):
    """Self-attention, then a perceptron at each place; both add to what they read (Kang 2018, section III).

    Each normalises its input: the paper's x + Dropout(g(LayerNorm(x))).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.before_attention, self.before_perceptron = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query_key_value, self.attended = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.wide, self.narrow = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor, drop: Drop) -> Tensor:  # (B, T, D) -> (B, T, D)
        """Return the next layer; a place reads itself and what came before."""
        query, key, value = self.query_key_value(self.before_attention(x))[:, None].chunk(3, dim=-1)
        read = scaled_dot_product_attention(query, key, value, is_causal=True)[:, 0]
        x = x + drop(self.attended(read))
        return x + drop(self.narrow(drop(self.wide(self.before_perceptron(x)).relu())))


class SASRec(nn.Module):
    """Blocks of causal self-attention over items and their places, and the items' own vectors as output.

    One head, as in the paper. Places count from the start of a
    window and windows are filled up behind: what fills up is read by nobody, so no mask is needed.
    """

    def __init__(self, n_items: int, dim: int, layers: int, history: int) -> None:
        super().__init__()
        self.items, self.places = nn.Embedding(n_items, dim), nn.Embedding(history, dim)
        self.blocks = nn.ModuleList(Block(dim) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=INITIAL)

    def forward(self, items: Tensor, drop: Drop = keep) -> Tensor:  # (B, T) -> (B, T, D)
        """Return the state after each item."""
        scale = self.items.embedding_dim**0.5
        x = drop(self.items(items) * scale + self.places.weight[: items.shape[1]])
        for block in self.blocks:
            x = block(x, drop)
        return self.norm(x)

    def score(self, items: Tensor, lengths: Tensor, _: Tensor) -> Tensor:  # (B, T), (B,) -> (B, I)
        """Return logits of the next item."""
        return last_of(self(items), lengths) @ self.items.weight.T


class GRU4Rec(nn.Module):
    """Gated recurrent units over items, and the items' own vectors with biases as output.

    One table for input and output is the authors' "constrained embedding" (Hidasi 2018, arXiv:1706.03847).
    """

    def __init__(self, n_items: int, dim: int, layers: int) -> None:
        super().__init__()
        self.items = nn.Embedding(n_items, dim)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.gru = nn.GRU(dim, dim, layers)
        nn.init.normal_(self.items.weight, std=dim**-0.5)

    def forward(self, items: Tensor, drop: Drop = keep) -> Tensor:  # (T, B) -> (T, B, D)
        """Return the state after each item, the state before the first one being zero."""
        return drop(self.gru(drop(self.items(items)))[0])

    def score(self, items: Tensor, lengths: Tensor, _: Tensor) -> Tensor:  # (B, T), (B,) -> (B, I)
        """Return scores of the next item."""
        hidden, table = with_bias(
            last_of(self(items.T).transpose(0, 1), lengths), self.items.weight, self.bias
        )
        return hidden @ table.T


class Caser(nn.Module):
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

    def forward(self, items: Tensor, known: Tensor, users: Tensor, drop: Drop = keep) -> Tensor:
        """Return the state (B, 2D) after items (B, L), those that are known, of users with vectors (B, D)."""
        table = torch.cat([self.items.weight, self.nothing[None]])
        image = embedding(torch.where(known, items, len(table) - 1), table)  # (B, L, D)
        swept = self._sweep(image.flatten(1)).relu()
        places = [self.window - height for height in range(self.window)]  # of a filter of each height
        parts = swept.split([n * layer.out_features for n, layer in zip(places, self.across, strict=True)], 1)
        seen = [part.unflatten(1, (n, -1)).amax(1) for part, n in zip(parts, places, strict=True)]
        below = self.down(image.transpose(1, 2)).flatten(1)  # the vertical filters
        hidden = self.joined(drop(torch.cat([*seen, below], 1))).relu()
        return torch.cat([hidden, users], 1)  # section 3.3

    def _sweep(self, flat: Tensor) -> Tensor:  # (B, L * D) -> (B, places * across)
        """Return every horizontal filter at every place (section 3.2), as one banded product."""
        width, dim = flat.shape[1], self.items.embedding_dim
        bands = [
            pad(layer.weight, (start, width - start - layer.in_features))
            for layer in self.across
            for start in range(0, width - layer.in_features + 1, dim)
        ]
        biases = [layer.bias for layer in self.across for _ in range(layer.in_features, width + 1, dim)]
        return linear(flat, torch.cat(bands), torch.cat(biases))

    def score(self, items: Tensor, lengths: Tensor, users: Tensor) -> Tensor:  # (B, T), (B,), (B,) -> (B, I)
        """Return logits of the next item; a stranger has the mean of the users' vectors."""
        places = lengths[:, None] + torch.arange(-self.window, 0, device=items.device)
        last = items.gather(1, places.clamp(min=0, max=items.shape[1] - 1))
        vectors = self.users(users.clamp(min=0))
        vectors = torch.where((users < 0)[:, None], self.users.weight.mean(0), vectors)
        hidden, table = with_bias(self(last, places >= 0, vectors), self.output.weight, self.bias)
        return hidden @ table.T
