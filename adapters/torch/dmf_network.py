"""DMF's network. Letters: U users, I items, B rows of a batch, D dim, H hidden units."""

from __future__ import annotations

import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, embedding, normalize

from adapters.torch.layers import SparseMatrix

FLOOR = 1e-6  # the smallest likelihood (Xue 2017, equation 13)


class DMFNetwork(nn.Module):
    """Two towers over the rows and the columns of the log, compared by their cosine (Xue 2017, IJCAI)."""

    def __init__(self, ratings: sparse.csr_matrix, dim: int, hidden: int, device: torch.device | str) -> None:
        super().__init__()
        self._rows = SparseMatrix(ratings, device)
        self._columns = SparseMatrix(ratings.T.tocsr(), device)
        n_users, n_items = ratings.shape
        self.users = nn.ParameterList([torch.empty(n_items, hidden), torch.empty(hidden, dim)])
        self.items = nn.ParameterList([torch.empty(n_users, hidden), torch.empty(hidden, dim)])
        for weight in self.parameters():
            nn.init.normal_(weight, std=0.01)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of all users (U, D) and items (I, D), each of length 1."""
        of_users = ((self._rows @ self.users[0]).relu() @ self.users[1]).relu()
        of_items = ((self._columns @ self.items[0]).relu() @ self.items[1]).relu()
        return normalize(of_users), normalize(of_items)

    def loss(self, users: Tensor, items: Tensor, shares: Tensor) -> Tensor:
        """Return the normalised cross entropy (equation 10), a mean over pairs.

        Args:
            users: (B,).
            items: (B, 1 + negatives), the positive first.
            shares: (B,) each positive's rating over the highest one; a negative's is 0.
        """
        of_users, of_items = self()
        cosines = torch.bmm(embedding(items, of_items), embedding(users, of_users)[:, :, None])[:, :, 0]
        likely = cosines.clamp(FLOOR, 1.0 - FLOOR)  # equation 13; the upper end keeps log(1 - x) finite
        target = torch.zeros_like(likely)
        target[:, 0] = shares
        return binary_cross_entropy(likely, target)
