"""Products of sparse matrices, compiled; importing this file loads their machine code, or makes it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmark.jit import compiled
from benchmark.modelkit.shared_rows import over_rows
from benchmark.protocol import Array

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from benchmark.modelkit.likeness import Denominator

Sparse: TypeAlias = tuple[Array, Array, Array]
"""Ends (n + 1,), columns and values of a matrix by rows."""
SPARSE = "Tuple((i4[::1], i4[::1], f4[::1]))"


def top_similar(
    left: csr_matrix,
    right: csr_matrix,
    denominator: Denominator,
    neighbours: int,
    threads: int = 1,
) -> csr_matrix:
    """Return each row's largest similarities (n, n), at most ``neighbours`` a row, none to itself.

    The similarity of i and j is ``(left @ right)[i, j]`` over the denominator of that pair. No row of the
    product outlives its turn, so memory is n x ``neighbours``; threads share the rows.

    Args:
        left: (n, m), no entry below 0.
        right: (m, n), no entry below 0.
        denominator: for n rows and n columns.
        neighbours: entries kept a row.
        threads: how many work at once; no number depends on it.
    """
    from scipy.sparse import csr_matrix

    n = left.shape[0]
    kept = min(neighbours, n)
    of_rows, of_columns = (np.array(one, np.float32) for one in (denominator.rows, denominator.columns))
    is_product, overlap = denominator.overlap is None, denominator.overlap or 0.0
    found, values = np.zeros((n, kept), dtype=np.int32), np.zeros((n, kept), dtype=np.float32)
    one, other = writable(left), writable(right)
    over_rows(
        lambda first, last: fill_heaps(
            one,
            other,
            (of_rows, of_columns),
            (is_product, overlap, denominator.shrinkage),
            (found, values),
            (first, last),
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
def replace_least(values: Array, found: Array, value: float, column: np.int32) -> None:
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
    f"void({SPARSE}, {SPARSE}, UniTuple(f4[::1], 2), Tuple((b1, f8, f8)), Tuple((i4[:,::1], f4[:,::1])), "
    "UniTuple(i8, 2))"
)
def fill_heaps(
    left: Sparse,
    right: Sparse,
    scales: tuple[Array, Array],
    form: tuple[bool, float, float],
    heaps: tuple[Array, Array],
    rows: tuple[int, int],
) -> None:
    """Write columns and values (n, kept) of the largest similarities of rows from..to, as heaps of zeros.

    The form of the denominator: whether scales are multiplied, else how often the overlap is added to their
    sum; and the shrinkage.
    """
    ends, middles, factors = left
    starts, columns, others = right
    found, values = heaps
    is_product, overlap, shrinkage = form
    n = len(ends) - 1
    row = np.zeros(n, dtype=np.float32)  # zeros between two turns
    touched = np.empty(n + 1, dtype=np.uint32)
    # Numbers without a sign: of others it is asked at each use whether they count from the end.
    for i in range(rows[0], rows[1]):
        count = np.uint64(0)
        for p in range(np.uint64(ends[i]), np.uint64(ends[i + 1])):
            m, factor = np.uint64(middles[p]), factors[p]
            for q in range(np.uint64(starts[m]), np.uint64(starts[m + np.uint64(1)])):
                j, more = np.uint64(columns[q]), factor * others[q]
                before = row[j]
                row[j] = before + more
                # Whether a column is new is as good as chance: counted without a branch.
                touched[count] = np.uint32(j)
                count += np.uint64((before == 0) & (more > 0))
        least = values[i, 0]
        for c in range(count):
            j = np.uint64(touched[c])
            total, row[j] = row[j], 0
            if is_product:
                scale = scales[0][i] * scales[1][j] + shrinkage
            else:
                scale = scales[0][i] + scales[1][j] + overlap * total + shrinkage
            if total > least * scale and j != i:
                replace_least(values[i], found[i], total / scale, np.int32(j))
                least = values[i, 0]
