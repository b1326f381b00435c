"""Least squares by conjugate gradients, compiled; importing this file loads its machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from adapters.native.kernels.dot import ANY_ORDER, IDS, TABLE, VECTOR, dot
from benchmark.jit import compiled

SOLVED = np.float32(1e-10)  # share of the first gradient's squared length below which only rounding is left
UNROLL = 4  # rows read at a time, so that what they are added to is read and written once

_SUM = types.float32[::1]


@compiled(types.void(TABLE, VECTOR, types.float32, _SUM), fastmath=ANY_ORDER)
def multiply_ridge(shared: Any, vector: Any, penalty: Any, product: Any) -> None:
    """Set the product to ``(shared + penalty * 1) @ vector``; the matrix is symmetric."""
    n = len(vector)
    fours = n - n % UNROLL
    for k in range(n):
        product[k] = penalty * vector[k]
    for i in range(0, fours, UNROLL):
        a, b, c, d = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        for k in range(n):
            product[k] += (
                a * shared[i, k] + b * shared[i + 1, k] + c * shared[i + 2, k] + d * shared[i + 3, k]
            )
    for i in range(fours, n):
        for k in range(n):
            product[k] += vector[i] * shared[i, k]


@compiled(types.void(TABLE, types.int64, VECTOR, types.float32, _SUM), fastmath=ANY_ORDER)
def add_residuals(near: Any, n: Any, vector: Any, wanted: Any, total: Any) -> None:
    """Add to the total each of the first n rows of ``near`` times its ``dot product - wanted``."""
    fours = n - n % UNROLL
    for i in range(0, fours, UNROLL):
        a = b = c = d = -wanted
        for k in range(len(vector)):
            a += near[i, k] * vector[k]
            b += near[i + 1, k] * vector[k]
            c += near[i + 2, k] * vector[k]
            d += near[i + 3, k] * vector[k]
        for k in range(len(vector)):
            total[k] += a * near[i, k] + b * near[i + 1, k] + c * near[i + 2, k] + d * near[i + 3, k]
    for i in range(fours, n):
        a = -wanted
        for k in range(len(vector)):
            a += near[i, k] * vector[k]
        for k in range(len(vector)):
            total[k] += a * near[i, k]


@compiled(types.void(TABLE, IDS, types.int64, types.int64, types.float32[:, ::1]))
def copy_rows(others: Any, columns: Any, start: Any, n: Any, near: Any) -> None:
    """Copy the n rows ``others[columns[start:start + n]]``, which lie anywhere, side by side."""
    for i in range(n):
        row = np.uint64(columns[start + i])
        for k in range(others.shape[1]):
            near[i, k] = others[row, k]


@compiled(
    types.void(
        types.float32[:, ::1],
        TABLE,
        types.UniTuple(IDS, 2),
        TABLE,
        VECTOR,
        types.UniTuple(types.int64, 3),
    ),
    fastmath=("contract",),
)
def cg_step(vectors: Any, others: Any, positives: Any, shared: Any, penalties: Any, work: Any) -> None:
    """Take some rounds of conjugate gradients from each vector towards its least-squares solution.

    Row u minimises ``sum over its positives (1 - x @ other)^2 + x @ shared @ x + penalties[u] * |x|^2``
    (Hestenes & Stiefel 1952; from where the last pass ended: Takács 2011, RecSys, section 4). As many
    rounds as a vector is long solve it, up to rounding.

    Args:
        vectors: (n, dim) float32, changed in place; a row without positives becomes zeros.
        others: (m, dim) float32.
        positives: (n + 1,) int32, where each row's positives start; (N,) int32, their rows in ``others``.
        shared: (dim, dim) float32, symmetric.
        penalties: (n,) float32, above 0.
        work: the first row to improve, the one to stop before, and the rounds, from 1.
    """
    first, last, rounds = work
    ends, columns = positives
    dim = vectors.shape[1]
    residual, direction = np.empty(dim, np.float32), np.empty(dim, np.float32)
    product = np.empty(dim, np.float32)
    near = np.empty((np.diff(ends[first : last + 1]).max(), dim), np.float32)
    for u in range(first, last):
        x, n = vectors[u], np.int64(ends[u + 1] - ends[u])
        if n == 0:
            x[:] = 0
            continue
        # The first residual: minus the gradient at the vector as it is.
        copy_rows(others, columns, np.int64(ends[u]), n, near)
        multiply_ridge(shared, x, penalties[u], residual)
        add_residuals(near, n, x, np.float32(1.0), residual)
        for k in range(dim):
            residual[k] = -residual[k]
            direction[k] = residual[k]
        # Each step is the best one along its direction, and undoes nothing of those before.
        squared = dot(residual, residual)
        solved = SOLVED * squared
        for _ in range(rounds):
            if squared <= solved:
                break
            multiply_ridge(shared, direction, penalties[u], product)
            add_residuals(near, n, direction, np.float32(0.0), product)
            step = squared / dot(direction, product)
            for k in range(dim):
                x[k] += step * direction[k]
                residual[k] -= step * product[k]
            before, squared = squared, dot(residual, residual)
            beta = squared / before
            for k in range(dim):
                direction[k] = residual[k] + beta * direction[k]
