"""Least squares by conjugate gradients, compiled; importing this file loads its machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from adapters.native.kernels.dot import ANY_ORDER, PLACES, TABLE, VECTOR, dot
from benchmark.jit import compiled

SOLVED = np.float32(1e-10)  # of the first gradient's squared length: what is left is rounding
TOGETHER = 4  # rows read at a time, so that what they are added to is read and written once

_SUM = types.float32[::1]


@compiled(types.void(TABLE, VECTOR, types.float32, _SUM), fastmath=ANY_ORDER)
def _multiply(shared: Any, vector: Any, penalty: Any, product: Any) -> None:
    """Set the product to ``(shared + penalty * 1) @ vector``; the matrix is symmetric."""
    n = len(vector)
    fours = n - n % TOGETHER
    for k in range(n):
        product[k] = penalty * vector[k]
    for i in range(0, fours, TOGETHER):
        a, b, c, d = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        for k in range(n):
            product[k] += (
                a * shared[i, k] + b * shared[i + 1, k] + c * shared[i + 2, k] + d * shared[i + 3, k]
            )
    for i in range(fours, n):
        for k in range(n):
            product[k] += vector[i] * shared[i, k]


@compiled(types.void(TABLE, types.int64, VECTOR, types.float32, _SUM), fastmath=ANY_ORDER)
def _gather(near: Any, n: Any, vector: Any, wanted: Any, total: Any) -> None:
    """Add to the total each of the first n rows of ``near`` times its ``dot product - wanted``."""
    fours = n - n % TOGETHER
    for i in range(0, fours, TOGETHER):
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


@compiled(types.void(TABLE, PLACES, types.int64, types.int64, types.float32[:, ::1]))
def _fetch(others: Any, liked: Any, start: Any, n: Any, near: Any) -> None:
    """Copy the n rows ``others[liked[start:start + n]]``, which lie anywhere, side by side."""
    for i in range(n):
        row = np.uint64(liked[start + i])
        for k in range(others.shape[1]):
            near[i, k] = others[row, k]


@compiled(
    types.void(types.float32[:, ::1], TABLE, types.UniTuple(PLACES, 2), TABLE, VECTOR, types.int64),
    fastmath=("contract",),
)
def improve(vectors: Any, others: Any, likes: Any, shared: Any, penalties: Any, rounds: Any) -> None:
    """Take rounds of conjugate gradients from each vector towards its least squares.

    Row u minimises ``sum over its likes (1 - x @ other)^2 + x @ shared @ x + penalties[u] * |x|^2``
    (Hestenes & Stiefel 1952; from where the last pass ended: Takács 2011, RecSys, section 4). As many
    rounds as a vector is long solve it, but for rounding.

    Args:
        vectors: (n, dim) float32, changed in place; a row without likes becomes zeros.
        others: (m, dim) float32.
        likes: (n + 1,) int32, where each row's likes start; (N,) int32, the rows of ``others`` they are.
        shared: (dim, dim) float32, symmetric.
        penalties: (n,) float32, above 0.
        rounds: from 1.
    """
    ends, liked = likes
    dim = vectors.shape[1]
    down, along, product = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32)
    near = np.empty((np.diff(ends).max(), dim), np.float32)
    for u in range(len(vectors)):
        x, n = vectors[u], np.int64(ends[u + 1] - ends[u])
        if n == 0:
            x[:] = 0
            continue
        _fetch(others, liked, np.int64(ends[u]), n, near)
        _multiply(shared, x, penalties[u], down)
        _gather(near, n, x, np.float32(1.0), down)
        for k in range(dim):
            down[k] = -down[k]
            along[k] = down[k]
        length = dot(down, down)
        solved = SOLVED * length
        for _ in range(rounds):
            if length <= solved:
                break
            _multiply(shared, along, penalties[u], product)
            _gather(near, n, along, np.float32(0.0), product)
            step = length / dot(along, product)
            for k in range(dim):
                x[k] += step * along[k]
                down[k] -= step * product[k]
            before, length = length, dot(down, down)
            turn = length / before
            for k in range(dim):
                along[k] = down[k] + turn * along[k]
