"""The ranker in plain numpy, sorting everything: what the compiled one must equal bit for bit."""

from __future__ import annotations

import numpy as np

from benchmark.metrics.topk import splitmix64, user_hashes


def keys(users: np.ndarray, columns: np.ndarray, seed: int) -> np.ndarray:
    """Return the 64-bit hash of (seed, user, column), (B, C)."""
    spread = columns.astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    return splitmix64(user_hashes(users, seed)[:, None] ^ spread[None, :])


def sorted_top_k(scores: np.ndarray, k: int, users: np.ndarray, seed: int) -> np.ndarray:
    """Return (B, k): all columns by score, equals by key, -inf and what is missing as -1."""
    n_rows, n_items = scores.shape
    order = np.lexsort((keys(users, np.arange(n_items), seed), -scores), axis=-1)[:, :k]
    found = np.where(np.take_along_axis(scores, order, axis=1) > -np.inf, order, -1)
    return np.hstack([found, np.full((n_rows, max(k - n_items, 0)), -1)]).astype(np.int32)
