"""MultVAE's network. Letters: I items, B rows of a batch, n positives of a batch, D dim, H hidden units."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from adapters.torch.losses import dropout_mask, multinomial
from benchmark.protocol import Floats32


class MultVAENetwork(nn.Module):
    """A variational autoencoder of histories with a multinomial likelihood (Liang 2018, arXiv:1802.05814).

    The biases of the last layer start from the log of the items' popularity, ``log_counts`` (I,), which
    they would otherwise have to learn first.
    """

    def __init__(self, log_counts: Floats32, dim: int, hidden: int) -> None:
        super().__init__()
        n_items = len(log_counts)
        self.items = nn.Parameter(torch.empty(n_items, hidden))  # the first layer, by rows
        self.items_bias = nn.Parameter(torch.zeros(hidden))
        self.latent = nn.Linear(hidden, 2 * dim)  # mean, then log variance
        self.hidden = nn.Linear(dim, hidden)
        self.output = nn.Linear(hidden, n_items)
        nn.init.xavier_normal_(self.items)
        for layer in (self.latent, self.hidden, self.output):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.output.bias.data.copy_(torch.from_numpy(log_counts))

    def encode(self, positives: tuple[Tensor, Tensor, Tensor], keep: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (B, D) of the posterior.

        Args:
            positives: counts (B,), rows in the batch (n,), items (n,).
            keep: (n,) dropout mask of the input, which is the history divided by its length (Liang's code).
        """
        counts, rows, items = positives
        weights = keep / counts.clamp(min=1).to(keep.dtype).sqrt()[rows]
        starts = counts.cumsum(0) - counts
        summed = embedding_bag(items, self.items, starts, mode="sum", per_sample_weights=weights)
        mean, log_variance = self.latent(torch.tanh(summed + self.items_bias)).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:  # (B, D) -> (B, I)
        """Return the logits of all items."""
        return self.output(torch.tanh(self.hidden(z)))

    def loss(
        self,
        positives: tuple[Tensor, Tensor, Tensor],
        dropout: float,
        beta: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Return minus the mean evidence lower bound of the histories (equation 8), a scalar."""
        mean, log_variance = self.encode(positives, dropout_mask(positives[1].shape, dropout, generator))
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        logits = self.decode(mean + noise * torch.exp(0.5 * log_variance))
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1.0 - log_variance).sum()
        return (multinomial(logits, positives) + beta * divergence) / len(mean)
