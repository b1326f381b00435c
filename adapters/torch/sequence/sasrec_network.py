"""SASRec's network. Letters: I items, B rows of a batch, T items of a history, D dim."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from adapters.torch.sequence.layers import Drop, last_state, no_dropout

INITIAL = 0.02  # standard deviation of initial embeddings in GPT and BERT


class AttentionBlock(nn.Module):
    """Self-attention, then a perceptron at each position; both add to their input (Kang 2018, section III).

    Each normalises its input: the paper's x + Dropout(g(LayerNorm(x))).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.before_attention, self.before_perceptron = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query_key_value, self.attended = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.wide, self.narrow = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor, drop: Drop) -> Tensor:  # (B, T, D) -> (B, T, D)
        """Return the next layer; a position reads itself and what came before."""
        query, key, value = self.query_key_value(self.before_attention(x))[:, None].chunk(3, dim=-1)
        read = scaled_dot_product_attention(query, key, value, is_causal=True)[:, 0]
        x = x + drop(self.attended(read))
        return x + drop(self.narrow(drop(self.wide(self.before_perceptron(x)).relu())))


class SASRecNetwork(nn.Module):
    """Blocks of causal self-attention over items and their positions, and the items' own vectors as output.

    One head, as in the paper. Positions count from the start of a window and windows are padded at the
    end: nothing reads the padding, so no mask is needed.
    """

    def __init__(self, n_items: int, dim: int, layers: int, history: int, *, sparse: bool) -> None:
        super().__init__()
        self.items = nn.Embedding(n_items, dim, sparse=sparse)  # whose gradients are
        self.places = nn.Embedding(history, dim)  # of positions; stored models know it by this name
        self.blocks = nn.ModuleList(AttentionBlock(dim) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=INITIAL)

    def forward(self, items: Tensor, drop: Drop = no_dropout) -> Tensor:  # (B, T) -> (B, T, D)
        """Return the state after each item."""
        scale = self.items.embedding_dim**0.5
        x = drop(self.items(items) * scale + self.places.weight[: items.shape[1]])
        for block in self.blocks:
            x = block(x, drop)
        return self.norm(x)

    def score(self, items: Tensor, lengths: Tensor, _: Tensor) -> Tensor:  # (B, T), (B,) -> (B, I)
        """Return logits of the next item."""
        return last_state(self(items), lengths) @ self.items.weight.T
