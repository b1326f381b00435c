"""Sparse matrices as named arrays, and back: whatever is stored is checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from benchmark.protocol import Array, Ids

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def pack(name: str, matrix: csr_matrix) -> dict[str, Array]:
    """Return the arrays of a sparse matrix; each of their names starts with ``name``.

    >>> from scipy.sparse import csr_matrix
    >>> sorted(pack("history", csr_matrix(np.eye(2, dtype=np.float32))))
    ['history.columns', 'history.ends', 'history.shape', 'history.values']
    """
    return {
        f"{name}.values": matrix.data,
        f"{name}.columns": matrix.indices,
        f"{name}.ends": matrix.indptr,
        f"{name}.shape": np.array(matrix.shape, dtype=np.int64),
    }


def unpack(name: str, state: Mapping[str, Array]) -> csr_matrix:
    """Return the sparse matrix that :func:`pack` took apart.

    Raises:
        ValueError: the arrays make no matrix.

    >>> from scipy.sparse import csr_matrix
    >>> unpack("history", pack("history", csr_matrix(np.eye(2)))).toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    values, columns, ends, shape = (
        state[f"{name}.{part}"] for part in ("values", "columns", "ends", "shape")
    )
    return checked_matrix(values, columns, ends, (int(shape[0]), int(shape[1])))


def pack_histories(matrix: csr_matrix, prefix: str = "") -> dict[str, Array]:
    """Return the two index arrays of a matrix of ones (U, I): what each user's history holds."""
    return {f"{prefix}items": matrix.indices, f"{prefix}ends": matrix.indptr}


def unpack_histories(state: Mapping[str, Array], n_items: int, prefix: str = "") -> csr_matrix:
    """Return the matrix of ones (U, I) that :func:`pack_histories` took apart.

    Raises:
        ValueError: the arrays make no matrix.
    """
    return history_matrix(state[f"{prefix}items"], state[f"{prefix}ends"], n_items)


def history_matrix(items: Ids, ends: Array, n_items: int) -> csr_matrix:
    """Return ones (U, I) at the items of one user after another, those of user u up to ``ends[u + 1]``.

    Raises:
        ValueError: the arrays make no matrix.

    >>> history_matrix(np.array([2, 0, 1]), np.array([0, 1, 3]), 3).toarray().tolist()
    [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    return checked_matrix(np.ones(len(items), dtype=np.float32), items, ends, (len(ends) - 1, n_items))


def checked_matrix(values: Array, columns: Array, ends: Array, shape: tuple[int, int]) -> csr_matrix:
    """Return the sparse matrix that these arrays make.

    Raises:
        ValueError: they make none; an index out of bounds would read foreign memory.
    """
    from scipy.sparse import csr_matrix

    matrix = csr_matrix((values, columns, ends), shape=shape)
    matrix.check_format(full_check=True)
    return matrix
