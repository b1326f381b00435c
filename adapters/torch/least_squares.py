"""Least squares by conjugate gradients, compiled; importing this file loads its machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from adapters.torch.vectors import VECTOR, dot
from benchmark.compiled import compiled

SOLVED = np.float32(1e-10)  # of the first gradient's squared length: what is left is rounding

_TABLE = types.Array(types.float32, 2, "C", readonly=True)
_PLACES = types.Array(types.int32, 1, "C", readonly=True)

_ANY_ORDER = ("reassoc", "contract", "nsz")


@compiled(types.void(_TABLE, VECTOR, types.float32, types.float32[::1]), fastmath=_ANY_ORDER)
def _multiply(shared: Any, vector: Any, penalty: Any, product: Any) -> None:
    """Set the product to ``(shared + penalty * 1) @ vector``; the matrix is symmetric."""
    for k in range(len(vector)):
        product[k] = penalty * vector[k]
    for i in range(len(vector)):
        weight = vector[i]
        row = shared[i]
        for k in range(len(vector)):
            product[k] += weight * row[k]


@compiled(types.void(_TABLE, _PLACES, VECTOR, types.float32, types.float32[::1]), fastmath=_ANY_ORDER)
def _gather(others: Any, liked: Any, vector: Any, wanted: Any, total: Any) -> None:
    """Add to the total each liked vector times ``dot product - wanted``."""
    for j in liked:
        other = others[j]
        weight = -wanted
        for k in range(len(vector)):
            weight += other[k] * vector[k]
        for k in range(len(vector)):
            total[k] += weight * other[k]


@compiled(
    types.void(types.float32[:, ::1], _TABLE, types.UniTuple(_PLACES, 2), _TABLE, VECTOR, types.int64),
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
        x, mine = vectors[u], liked[ends[u] : ends[u + 1]]
        if len(mine) == 0:
            x[:] = 0
            continue
        _multiply(shared, x, penalties[u], down)
        _gather(others, mine, x, np.float32(1.0), down)
        for k in range(dim):
            down[k] = -down[k]
            along[k] = down[k]
        length = dot(down, down)
        solved = SOLVED * length
        for _ in range(rounds):
            if length <= solved:
                break
            _multiply(shared, along, penalties[u], product)
            _gather(others, mine, along, np.float32(0.0), product)
            step = length / dot(along, product)
            for k in range(dim):
                x[k] += step * along[k]
                down[k] -= step * product[k]
            before, length = length, dot(down, down)
            turn = length / before
            for k in range(dim):
                along[k] = down[k] + turn * along[k]
