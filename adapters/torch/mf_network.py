"""The network of biased matrix factorisation. Letters: B pairs of a batch."""

from __future__ import annotations

from torch import Tensor, nn

from adapters.torch.layers import vectors


class MFNetwork(nn.Module):
    """Biased matrix factorisation (Koren 2009, doi:10.1109/MC.2009.263, equation 4)."""

    def __init__(self, n_users: int, n_items: int, dim: int, mean: float) -> None:
        super().__init__()
        self.users = vectors(n_users, dim + 1)  # the last column is the bias
        self.items = vectors(n_items, dim + 1)
        self.mean = mean
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.1 / dim**0.5)
            nn.init.zeros_(table.weight[:, -1])

    def forward(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ratings (B,) of pairs, and the squared length (B,) of all that made each."""
        of_users, of_items = self.users(users), self.items(items)
        dots = (of_users[:, :-1] * of_items[:, :-1]).sum(1)
        length = of_users.square().sum(1) + of_items.square().sum(1)
        return self.mean + dots + of_users[:, -1] + of_items[:, -1], length
