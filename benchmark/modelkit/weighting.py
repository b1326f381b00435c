"""Weights by frequency and length, for models that compare rows of a sparse matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.protocol import Array, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def idf(counts: Array, total: int) -> Values:
    """Return ``log(total / count)``, the inverse document frequency (Spärck Jones 1972); 0 for a count of 0.

    >>> idf(np.array([1, 2, 0]), 2).round(3).tolist()
    [0.693, 0.0, 0.0]
    """
    return np.where(counts > 0, np.log(total / np.maximum(counts, 1)), 0.0)


def inverse_power(counts: Array, exponent: float) -> Values:
    """Return ``count ** -exponent``, and 0 for a count of 0.

    >>> inverse_power(np.array([4, 0]), 0.5).tolist()
    [0.5, 0.0]
    """
    return np.where(counts > 0, np.maximum(counts, 1) ** -exponent, 0.0)


def row_norms(matrix: csr_matrix) -> Values:
    """Return the Euclidean length (n,) of each row.

    >>> from scipy.sparse import csr_matrix
    >>> row_norms(csr_matrix([[3.0, 4.0]])).tolist()
    [5.0]
    """
    return np.sqrt(np.asarray(matrix.power(2).sum(axis=1), dtype=np.float64).ravel())


def scale_rows_columns(matrix: csr_matrix, rows: Array, columns: Array) -> csr_matrix:
    """Return the matrix (n, m) with each entry times its row's (n,) and its column's (m,) factor, float32.

    >>> from scipy.sparse import csr_matrix
    >>> scale_rows_columns(csr_matrix([[1.0, 1.0]]), np.array([2.0]), np.array([3.0, 5.0])).toarray().tolist()
    [[6.0, 10.0]]
    """
    from scipy.sparse import csr_matrix

    factors = np.repeat(rows, np.diff(matrix.indptr)) * columns[matrix.indices]
    values = (matrix.data * factors).astype(np.float32)
    return csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
