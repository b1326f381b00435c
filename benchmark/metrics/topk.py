"""From scores to lists: the k best items that a user has not seen, ties broken by chance alone.

Equal scores come in an order drawn for each user from (seed, user, item): a constant scorer is a random one,
and neither the size of a batch, the number of threads nor the other scores change a user's order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import topk_kernels
from benchmark.protocol import Array, Ids, Longs, Scores

Integers: TypeAlias = NDArray[np.integer[Any]]
Entries: TypeAlias = tuple[Longs, Ids]
"""Items of each row of a batch: where they start (B + 1,), and which, ascending within a row."""

_WORTH_A_THREAD = 1 << 18  # scores: below, starting a thread costs more than it saves (measured: 0.1 ms)


def entries(indptr: Integers, indices: Integers, users: Ids) -> tuple[Integers, Integers]:
    """Return row (in 0..B-1) and stored index of every entry of these users, two arrays of one length.

    Args:
        indptr: (U + 1,) where each user's entries start, as in a csr matrix.
        indices: what is stored, users one after another.
        users: (B,) whose entries, in any order.

    >>> rows, columns = entries(np.array([0, 2, 3]), np.array([5, 8, 6]), np.array([1, 0]))
    >>> rows.tolist(), columns.tolist()
    ([0, 1, 1], [6, 5, 8])
    """
    starts, ends = indptr[users].astype(np.int64), indptr[users + 1].astype(np.int64)
    lengths = ends - starts
    rows = np.repeat(np.arange(len(users)), lengths)
    before = np.repeat(starts - (lengths.cumsum() - lengths), lengths)
    return rows, indices[before + np.arange(len(rows))]


def entries_of(indptr: Integers, indices: Integers, users: Ids) -> Entries:
    """Return the items of these users, from those of all: a csr matrix's, ascending within a row."""
    _, columns = entries(indptr, indices, users)
    lengths = np.diff(indptr)[users]
    return np.concatenate([[0], lengths.cumsum()]).astype(np.int64), columns.astype(np.int32, copy=False)


def nothing(n_rows: int) -> Entries:
    """Return entries without an item in any row."""
    return np.zeros(n_rows + 1, dtype=np.int64), np.empty(0, dtype=np.int32)


def top_k(
    scores: Scores,
    k: int | Longs,
    users: Ids,
    seed: int,
    *,
    seen: Entries | None = None,
    excluded: NDArray[np.bool_] | None = None,
) -> Ids:
    """Return the k best candidates of each user, best first, (B, k) int32, -1 past the last candidate.

    Args:
        scores: (B, I) without nan; -inf is no candidate. Only read.
        k: length of the lists, padded beyond I. (B,) gives each user a length of their own.
        users: (B,) user of each row.
        seed: of the order among equal scores.
        seen: items of each row that are no candidates.
        excluded: (I,) items that are nobody's candidates.

    >>> top_k(np.array([[0.5, -np.inf, 2.0]], dtype=np.float32), 3, np.array([7]), seed=0).tolist()
    [[2, 0, -1]]
    """
    n_rows, n_items = scores.shape
    lengths = np.broadcast_to(np.asarray(k, dtype=np.int64), n_rows)
    width = int(k) if np.ndim(k) == 0 else int(lengths.max(initial=0))
    lists = np.full((n_rows, min(width, n_items)), -1, dtype=np.int32)
    if not lists.size:  # the kernels keep at least one item
        return np.full((n_rows, width), -1, dtype=np.int32)
    in_threads(
        topk_kernels.best,
        n_rows,
        scores.size,
        bits(scores),
        user_hashes(users, seed),
        *(nothing(n_rows) if seen is None else seen),
        flags(excluded),
        np.minimum(lengths, n_items),
        lists,
    )
    padding = np.full((n_rows, max(width - n_items, 0)), -1, dtype=np.int32)
    return np.hstack([lists, padding]) if padding.size else lists


def top_k_of_blocks(
    blocks: Iterable[tuple[int, Scores]],
    k: int,
    users: Ids,
    seed: int,
    *,
    seen: Entries,
    excluded: NDArray[np.bool_] | None = None,
) -> Ids:
    """Return what :func:`top_k` returns for all blocks side by side, (B, k), holding one at a time.

    Args:
        blocks: first item of each, and its scores (B, n) without nan; -inf is no candidate. Only read.
        k: length of the lists, padded beyond I.
        users: (B,) user of each row.
        seed: of the order among equal scores.
        seen: items of each row that are no candidates.
        excluded: (I,) items that are nobody's candidates.

    >>> blocks = [(0, np.array([[0.5, 2.0]], dtype=np.float32)), (2, np.array([[1.0]], dtype=np.float32))]
    >>> top_k_of_blocks(blocks, 2, np.array([7]), seed=0, seen=nothing(1)).tolist()
    [[1, 2]]
    """
    shape = (len(users), k)
    scores, keys = np.full(shape, np.iinfo(np.int32).min, dtype=np.int32), np.zeros(shape, dtype=np.uint64)
    lists, sizes = np.full(shape, -1, dtype=np.int32), np.zeros(len(users), dtype=np.int64)
    if not lists.size:  # the kernels keep at least one item
        return lists
    of_users, out = user_hashes(users, seed), flags(excluded)
    for first, block in blocks:
        in_threads(
            topk_kernels.best_so_far,
            len(users),
            block.size,
            bits(block),
            first,
            of_users,
            *seen,
            out[first : first + block.shape[1]],
            (scores, keys, lists),
            sizes,
        )
    order = np.lexsort((keys, -scores.astype(np.int64)), axis=-1)  # free places of a heap come last
    return np.take_along_axis(lists, order, axis=1)


