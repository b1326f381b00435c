"""Sampled negatives to rank a user's relevant items among, as older papers do: to reproduce their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics.topk import entries_of, top_k
from benchmark.protocol import Ids

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_STREAM = 0x5DEECE66D  # apart from the order of ties, or negatives would come first among equal scores
_BATCH = 1 << 22  # scores held at once


def draw(users: Ids, seen: csr_matrix, n: int = 99, seed: int = 0) -> Ids:
    """Return n negatives of each user, (E, n) ascending: items without a row of the user, drawn evenly.

    A user's negatives depend on the seed and the user only. Where there are fewer than n, -1 fills up. He et
    al. 2017 (Neural collaborative filtering), section 4.1, draw 99.

    Args:
        users: (E,).
        seen: (U, I), an entry at each pair that the log has anywhere.
        n: how many for each.
        seed: of the draw.

    >>> from scipy.sparse import csr_matrix
    >>> draw(np.array([0], dtype=np.int32), csr_matrix([[1, 0, 0]]), n=3).tolist()
    [[-1, 1, 2]]
    """
    n_items = seen.shape[1]
    size = max(1, _BATCH // max(n_items, 1))
    negatives = np.full((len(users), n), -1, dtype=np.int32)
    # Of equal scores the ranker returns n in an order drawn for each user: an even draw without replacement.
    equal = np.zeros((min(size, len(users)), n_items), dtype=np.float32)
    for start in range(0, len(users), size):
        batch = users[start : start + size]
        own = entries_of(seen.indptr, seen.indices, batch)
        negatives[start : start + size] = top_k(equal[: len(batch)], n, batch, seed ^ _STREAM, seen=own)
    return np.sort(negatives, axis=1)
