"""Least squares with a weight and a target for each pair, compiled; importing it loads its machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from adapters.native.kernels.als import SOLVED, copy_rows, multiply_ridge
from adapters.native.kernels.dot import ANY_ORDER, IDS, TABLE, VECTOR, dot
from benchmark.jit import compiled

_SUM = types.float32[::1]


@compiled(types.void(TABLE, VECTOR, VECTOR, types.int64, _SUM), fastmath=ANY_ORDER)
def add_weighted_products(near: Any, vector: Any, weights: Any, n: Any, total: Any) -> None:
    """Add to the total each of the first n rows of ``near`` times its weight and its dot product."""
    for i in range(n):
        a = np.float32(0.0)
        for k in range(len(vector)):
            a += near[i, k] * vector[k]
        a *= weights[i]
        for k in range(len(vector)):
            total[k] += a * near[i, k]


@compiled(
    types.void(
        types.float32[:, ::1],
        TABLE,
        types.Tuple((IDS, IDS, VECTOR, VECTOR)),
        TABLE,
        VECTOR,
        types.UniTuple(types.int64, 3),
    ),
    fastmath=("contract",),
)
def weighted_cg_step(vectors: Any, others: Any, pairs: Any, shared: Any, penalties: Any, work: Any) -> None:
    """Take some rounds of conjugate gradients from each vector towards its least-squares solution.

    Row u minimises ``sum over its pairs weight * (target - x @ other)^2 + x @ shared @ x + penalties[u] *
    |x|^2`` (Hu 2008, equation 3). With ones everywhere it is :func:`~adapters.native.kernels.als.cg_step`.

    Args:
        vectors: (n, dim) float32, changed in place; a row without pairs becomes zeros.
        others: (m, dim) float32.
        pairs: (n + 1,) int32, where each row's pairs start; (N,) int32, their rows in ``others``; (N,)
            float32, their weights; (N,) float32, their targets.
        shared: (dim, dim) float32, symmetric.
        penalties: (n,) float32, above 0.
        work: the first row to improve, the one to stop before, and the rounds, from 1.
    """
    first, last, rounds = work
    ends, columns, weights, targets = pairs
    dim = vectors.shape[1]
    residual, direction = np.empty(dim, np.float32), np.empty(dim, np.float32)
    product = np.empty(dim, np.float32)
    near = np.empty((np.diff(ends[first : last + 1]).max(), dim), np.float32)
    for u in range(first, last):
        x, start, n = vectors[u], np.int64(ends[u]), np.int64(ends[u + 1] - ends[u])
        if n == 0:
            x[:] = 0
            continue
        own = weights[start : start + n]
        copy_rows(others, columns, start, n, near)
        multiply_ridge(shared, x, penalties[u], residual)
        add_weighted_products(near, x, own, n, residual)
        for i in range(n):
            pull = own[i] * targets[start + i]
            for k in range(dim):
                residual[k] -= pull * near[i, k]
        for k in range(dim):
            residual[k] = -residual[k]
            direction[k] = residual[k]
        squared = dot(residual, residual)
        solved = SOLVED * squared
        for _ in range(rounds):
            if squared <= solved:
                break
            multiply_ridge(shared, direction, penalties[u], product)
            add_weighted_products(near, direction, own, n, product)
            step = squared / dot(direction, product)
            for k in range(dim):
                x[k] += step * direction[k]
                residual[k] -= step * product[k]
            before, squared = squared, dot(residual, residual)
            beta = squared / before
            for k in range(dim):
                direction[k] = residual[k] + beta * direction[k]
