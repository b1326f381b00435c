"""The networks. Letters: U users, I items, B rows of a batch, K items of each, D dim, H hidden units."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, embedding, embedding_bag, normalize

from adapters.torch.training import dropout_mask, multinomial
from benchmark.protocol import Array, Features, Interactions

FLOOR = 1e-6  # the least likelihood (Xue 2017, equation 13)
INITIAL = 0.01  # standard deviation of initial vectors where no paper says otherwise
CHUNK = 1 << 20  # numbers of one hidden layer that exist at a time while scoring: 4 MB stay in the cache


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
        item_half = self.item_half(items)  # (I, H)
        halves = self.user_half(users).split(max(1, CHUNK // item_half.numel()))
        return torch.cat([self._upper(half[:, None] + item_half) for half in halves])

    def _upper(self, first: Tensor) -> Tensor:  # (..., H) -> (...)
        x = first.relu()
        for layer in self.hidden:
            x = layer(x).relu()
        return self.output(x)[..., 0]


class NeuMF(nn.Module):
    """NeuMF: generalised matrix factorisation beside a perceptron (He 2017, arXiv:1708.05031).

    Two departures from the paper make it fast and change no result it can reach: both embeddings of a
    user (or item) lie in one table, and the perceptron's first layer is split in halves. An item bias
    stands for popularity, which the paper's pre-training leaves to the embeddings.
    """

    def __init__(self, n_users: int, n_items: int, dim: int, layers: int) -> None:
        super().__init__()
        self.users = nn.Embedding(n_users, 2 * dim)  # GMF part, then MLP part
        self.items = nn.Embedding(n_items, 2 * dim)
        self.item_bias = nn.Embedding(n_items, 1)
        self.gmf = nn.Parameter(torch.ones(dim))
        self.tower = PairTower(dim, layers)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.01)  # section 4.1
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, users: Tensor, items: Tensor, keep: Tensor) -> Tensor:
        """Return the logits (B, K) of K items for each user; ``keep`` (B, 2D) is the users' dropout mask."""
        user_gmf, user_mlp = (self.users(users) * keep).chunk(2, dim=-1)  # (B, D) each
        item_gmf, item_mlp = self.items(items).chunk(2, dim=-1)  # (B, K, D) each
        product = torch.bmm(item_gmf, (user_gmf * self.gmf)[:, :, None])[:, :, 0]
        return product + self.tower(user_mlp, item_mlp) + self.item_bias(items)[:, :, 0]

    def score(self, users: Tensor) -> Tensor:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items."""
        user_gmf, user_mlp = self.users(users).chunk(2, dim=-1)
        item_gmf, item_mlp = self.items.weight.chunk(2, dim=-1)
        product = (user_gmf * self.gmf) @ item_gmf.T
        return product + self.tower.all_pairs(user_mlp, item_mlp) + self.item_bias.weight.T


class BiasedFactors(nn.Module):
    """Biased matrix factorisation (Koren 2009, doi:10.1109/MC.2009.263, equation 4)."""

    def __init__(self, n_users: int, n_items: int, dim: int, mean: float) -> None:
        super().__init__()
        self.users = nn.Embedding(n_users, dim + 1)  # the last column is the bias
        self.items = nn.Embedding(n_items, dim + 1)
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


def on_device(matrix: sparse.csr_matrix, device: torch.device | str) -> Tensor:
    """Return a sparse matrix as a tensor by rows, float32, on the device."""
    arrays = (matrix.indptr, matrix.indices, matrix.data.astype("float32"))
    ends, columns, values = (torch.from_numpy(array).to(device) for array in arrays)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(ends, columns, values, matrix.shape, check_invariants=False)


class _SparseProduct(torch.autograd.Function):
    """A constant sparse matrix times a dense one; the transpose comes along, for the gradient."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.transposed @ slope[0].contiguous(), None, None


class SparseMatrix:
    """A constant sparse matrix (n, m), to be multiplied by dense ones that learn."""

    def __init__(self, matrix: sparse.csr_matrix, device: torch.device | str) -> None:
        self._matrix = on_device(matrix, device)
        self._transposed = on_device(matrix.T.tocsr(), device)

    def __matmul__(self, dense: Tensor) -> Tensor:  # (m, D) -> (n, D)
        return _SparseProduct.apply(dense, self._matrix, self._transposed)