def top_k_among(
    scores: Scores,
    k: int,
    users: Ids,
    seed: int,
    *,
    negatives: Ids,
    relevant: Entries,
) -> Ids:
    """Return the k best of each user's negatives and relevant items, (B, k) int32, -1 past the last.

    Args:
        scores: (B, I) finite. Only read.
        k: length of the lists.
        users: (B,) user of each row.
        seed: of the order among equal scores.
        negatives: (B, n) items, -1 for none; none of them relevant.
        relevant: items of each row.
    """
    lists = np.full((len(users), k), -1, dtype=np.int32)
    in_threads(
        topk_kernels.best_among,
        len(users),
        negatives.size + len(relevant[1]),
        bits(scores),
        user_hashes(users, seed),
        np.ascontiguousarray(negatives, dtype=np.int32),
        *relevant,
        lists,
    )
    return lists


def relevant_index(lists: Ids, relevant: Entries) -> Longs:
    """Return where in ``relevant[1]`` the item at each position of a list is, (B, K); -1 for a miss.

    >>> relevant = (np.array([0, 2]), np.array([2, 9], dtype=np.int32))
    >>> relevant_index(np.array([[4, 2, -1]], dtype=np.int32), relevant).tolist()
    [[-1, 0, -1]]
    """
    index = np.empty(lists.shape, dtype=np.int64)
    in_threads(
        topk_kernels.find,
        len(lists),
        8 * lists.size,  # a binary search costs about as much as reading eight scores
        np.ascontiguousarray(lists),
        *relevant,
        index,
    )
    return index


def in_threads(
    kernel: Callable[..., None], n_rows: int, size: int, *arrays: Array | int | tuple[Array, ...]
) -> None:
    """Run a kernel over all rows, shared among the slot's threads where that is worth it.

    No number depends on how many they are. They end with the call, so a process that has ranked may fork.

    Args:
        kernel: takes the arrays, the first row and the row to stop before.
        n_rows: how many rows there are.
        size: how many scores are read in all: few are done in this thread.
        arrays: what the kernel reads and writes.
    """
    threads = min(slot_threads(), max(size // _WORTH_A_THREAD, 1))
    if threads <= 1:
        kernel(*arrays, 0, n_rows)
        return
    parts = list(pairwise(np.linspace(0, n_rows, threads + 1).astype(int).tolist()))
    from benchmark.modelkit.shared_rows import share  # not at import: serving ranks in one thread

    share(lambda first, last: kernel(*arrays, first, last), parts, threads)


def slot_threads() -> int:
    """Return how many threads this process may use: what its slot set, else the cores it may run on."""
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        if (value := os.environ.get(name, "")).isdecimal() and int(value) > 0:
            return int(value)
    return len(os.sched_getaffinity(0))


def bits(scores: Scores) -> NDArray[np.int32]:
    """Return the bits of float32 scores (B, I), as kernels read them: of the same memory if contiguous."""
    return np.ascontiguousarray(scores, dtype=np.float32).view(np.int32)


def flags(excluded: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return excluded items as kernels read them: (I,), or (0,) where there are none."""
    return np.zeros(0, dtype=np.bool_) if excluded is None else np.ascontiguousarray(excluded, dtype=np.bool_)


def user_hashes(users: Ids, seed: int) -> NDArray[np.uint64]:
    """Return a hash of (seed, user) for each user; the kernels chain it with the item."""
    of_seed = splitmix64(np.array([seed & (2**64 - 1)], dtype=np.uint64))
    return splitmix64(np.asarray(users).astype(np.uint64) + of_seed)


def tie_keys(users: Ids, items: Ids, seed: int) -> NDArray[np.uint64]:
    """Return the key of each item (B, K) in its user's own order among equal scores, the least first."""
    spread = np.asarray(items).astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    return splitmix64(user_hashes(users, seed)[:, None] ^ spread)


def splitmix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each number mixed by SplitMix64's finaliser (Steele et al. 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


BATCH_ELEMENTS = 4_000_000
"""Scores held at once: 16 MB of float32, whatever the number of users."""
FEWEST_USERS = 64
"""Users of a batch at least: below, a product of matrices reads all items for hardly anybody."""


def batch_size(n_items: int) -> int:
    """Return B, the users scored and ranked at once for I items.

    >>> batch_size(1_000_000), batch_size(100)
    (64, 4096)
    """
    return max(FEWEST_USERS, min(4096, BATCH_ELEMENTS // n_items))
