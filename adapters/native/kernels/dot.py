"""Dot products for compiled code; importing this file loads its machine code, or compiles it once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from benchmark.jit import compiled

VECTOR = types.Array(types.float32, 1, "C", readonly=True)
"""Float32, read-only."""
TABLE = types.Array(types.float32, 2, "C", readonly=True)
"""Rows of float32, read-only."""
IDS = types.Array(types.int32, 1, "C", readonly=True)
"""Int32, read-only."""
ANY_ORDER = ("reassoc", "contract", "nsz")
"""Lets the processor add up in whatever order is fastest."""


@compiled(types.float32(VECTOR, VECTOR), fastmath=ANY_ORDER)
def dot(left: Any, right: Any) -> Any:
    """Return the dot product."""
    total = np.float32(0.0)
    for k in range(len(left)):
        total += left[k] * right[k]
    return total


@compiled(types.float32(TABLE, types.uint64, TABLE, types.uint64), fastmath=ANY_ORDER)
def row_dot(left: Any, i: Any, right: Any, j: Any) -> Any:
    """Return the dot product of row i of one table and row j of another, without a view of either."""
    total = np.float32(0.0)
    for k in range(left.shape[1]):
        total += left[i, k] * right[j, k]
    return total
