"""Parts that several networks share. Letters: B rows of a batch, K items of each, D dim, H hidden units."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import torch
from scipy import sparse
from torch import Tensor, nn

BLOCK = 1 << 12  # items of one user that are scored together where CHUNK cannot hold all
CHUNK = 1 << 20  # numbers of one hidden layer that exist at a time while scoring: 4 MB stay in the cache

LARGE_TABLE = 1 << 14
"""Rows beyond which a batch looks up few of a table's: its gradient is sparse."""


def vectors(n: int, dim: int) -> nn.Embedding:
    """Return a table of vectors (n, dim), of which a batch trains those that it looks up if it is large."""
    return nn.Embedding(n, dim, sparse=n > LARGE_TABLE)


class PairTower(nn.Module):
    """A perceptron over the concatenation of a user's and an item's input.

    The first layer, linear in the concatenated pair, is the sum of a user half and an item half, each
    computed once per user or item.
    """

    def __init__(self, dim: int, layers: int) -> None:
        super().__init__()
        widths = [max(dim >> depth, 4) for depth in range(layers)]  # a tower: each layer half as wide
        self.user_half = nn.Linear(dim, widths[0])
        self.item_half = nn.Linear(dim, widths[0], bias=False)
        self.hidden = nn.ModuleList(nn.Linear(wide, narrow) for wide, narrow in pairwise(widths))
        self.output = nn.Linear(widths[-1], 1, bias=False)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:  # (B, D), (B, K, D) -> (B, K)
        """Return the outputs for K items of each user."""
        return self._upper(self.user_half(users)[:, None] + self.item_half(items))

    def all_pairs(self, users: Tensor, items: Tensor) -> Tensor:  # (B, D), (I, D) -> (B, I)
        """Return the outputs for all items of each user, a few users at a time."""
        item_half, user_half = self.item_half(items), self.user_half(users)  # (I, H), (B, H)
        if item_half.numel() > CHUNK and item_half.device.type == "cpu":
            return self._by_columns(user_half, item_half)
        halves = user_half.split(max(1, CHUNK // item_half.numel()))
        return torch.cat([self._upper(half[:, None] + item_half) for half in halves])

    def _by_columns(self, user_half: Tensor, item_half: Tensor) -> Tensor:  # (B, H), (I, H) -> (B, I)
        """Return the outputs, one user and a block of items at a time: products are quicker by columns."""
        outputs = torch.empty(len(user_half), len(item_half))
        for columns, out in zip(
            item_half.T.contiguous().split(BLOCK, 1), outputs.split(BLOCK, 1), strict=True
        ):
            for half, mine in zip(user_half, out, strict=True):
                x = (half[:, None] + columns).relu_()
                for layer in self.hidden:
                    x = torch.addmm(layer.bias[:, None], layer.weight, x).relu_()
                mine.copy_((self.output.weight @ x)[0])
        return outputs

    def _upper(self, first: Tensor) -> Tensor:  # (..., H) -> (...)
        x = first.relu()
        for layer in self.hidden:
            x = layer(x).relu()
        return self.output(x)[..., 0]


class SparseProduct(torch.autograd.Function):
    """A constant sparse matrix times a dense one; the transpose comes along for the gradient."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
        """Return the product (n, D)."""
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the dense matrix alone."""
        return ctx.transposed @ slope[0].contiguous(), None, None


class SparseMatrix:
    """A constant sparse matrix (n, m), to be multiplied by dense ones that learn."""

    def __init__(self, matrix: sparse.csr_matrix, device: torch.device | str) -> None:
        self._matrix = on_device(matrix, device)
        self._transposed = on_device(matrix.T.tocsr(), device)

    def __matmul__(self, dense: Tensor) -> Tensor:  # (m, D) -> (n, D)
        return SparseProduct.apply(dense, self._matrix, self._transposed)


def on_device(matrix: sparse.csr_matrix, device: torch.device | str) -> Tensor:
    """Return a sparse matrix as a tensor by rows, float32, on the device."""
    arrays = (matrix.indptr, matrix.indices, matrix.data.astype("float32"))
    ends, columns, values = (torch.from_numpy(array).to(device) for array in arrays)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(ends, columns, values, matrix.shape, check_invariants=False)
