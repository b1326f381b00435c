"""Least squares by conjugate gradients, compiled; importing this file loads its machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from adapters.torch.vectors import ANY_ORDER, PLACES, TABLE, VECTOR, dot
from benchmark.compiled import compiled

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


@compiled(
    types.void(TABLE, PLACES, types.UniTuple(types.int64, 2), VECTOR, types.float32, _SUM), fastmath=ANY_ORDER
)
def _gather(others: Any, liked: Any, mine: Any, vector: Any, wanted: Any, total: Any) -> None:
    """Add to the total each vector of ``liked[mine[0]:mine[1]]`` times ``dot product - wanted``."""
    start, end = mine
    fours = end - (end - start) % TOGETHER
    for place in range(start, fours, TOGETHER):
        i, j = np.uint64(liked[place]), np.uint64(liked[place + 1])
        m, n = np.uint64(liked[place + 2]), np.uint64(liked[place + 3])
        a = b = c = d = -wanted
        for k in range(len(vector)):
            a += others[i, k] * vector[k]
            b += others[j, k] * vector[k]
            c += others[m, k] * vector[k]
            d += others[n, k] * vector[k]
        for k in range(len(vector)):
            total[k] += a * others[i, k] + b * others[j, k] + c * others[m, k] + d * others[n, k]
    for place in range(fours, end):
        i, a = np.uint64(liked[place]), -wanted
        for k in range(len(vector)):
            a += others[i, k] * vector[k]
        for k in range(len(vector)):
            total[k] += a * others[i, k]


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
    for u in range(len(vectors)):
        x, mine = vectors[u], (np.int64(ends[u]), np.int64(ends[u + 1]))
        if mine[0] == mine[1]:
            x[:] = 0
            continue
        _multiply(shared, x, penalties[u], down)
        _gather(others, liked, mine, x, np.float32(1.0), down)
        for k in range(dim):
            down[k] = -down[k]
            along[k] = down[k]
        length = dot(down, down)
        solved = SOLVED * length
        for _ in range(rounds):
            if length <= solved:
                break
            _multiply(shared, along, penalties[u], product)
            _gather(others, liked, mine, along, np.float32(0.0), product)
            step = length / dot(along, product)
            for k in range(dim):
                x[k] += step * along[k]
                down[k] -= step * product[k]
            before, length = length, dot(down, down)
            turn = length / before
            for k in range(dim):
                along[k] = down[k] + turn * along[k]
