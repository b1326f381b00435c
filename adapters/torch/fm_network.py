"""The network of a factorisation machine. Letters: U users, I items, n of either, D dim."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from adapters.torch.layers import SparseMatrix
from benchmark.protocol import Features, Interactions

INITIAL = 0.01  # standard deviation of initial vectors


class FieldEmbedding(nn.Module):
    """A vector for each id and each feature of users, or of items.

    The last column of each table is the linear weight. Ids without a row in the log learn nothing: their
    vectors are zero, and their features speak for them.
    """

    def __init__(self, seen: Tensor, features: Features | None, dim: int, device: torch.device | str) -> None:
        super().__init__()
        matrix = sparse.csr_matrix((len(seen), 0)) if features is None else features.matrix
        self.ids = nn.Parameter(torch.randn(len(seen), dim + 1) * INITIAL * seen[:, None])
        self.features = nn.Parameter(torch.randn(matrix.shape[1], dim + 1) * INITIAL)
        self._values = SparseMatrix(matrix, device) if matrix.nnz else None
        self._squares = SparseMatrix(matrix.multiply(matrix).tocsr(), device)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return vectors (n, D), biases (n,), and fields (n, 2D): vectors of the id and of the features.

        A bias holds the linear part and the products within the side.
        """
        own, summed = self.ids, torch.zeros_like(self.ids)
        squares = own[:, :-1].square()
        if self._values is not None:
            summed = self._values @ self.features
            squares = squares + self._squares @ self.features[:, :-1].square()
        total = own + summed
        inner = (total[:, :-1].square() - squares).sum(1) / 2  # Rendle 2010, lemma 3.1
        return total[:, :-1], total[:, -1] + inner, torch.cat([own[:, :-1], summed[:, :-1]], dim=1)


class FMNetwork(nn.Module):
    """A factorisation machine over the fields of a user and an item (Rendle 2010, ICDM).

    The products of a user's fields with an item's are one dot product of two sums; those within a side
    are a bias.
    """

    def __init__(self, train: Interactions, dim: int, device: torch.device | str) -> None:
        super().__init__()
        seen_users, seen_items = (
            torch.from_numpy(np.bincount(ids, minlength=n) > 0)
            for ids, n in ((train.users, train.n_users), (train.items, train.n_items))
        )
        self.users = FieldEmbedding(seen_users, train.user_features, dim, device)
        self.items = FieldEmbedding(seen_items, train.item_features, dim, device)

    def tables(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what ranks: users (U, D + 1) and items (I, D + 1), fields of users and items (n, 2D).

        The last column is one for users, the bias for items. The bias of a user is left out: it changes
        no ranking, and no softmax over items.
        """
        (users, _, user_fields), (items, bias, item_fields) = self.users(), self.items()
        of_users = torch.cat([users, torch.ones_like(users[:, :1])], dim=1)
        return of_users, torch.cat([items, bias[:, None]], dim=1), user_fields, item_fields
