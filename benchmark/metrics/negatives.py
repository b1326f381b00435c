"""Items drawn for each user to be ranked among: the protocol of older papers, to reproduce their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics.topk import entries_of, top_k
from benchmark.protocol import Ids

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_STREAM = 0x5DEECE66D  # apart from the order of ties, or drawn items would stand first among equals
_BATCH = 1 << 22  # scores held at once


def draw(users: Ids, known: csr_matrix, n: int = 99, seed: int = 0) -> Ids:
    """Return n items of each user, (E, n) ascending, drawn evenly from those the user has no row with.

    A user's draw depends on the seed and the user alone. Fewer than n items: -1 fills up. He et al. 2017
    (Neural collaborative filtering), section 4.1, draw 99.

    Args:
        users: (E,).
        known: (U, I), an entry at each pair that any part of the log has.
        n: how many for each.
        seed: of the draw.

    >>> from scipy.sparse import csr_matrix
    >>> draw(np.array([0], dtype=np.int32), csr_matrix([[1, 0, 0]]), n=3).tolist()
    [[-1, 1, 2]]
    """
    n_items = known.shape[1]
    size = max(1, _BATCH // max(n_items, 1))
    equal = np.zeros((min(size, len(users)), n_items), dtype=np.float32)
    drawn = np.full((len(users), n), -1, dtype=np.int32)
    for start in range(0, len(users), size):
        batch = users[start : start + size]
        seen = entries_of(known.indptr, known.indices, batch)
        drawn[start : start + size] = top_k(equal[: len(batch)], n, batch, seed ^ _STREAM, seen=seen)
    return np.sort(drawn, axis=1)
