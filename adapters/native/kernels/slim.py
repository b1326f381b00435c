"""Coordinate descent for SLIM, compiled; importing this file loads its machine code, or makes it once."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmark.jit import compiled
from benchmark.modelkit.shared_rows import share
from benchmark.protocol import Array, Ids

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BLOCK = 4_000_000  # weights held densely at once
TOLERANCE = 1e-3  # largest change of a weight in the last sweep; 1e-4 moved NDCG@10 by under 0.0005
SWEEPS = 100

Penalties: TypeAlias = tuple[float, float]
SparseGram: TypeAlias = tuple[Array, Array, Array]
"""Ends (I + 1,) int64, columns int32 and values float32 of a Gram matrix by rows."""
GRAM = "Tuple((i8[::1], i4[::1], f4[::1]))"


def elastic_net(gram: Array | csr_matrix, penalties: Penalties, chosen: Ids, threads: int = 1) -> csr_matrix:
    """Return the weights (C, I) whose row c explains item ``chosen[c]`` by the others, none of them below 0.

    Of item j it minimises ``|x_j - X w|^2 / 2 + l2 |w|^2 / 2 + l1 |w|_1`` under ``w >= 0``, ``w_j = 0``
    (Ning & Karypis 2011, equation 4), by cyclic coordinate descent on the Gram matrix, over the weights
    that left 0 until they rest, then once over all (Friedman 2010, sections 2.2 and 2.6).

    Args:
        gram: (I, I) float32 by rows, ``X.T @ X``, no entry below 0; dense is quicker, sparse smaller where
            most pairs of items share no user. The weights are the same.
        penalties: l1, the weight of the sum of the weights; l2, the weight of half the sum of their squares.
        chosen: (C,) items to explain, each by itself.
        threads: how many work at once; no number depends on it.
    """
    from scipy.sparse import csr_matrix, vstack

    size = max(1, BLOCK // gram.shape[0])
    ends = list(pairwise([*range(0, len(chosen), size), len(chosen)]))
    blocks: dict[int, csr_matrix] = {}
    if isinstance(gram, np.ndarray):
        solve = partial(solve_columns, gram)
    else:
        stored = gram.indptr.astype(np.int64), gram.indices.astype(np.int32, copy=False), gram.data
        solve = partial(solve_sparse_columns, stored, gram.diagonal())

    def explain(first: int, last: int) -> None:
        blocks[first] = csr_matrix(solve(chosen[first:last], penalties))

    share(explain, ends, threads)
    return vstack([blocks[first] for first, _ in ends], format="csr")


@compiled("f4(f4[:,::1], f4[::1], i4[::1], UniTuple(f8, 2), f4[::1], f4[::1])")
def sweep(
    gram: Array, squares: Array, chosen: Array, penalties: Penalties, slope: Array, weights: Array
) -> float:
    """Set each of these weights to its best value, the others fixed; return the largest change.

    ``slope`` (I,) is ``gram[j] - gram @ weights`` and is kept so.
    """
    l1, l2 = penalties
    largest = np.float32(0.0)
    for i in chosen:
        old = weights[i]
        new = np.float32(max((slope[i] + squares[i] * old - l1) / (squares[i] + l2), 0.0))
        if new != old:
            weights[i] = new
            change = np.float32(new - old)
            row = gram[i]
            for k in range(len(row)):
                slope[k] -= change * row[k]
            largest = max(largest, abs(change))
    return float(largest)


@compiled("void(f4[:,::1], f4[::1], UniTuple(f8, 2), f4[::1], f4[::1])")
def converge(gram: Array, squares: Array, penalties: Penalties, slope: Array, weights: Array) -> None:
    """Sweep over the weights that left 0 until they rest, on their own small part of the Gram matrix."""
    active = np.flatnonzero(weights).astype(np.int32)
    part = np.empty((len(active), len(active)), dtype=np.float32)
    for k in range(len(active)):
        part[k] = gram[active[k]][active]
    chosen = np.arange(len(active)).astype(np.int32)
    near_slope, near_weights, near_squares = slope[active], weights[active], squares[active]
    for _ in range(SWEEPS):
        if sweep(part, near_squares, chosen, penalties, near_slope, near_weights) < TOLERANCE:
            break
    for k in range(len(active)):
        change = near_weights[k] - weights[active[k]]
        if change != 0:
            slope -= change * gram[active[k]]
            weights[active[k]] = near_weights[k]


@compiled("f4[:,::1](f4[:,::1], i4[::1], UniTuple(f8, 2))")
def solve_columns(gram: Array, chosen: Ids, penalties: Penalties) -> Array:
    """Return the weights that explain these items, one row each."""
    n = len(gram)
    squares = np.diag(gram).copy()
    weights = np.zeros((len(chosen), n), dtype=np.float32)
    for number in range(len(chosen)):
        j = chosen[number]
        slope, row = gram[j].copy(), weights[number]
        able = np.flatnonzero(slope > penalties[0]).astype(np.int32)  # as nothing is below 0, no others enter
        able = able[able != j]
        for _ in range(SWEEPS):
            if sweep(gram, squares, able, penalties, slope, row) < TOLERANCE:
                break
            converge(gram, squares, penalties, slope, row)
    return weights


@compiled(f"f4({GRAM}, f4[::1], i4[::1], UniTuple(f8, 2), f4[::1], f4[::1])")
def sparse_sweep(
    gram: SparseGram, squares: Array, chosen: Array, penalties: Penalties, slope: Array, weights: Array
) -> float:
    """Do what :func:`sweep` does, from the entries of the Gram matrix that are not 0."""
    ends, columns, overlaps = gram
    l1, l2 = penalties
    largest = np.float32(0.0)
    for i in chosen:
        old = weights[i]
        new = np.float32(max((slope[i] + squares[i] * old - l1) / (squares[i] + l2), 0.0))
        if new != old:
            weights[i] = new
            change = np.float32(new - old)
            for p in range(np.uint64(ends[i]), np.uint64(ends[i + 1])):
                slope[np.uint64(columns[p])] -= change * overlaps[p]
            largest = max(largest, abs(change))
    return float(largest)


@compiled(f"void({GRAM}, f4[::1], UniTuple(f8, 2), f4[::1], f4[::1], f4[::1])")
def sparse_converge(
    gram: SparseGram, squares: Array, penalties: Penalties, slope: Array, weights: Array, row: Array
) -> None:
    """Do what :func:`converge` does; ``row`` (I,) holds zeros before and after."""
    ends, columns, overlaps = gram
    active = np.flatnonzero(weights).astype(np.int32)
    part = np.empty((len(active), len(active)), dtype=np.float32)
    for k in range(len(active)):
        mine = slice(ends[active[k]], ends[active[k] + 1])
        row[columns[mine]] = overlaps[mine]
        part[k] = row[active]
        row[columns[mine]] = 0
    chosen = np.arange(len(active)).astype(np.int32)
    near_slope, near_weights, near_squares = slope[active], weights[active], squares[active]
    for _ in range(SWEEPS):
        if sweep(part, near_squares, chosen, penalties, near_slope, near_weights) < TOLERANCE:
            break
    for k in range(len(active)):
        change = near_weights[k] - weights[active[k]]
        if change != 0:
            for p in range(ends[active[k]], ends[active[k] + 1]):
                slope[columns[p]] -= change * overlaps[p]
            weights[active[k]] = near_weights[k]


@compiled(f"f4[:,::1]({GRAM}, f4[::1], i4[::1], UniTuple(f8, 2))")
def solve_sparse_columns(gram: SparseGram, squares: Array, chosen: Ids, penalties: Penalties) -> Array:
    """Return the weights that explain these items, one row each."""
    ends, columns, overlaps = gram
    n = len(squares)
    weights = np.zeros((len(chosen), n), dtype=np.float32)
    slope, zeros = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.float32)
    for number in range(len(chosen)):
        j = chosen[number]
        slope[:] = 0
        mine = slice(ends[j], ends[j + 1])
        slope[columns[mine]] = overlaps[mine]
        row = weights[number]
        able = np.flatnonzero(slope > penalties[0]).astype(np.int32)
        able = able[able != j]
        for _ in range(SWEEPS):
            if sparse_sweep(gram, squares, able, penalties, slope, row) < TOLERANCE:
                break
            sparse_converge(gram, squares, penalties, slope, row, zeros)
    return weights
