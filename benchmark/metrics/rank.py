"""From scores to lists: hide what a user has seen, then take the k best, ties broken by chance alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Ids, Scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Integers: TypeAlias = NDArray[np.integer[Any]]

_BLOCK = 1 << 16  # scores in a block: its 64-bit keys fit the second-level cache (measured: 3 x faster)


def hide(scores: Scores, users: Ids, seen: csr_matrix) -> None:
    """Set the scores of seen items to -inf in place, so that they are no candidates.

    Args:
        scores: (B, I) writable.
        users: (B,) user of each row.
        seen: (U, I), an entry at each pair to hide.
    """
    rows, columns = entries(seen.indptr, seen.indices, users)
    scores[rows, columns] = -np.inf


def entries(indptr: Integers, indices: Integers, users: Ids) -> tuple[Integers, Integers]:
    """Return row (in 0..B-1) and stored index of every entry of these users, two arrays of one length.

    Args:
        indptr: (U + 1,) where each user's entries start, as in a csr matrix.
        indices: what is stored, users one after another.
        users: (B,) users wanted, in any order.

    >>> rows, columns = entries(np.array([0, 2, 3]), np.array([5, 8, 6]), np.array([1, 0]))
    >>> rows.tolist(), columns.tolist()
    ([0, 1, 1], [6, 5, 8])
    """
    starts, ends = indptr[users].astype(np.int64), indptr[users + 1].astype(np.int64)
    lengths = ends - starts
    rows = np.repeat(np.arange(len(users)), lengths)
    before = np.repeat(starts - (lengths.cumsum() - lengths), lengths)
    return rows, indices[before + np.arange(len(rows))]


def top_k(scores: Scores, k: int, users: Ids, seed: int) -> Ids:
    """Return the k best candidates of each user, best first, (B, k) int32, -1 past the last candidate.

    Equal scores stand in an order drawn for each user from (seed, user, column), so a constant scorer
    is a random one, and neither the size of a batch nor the other scores change a user's order.

    Args:
        scores: (B, I) without nan; -inf is no candidate.
        k: length of the lists; beyond I they are padded.
        users: (B,) user of each row.
        seed: of the order among equals.

    >>> top_k(np.array([[0.5, -np.inf, 2.0]], dtype=np.float32), 3, np.array([7]), seed=0).tolist()
    [[2, 0, -1]]
    """
    n_rows, n_items = scores.shape
    places = min(k, n_items)
    lists = np.full((n_rows, k), -1, dtype=np.int32)
    step = max(1, _BLOCK // max(n_items, 1))
    for start in range(0, n_rows, step):
        block = slice(start, start + step)
        lists[block, :places] = _best(scores[block], places, users[block], seed)
    return lists


def _best(scores: Scores, k: int, users: Ids, seed: int) -> Ids:
    n_items = scores.shape[1]
    chosen = np.argpartition(scores, n_items - k, axis=1)[:, n_items - k :].astype(np.int32)
    kept = np.take_along_axis(scores, chosen, axis=1)
    last = kept.min(axis=1, keepdims=True)
    equal = scores == last
    cut = equal.sum(axis=1) > (kept == last).sum(axis=1)  # a tie runs across the end of the list
    torn = np.flatnonzero(cut & (last[:, 0] > -np.inf))
    if len(torn):
        chosen[torn] = _draw(scores[torn] > last[torn], equal[torn], k, users[torn], seed)
        kept[torn] = np.take_along_axis(scores[torn], chosen[torn], axis=1)
    order = np.lexsort((_keys(users[:, None], chosen, seed), -kept), axis=-1)
    best = np.take_along_axis(chosen, order, axis=1)
    return np.where(np.take_along_axis(kept, order, axis=1) > -np.inf, best, np.int32(-1))


def _draw(above: NDArray[np.bool_], equal: NDArray[np.bool_], k: int, users: Ids, seed: int) -> Ids:
    """Return k columns of each row: those above, filled up with those of the equal that have the least keys.

    The column rides in the low bits of its key, so one partition of plain numbers does it.
    """
    n_items = above.shape[1]
    low = np.uint64((1 << max(n_items - 1, 1).bit_length()) - 1)
    columns = np.arange(n_items, dtype=np.uint64)
    keys = _keys(users[:, None], columns[None, :], seed) >> np.uint64(1)  # leaves the top bit to the rest
    keys = np.where(equal, (keys & ~low) | columns, columns | np.uint64(1 << 63))
    keys = np.where(above, columns, keys)
    return (np.partition(keys, k - 1, axis=1)[:, :k] & low).astype(np.int32)


def _keys(users: NDArray[Any], columns: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """Return a 64-bit hash of (seed, user, column): SplitMix64's finaliser (Steele et al. 2014), chained."""
    of_seed = _mix(np.array([seed & (2**64 - 1)], dtype=np.uint64))
    of_user = _mix(users.astype(np.uint64) + of_seed)
    return _mix(of_user ^ (columns.astype(np.uint64) * np.uint64(0xD1342543DE82EF95)))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
