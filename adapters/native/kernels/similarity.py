"""Products of sparse matrices, compiled; importing this file loads their machine code, or makes it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmark.jit import compiled
from benchmark.modelkit.threads import over_rows
from benchmark.protocol import Array

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Sparse: TypeAlias = tuple[Array, Array, Array]
"""Ends (n + 1,), columns and values of a matrix by rows."""
SPARSE = "Tuple((i4[::1], i4[::1], f4[::1]))"


def top_similar(
    left: csr_matrix,
    right: csr_matrix,
    scales: tuple[Array, Array],
    shrinkage: float,
    neighbours: int,
    threads: int = 1,
) -> csr_matrix:
    """Return each row's largest similarities (n, n), at most ``neighbours`` a row, none to itself.

    The similarity of i and j is ``(left @ right)[i, j] / (scales[0][i] * scales[1][j] + shrinkage)``. No
    row of the product outlives its turn, so memory is n x ``neighbours``; threads share the rows.

    Args:
        left: (n, m), no entry below 0.
        right: (m, n), no entry below 0.
        scales: of the rows (n,) and of the columns (n,).
        shrinkage: draws similarities with little support towards 0.
        neighbours: entries kept a row.
        threads: how many work at once; no number depends on it.
    """
    from scipy.sparse import csr_matrix

    n = left.shape[0]
    kept = min(neighbours, n)
    of_rows, of_columns = (np.array(scale, dtype=np.float32) for scale in scales)
    found, values = np.zeros((n, kept), dtype=np.int32), np.zeros((n, kept), dtype=np.float32)
    one, other = writable(left), writable(right)
    over_rows(
        lambda first, last: fill_heaps(
            one, other, (of_rows, of_columns), shrinkage, (found, values), (first, last)
        ),
        one[0],
        threads,
    )
    ends = np.arange(n + 1, dtype=np.int32) * np.int32(kept)
    matrix = csr_matrix((values.ravel(), found.ravel(), ends), shape=(n, n))
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def writable(matrix: csr_matrix) -> Sparse:
    """Return ends, columns and values as copies: compiled code wants them writable and of these types."""
    columns = matrix.indices.astype(np.int32)
    return matrix.indptr.astype(np.int32), columns, matrix.data.astype(np.float32)


@compiled("void(f4[::1], i4[::1], f4, i4)")
def replace_least(values: Array, found: Array, value: float, column: int) -> None:
    """Replace the smallest pair of a heap, whose smallest comes first."""
    n = len(values)
    node, child = 0, 1
    while child < n:
        if child + 1 < n and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[node], found[node] = values[child], found[child]
        node, child = child, 2 * child + 1
    values[node], found[node] = value, column


@compiled(
    f"void({SPARSE}, {SPARSE}, UniTuple(f4[::1], 2), f8, Tuple((i4[:,::1], f4[:,::1])), UniTuple(i8, 2))"
)
def fill_heaps(
    left: Sparse,
    right: Sparse,
    scales: tuple[Array, Array],
    shrinkage: float,
    heaps: tuple[Array, Array],
    rows: tuple[int, int],
) -> None:
    """Write columns and values (n, kept) of the largest similarities of rows from..to, as heaps of zeros."""
    ends, middles, factors = left
    found, values = heaps
    n = len(ends) - 1
    row = np.empty(n, dtype=np.float32)
    owner = np.full(n, -1, dtype=np.int32)  # the row that last touched a column: no row is cleared as a whole
    touched = np.empty(n, dtype=np.int32)
    for i in range(rows[0], rows[1]):
        count = 0
        for p in range(ends[i], ends[i + 1]):
            m, factor = middles[p], factors[p]
            for q in range(right[0][m], right[0][m + 1]):
                j = right[1][q]
                if owner[j] != i:
                    owner[j], row[j], touched[count] = i, 0.0, j
                    count += 1
                row[j] += factor * right[2][q]
        for j in touched[:count]:
            scale = scales[0][i] * scales[1][j] + shrinkage
            if row[j] > values[i, 0] * scale and j != i:
                replace_least(values[i], found[i], row[j] / scale, j)
