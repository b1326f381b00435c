"""The area under the curve of whole rows of scores, compiled; importing this file loads its machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from benchmark.jit import compiled, part
from benchmark.metrics.topk_kernels import FLAGS, INTS, LONGS, NO_SCORE, TABLE, copy_row, strike


@part
def twice_won(buffer: Any, score: Any) -> Any:
    """Return twice the number of items below a score, an equal one counted as half."""
    below, equal = np.int32(0), np.int32(0)
    for x in buffer:
        below += np.int32(x < score)
        equal += np.int32(x == score)
    return 2 * np.int64(below) + np.int64(equal)


@compiled(types.void(TABLE, LONGS, INTS, FLAGS, LONGS, INTS, types.float64[::1], types.int64, types.int64))
def areas(
    bits: Any,
    starts: Any,
    seen: Any,
    excluded: Any,
    relevant_starts: Any,
    relevant: Any,
    auc: Any,
    first: Any,
    last: Any,
) -> None:
    """Write each row's share of (relevant, other) candidate pairs in the right order into ``auc`` (B,).

    Relevant items are candidates; each is compared with the whole row, which for a handful is quicker than
    sorting it. What they win among themselves and against struck-out items is subtracted.
    """
    buffer = np.empty(bits.shape[1], np.int32)
    for row in range(first, last):
        copy_row(bits[row], buffer)
        strike(buffer, seen[starts[row] : starts[row + 1]], excluded)
        mine = relevant[relevant_starts[row] : relevant_starts[row + 1]]
        hidden = twice_won(buffer, np.int32(NO_SCORE + 1)) // 2  # all that is below any candidate's score
        others = buffer.size - hidden - mine.size
        auc[row] = np.nan
        if mine.size and others:
            won = -mine.size * (2 * hidden + mine.size)
            for item in mine:
                won += twice_won(buffer, buffer[item])
            auc[row] = won / 2 / (mine.size * others)
