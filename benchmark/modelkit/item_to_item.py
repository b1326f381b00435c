"""What item-to-item and user-to-user models share: sparse matrices as named arrays, and scores from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.protocol import Array, Ids, Scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class ItemToItem:
    """Scores are a user's history times sparse weights (I, I): ``history @ weights``."""

    _history: csr_matrix
    _weights: csr_matrix

    def score(self, users: Ids) -> Scores:
        """Return the summed weights (B, I) from the items of each user's history."""
        scores: Scores = (self._history[users] @ self._weights).toarray()
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed weights (I,) from the items of a new user's history."""
        scores: Scores = np.asarray(self._weights[items].sum(axis=0), dtype=np.float32).ravel()
        return scores

    def state(self) -> dict[str, Array]:
        """Return histories (U, I) and weights (I, I) as the arrays of sparse matrices."""
        return packed("history", self._history) | packed("weights", self._weights)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back histories and weights."""
        self._history, self._weights = unpacked("history", state), unpacked("weights", state)


def packed(name: str, matrix: csr_matrix) -> dict[str, Array]:
    """Return the arrays of a sparse matrix, their names led by ``name``.

    >>> from scipy.sparse import csr_matrix
    >>> sorted(packed("history", csr_matrix(np.eye(2, dtype=np.float32))))
    ['history.columns', 'history.ends', 'history.shape', 'history.values']
    """
    return {
        f"{name}.values": matrix.data,
        f"{name}.columns": matrix.indices,
        f"{name}.ends": matrix.indptr,
        f"{name}.shape": np.array(matrix.shape, dtype=np.int64),
    }


def unpacked(name: str, state: dict[str, Array]) -> csr_matrix:
    """Return the sparse matrix that :func:`packed` took apart.

    Raises:
        ValueError: the arrays make no matrix; an index out of bounds would read foreign memory.

    >>> from scipy.sparse import csr_matrix
    >>> unpacked("history", packed("history", csr_matrix(np.eye(2)))).toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    from scipy.sparse import csr_matrix

    arrays = (state[f"{name}.values"], state[f"{name}.columns"], state[f"{name}.ends"])
    rows, columns = (int(size) for size in state[f"{name}.shape"])
    matrix = csr_matrix(arrays, shape=(rows, columns))
    matrix.check_format(full_check=True)
    return matrix


def histories(items: Ids, ends: Array, n_items: int) -> csr_matrix:
    """Return ones (U, I) at the items of one user after another, those of user u up to ``ends[u + 1]``.

    Raises:
        ValueError: the arrays make no matrix; an index out of bounds would read foreign memory.

    >>> histories(np.array([2, 0, 1]), np.array([0, 1, 3]), 3).toarray().tolist()
    [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    from scipy.sparse import csr_matrix

    ones = np.ones(len(items), dtype=np.float32)
    matrix = csr_matrix((ones, items, ends), shape=(len(ends) - 1, n_items))
    matrix.check_format(full_check=True)
    return matrix


def rescaled(matrix: csr_matrix, rows: Array, columns: Array) -> csr_matrix:
    """Return the matrix (n, m) with each entry times its row's (n,) and its column's (m,) factor, float32.

    >>> from scipy.sparse import csr_matrix
    >>> rescaled(csr_matrix([[1.0, 1.0]]), np.array([2.0]), np.array([3.0, 5.0])).toarray().tolist()
    [[6.0, 10.0]]
    """
    from scipy.sparse import csr_matrix

    factors = np.repeat(rows, np.diff(matrix.indptr)) * columns[matrix.indices]
    values = (matrix.data * factors).astype(np.float32)
    return csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def rarity(counts: Array, total: int) -> Array:
    """Return ``log(total / count)``, the inverse document frequency (Spärck Jones 1972); 0 where unused.

    >>> rarity(np.array([1, 2, 0]), 2).round(3).tolist()
    [0.693, 0.0, 0.0]
    """
    return np.where(counts > 0, np.log(total / np.maximum(counts, 1)), 0.0)


def negative_power(counts: Array, exponent: float) -> Array:
    """Return ``count ** -exponent``, and 0 for a count of 0.

    >>> negative_power(np.array([4, 0]), 0.5).tolist()
    [0.5, 0.0]
    """
    return np.where(counts > 0, np.maximum(counts, 1) ** -exponent, 0.0)


def lengths(matrix: csr_matrix) -> Array:
    """Return the Euclidean length (n,) of each row.

    >>> from scipy.sparse import csr_matrix
    >>> lengths(csr_matrix([[3.0, 4.0]])).tolist()
    [5.0]
    """
    return np.sqrt(np.asarray(matrix.power(2).sum(axis=1), dtype=np.float64).ravel())
