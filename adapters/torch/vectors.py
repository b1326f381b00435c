"""Products of vectors for compiled code; importing this file loads its machine code, or makes it once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from benchmark.compiled import compiled

VECTOR = types.Array(types.float32, 1, "C", readonly=True)
"""Float32, only read."""


@compiled(types.float32(VECTOR, VECTOR), fastmath=("reassoc", "contract", "nsz"))
def dot(left: Any, right: Any) -> Any:
    """Return the dot product, summed in the order that suits the processor."""
    total = np.float32(0.0)
    for k in range(len(left)):
        total += left[k] * right[k]
    return total