def normalised_adjacency(likes: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the graph of users and items (U + I, U + I), each edge over the root of both degrees.

    He 2020, equation 8; ``likes`` is (U, I).
    """
    users, items = likes.nonzero()
    values = 1.0 / np.sqrt(np.bincount(users)[users] * np.bincount(items)[items])
    edges = sparse.csr_matrix((values.astype(np.float32), (users, items)), shape=likes.shape)
    blocks: Any = [[None, edges], [edges.T, None]]
    graph: sparse.csr_matrix = sparse.bmat(blocks, format="csr", dtype=np.float32)
    return graph


class LightGCN(nn.Module):
    """Vectors that are averages over neighbourhoods in the graph of likes (He 2020, arXiv:2002.02126)."""

    def __init__(self, likes: sparse.csr_matrix, dim: int, layers: int, device: torch.device | str) -> None:
        super().__init__()
        self.n_users, self.layers = likes.shape[0], layers
        self.own = nn.Parameter(torch.empty(sum(likes.shape), dim))
        nn.init.normal_(self.own, std=0.1)
        self._graph = SparseMatrix(normalised_adjacency(likes), device)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of all users (U, D) and items (I, D): the mean over the layers (equation 4)."""
        near = total = self.own
        for _ in range(self.layers):
            near = self._graph @ near
            total = total + near
        mean = total / (self.layers + 1)
        return mean[: self.n_users], mean[self.n_users :]


class MultVAE(nn.Module):
    """A variational autoencoder of histories with a multinomial likelihood (Liang 2018, arXiv:1802.05814).

    The biases of the last layer start from the log of the items' popularity ``log_counts`` (I,), which
    they would first have to learn.
    """

    def __init__(self, log_counts: Array, dim: int, hidden: int) -> None:
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

    def encode(self, likes: tuple[Tensor, Tensor, Tensor], keep: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (B, D) of the posterior.

        Args:
            likes: counts (B,), places in the batch (n,), items (n,).
            keep: (n,) dropout mask of the input, which is the history divided by its length (Liang's code).
        """
        counts, rows, items = likes
        weights = keep / counts.clamp(min=1).to(keep.dtype).sqrt()[rows]
        starts = counts.cumsum(0) - counts
        summed = embedding_bag(items, self.items, starts, mode="sum", per_sample_weights=weights)
        mean, log_variance = self.latent(torch.tanh(summed + self.items_bias)).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:  # (B, D) -> (B, I)
        """Return the logits of all items."""
        return self.output(torch.tanh(self.hidden(z)))

    def loss(
        self, likes: tuple[Tensor, Tensor, Tensor], dropout: float, beta: float, generator: torch.Generator
    ) -> Tensor:
        """Return minus the mean evidence lower bound of the histories (equation 8), a scalar."""
        mean, log_variance = self.encode(likes, dropout_mask(likes[1].shape, dropout, generator))
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        logits = self.decode(mean + noise * torch.exp(0.5 * log_variance))
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1.0 - log_variance).sum()
        return (multinomial(logits, likes) + beta * divergence) / len(mean)


class DeepFactors(nn.Module):
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
            items: (B, 1 + negatives), the like first.
            shares: (B,) each like's rating over the highest rating; a negative's is 0.
        """
        of_users, of_items = self()
        cosines = torch.bmm(embedding(items, of_items), embedding(users, of_users)[:, :, None])[:, :, 0]
        likely = cosines.clamp(FLOOR, 1.0 - FLOOR)  # equation 13; the upper end keeps log(1 - x) finite
        target = torch.zeros_like(likely)
        target[:, 0] = shares
        return binary_cross_entropy(likely, target)


class Side(nn.Module):
    """What a factorisation machine knows of users, or of items: a vector for each id and each feature.

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


class FactorisationMachine(nn.Module):
    """A factorisation machine over the fields of a user and an item (Rendle 2010, ICDM).

    The products of a user's fields with an item's are one dot product of two sums; those within a side
    are a bias. DeepFM (Guo 2017, arXiv:1703.04247) adds a perceptron over the same vectors.
    """

    def __init__(self, train: Interactions, dim: int, layers: int, device: torch.device | str) -> None:
        super().__init__()
        seen_users, seen_items = (
            torch.from_numpy(np.bincount(ids, minlength=n) > 0)
            for ids, n in ((train.users, train.n_users), (train.items, train.n_items))
        )
        self.users = Side(seen_users, train.user_features, dim, device)
        self.items = Side(seen_items, train.item_features, dim, device)
        self.tower = PairTower(2 * dim, layers) if layers else None

    def tables(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what ranks: users (U, D + 1) and items (I, D + 1), fields of users and items (n, 2D).

        The last column is one for users, the bias for items. The bias of a user is left out: it changes
        no ranking, and no softmax over items.
        """
        (users, _, user_fields), (items, bias, item_fields) = self.users(), self.items()
        of_users = torch.cat([users, torch.ones_like(users[:, :1])], dim=1)
        return of_users, torch.cat([items, bias[:, None]], dim=1), user_fields, item_fields

    def forward(self, users: Tensor, items: Tensor, keep: Tensor) -> Tensor:
        """Return the logits (B, K) of K items for each user; ``keep`` (B, 2D) is the users' dropout mask."""
        assert self.tower is not None
        (of_users, user_bias, user_fields), (of_items, item_bias, item_fields) = self.users(), self.items()
        products = torch.bmm(embedding(items, of_items), embedding(users, of_users)[:, :, None])[:, :, 0]
        biases = embedding(items, item_bias[:, None])[:, :, 0] + user_bias[users][:, None]
        deep = self.tower(embedding(users, user_fields) * keep, embedding(items, item_fields))
        return products + biases + deep


class DeepPairs(nn.Module):
    """What a trained DeepFM serves with: its tables, computed once, and its perceptron."""

    def __init__(self, tables: Sequence[Tensor], tower: PairTower) -> None:
        super().__init__()
        names = ("users", "items", "deep_users", "deep_items")
        for name, table in zip(names, tables, strict=True):
            self.register_buffer(name, table)
        self.tower = tower

    def score(self, users: Tensor) -> Tensor:  # (B,) -> (B, I)
        """Return the logits (B, I) of all items, up to a constant for each user."""
        deep = self.tower.all_pairs(self.deep_users[users], self.deep_items)
        return self.users[users] @ self.items.T + deep


def deep_pairs(machine: FactorisationMachine) -> DeepPairs:
    """Return what serves a DeepFM as it stands; it shares the perceptron."""
    assert machine.tower is not None
    with torch.no_grad():
        return DeepPairs(machine.tables(), machine.tower)


def empty_deep_pairs(shapes: Sequence[tuple[int, ...]], layers: int) -> DeepPairs:
    """Return one without content, tables of these four shapes, for weights to be loaded into."""
    return DeepPairs([torch.empty(shape) for shape in shapes], PairTower(shapes[-1][1], layers))
