"""From scores to lists: the k best that a user has not seen, ties broken by chance alone.

Ties stand in an order drawn for each user from (seed, user, column): a constant scorer is a random one,
and neither the size of a batch, the number of threads nor the other scores change a user's order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import topk_kernels
from benchmark.protocol import Array, Ids, Scores, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Integers: TypeAlias = NDArray[np.integer[Any]]
Lengths: TypeAlias = NDArray[np.int64]
Entries: TypeAlias = tuple[Lengths, Ids]
"""Items of each row of a batch: where they start (B + 1,), and which, ascending within a row."""

_WORTH_A_THREAD = 1 << 18  # scores: below, starting a thread costs more than it saves (measured: 0.1 ms)


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


def entries_of(indptr: Integers, indices: Integers, users: Ids) -> Entries:
    """Return the items of these users alone, from those of all: a csr matrix's, ascending within a row."""
    _, columns = entries(indptr, indices, users)
    lengths = np.diff(indptr)[users]
    return np.concatenate([[0], lengths.cumsum()]).astype(np.int64), columns.astype(np.int32, copy=False)


def nothing(n_rows: int) -> Entries:
    """Return no items for any row."""
    return np.zeros(n_rows + 1, dtype=np.int64), np.empty(0, dtype=np.int32)


def top_k(  # noqa: PLR0913 - by keyword: what a caller without candidates or threads of his own leaves out
    scores: Scores,
    k: int | Lengths,
    users: Ids,
    seed: int,
    *,
    seen: Entries | None = None,
    barred: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> Ids:
    """Return the k best candidates of each user, best first, (B, k) int32, -1 past the last candidate.

    Args:
        scores: (B, I) without nan; -inf is no candidate. Only read.
        k: length of the lists; beyond I they are padded. (B,) gives each user a length of his own.
        users: (B,) user of each row.
        seed: of the order among equals.
        seen: items of each row that are no candidates.
        barred: (I,) items that are no candidates for anybody.
        threads: how many share the work; None takes what the slot allows.

    >>> top_k(np.array([[0.5, -np.inf, 2.0]], dtype=np.float32), 3, np.array([7]), seed=0).tolist()
    [[2, 0, -1]]
    """
    return ranked(scores, k, users, seed, seen=seen, barred=barred, threads=threads)[0]


def ranked(  # noqa: PLR0913 - as top_k
    scores: Scores,
    k: int | Lengths,
    users: Ids,
    seed: int,
    *,
    seen: Entries | None = None,
    barred: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[Ids, NDArray[np.bool_]]:
    """Return :func:`top_k`'s lists, and which rows (B,) hold a score that is not finite, in the same pass."""
    scores = np.ascontiguousarray(scores, dtype=np.float32)
    n_rows, n_items = scores.shape
    wanted = np.broadcast_to(np.asarray(k, dtype=np.int64), n_rows)
    width = int(k) if np.ndim(k) == 0 else int(wanted.max(initial=0))
    lists = np.full((n_rows, min(width, n_items)), -1, dtype=np.int32)
    largest = np.zeros(n_rows, dtype=np.int32)
    starts, hidden = nothing(n_rows) if seen is None else seen
    lengths = np.minimum(wanted, n_items)
    given = (scores.view(np.int32), _hashes(users, seed), starts, hidden, _flags(barred), lengths)
    in_threads(topk_kernels.best, n_rows, scores.size, threads, *given, lists, largest)
    padding = np.full((n_rows, max(width - n_items, 0)), -1, dtype=np.int32)
    return np.hstack([lists, padding]) if padding.size else lists, largest >= topk_kernels.INFINITE


def top_k_among(  # noqa: PLR0913 - as top_k
    scores: Scores,
    k: int,
    users: Ids,
    seed: int,
    *,
    drawn: Ids,
    relevant: Entries,
    threads: int | None = None,
) -> Ids:
    """Return the k best of each user's drawn and relevant items, (B, k) int32, -1 past the last.

    Args:
        scores: (B, I) finite. Only read.
        k: length of the lists.
        users: (B,) user of each row.
        seed: of the order among equals.
        drawn: (B, D) items, -1 for none; none of them relevant.
        relevant: items of each row.
        threads: how many share the work; None takes what the slot allows.
    """
    scores = np.ascontiguousarray(scores, dtype=np.float32)
    lists = np.full((len(users), k), -1, dtype=np.int32)
    size = drawn.size + len(relevant[1])
    drawn = np.ascontiguousarray(drawn, dtype=np.int32)
    given = (scores.view(np.int32), _hashes(users, seed), drawn, *relevant)
    in_threads(topk_kernels.best_among, len(users), size, threads, *given, lists)
    return lists


def places_in(lists: Ids, relevant: Entries, threads: int | None = None) -> Lengths:
    """Return where in ``relevant[1]`` the item at each place of a list stands, (B, K); -1 for a miss.

    >>> places_in(np.array([[4, 2, -1]], np.int32), (np.array([0, 2]), np.array([2, 9], np.int32))).tolist()
    [[-1, 0, -1]]
    """
    places = np.empty(lists.shape, dtype=np.int64)
    in_threads(
        topk_kernels.find, len(lists), 8 * lists.size, threads, np.ascontiguousarray(lists), *relevant, places
    )
    return places


def auc(
    scores: Scores,
    relevant: Entries,
    *,
    seen: Entries | None = None,
    barred: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> Values:
    """Return each user's share of (relevant, other) candidate pairs in the right order, (B,); ties one half.

    nan for a user without a relevant candidate or without another one. See :func:`top_k` for the arguments;
    relevant items must be candidates.
    """
    scores = np.ascontiguousarray(scores, dtype=np.float32)
    found = np.full(len(scores), np.nan)
    given = (
        scores.view(np.int32),
        *(nothing(len(scores)) if seen is None else seen),
        _flags(barred),
        *relevant,
    )
    in_threads(topk_kernels.areas, len(scores), scores.size, threads, *given, found)
    return found


def in_threads(
    kernel: Callable[..., None], n_rows: int, size: int, threads: int | None, *arrays: Array
) -> None:
    """Run a kernel over all rows, each thread taking some; ``size`` says whether that is worth it.

    The threads end with the call, so a process that has ranked may fork.
    """
    threads = min(slot_threads() if threads is None else threads, max(size // _WORTH_A_THREAD, 1))
    if threads <= 1:
        kernel(*arrays, 0, n_rows)
        return
    *others, mine = pairwise(np.linspace(0, n_rows, threads + 1).astype(int).tolist())
    with ThreadPoolExecutor(len(others)) as pool:
        parts = [pool.submit(kernel, *arrays, *part) for part in others]
        kernel(*arrays, *mine)  # this thread works too: handing over costs more than a small part
        for part in parts:
            part.result()


def slot_threads() -> int:
    """Return how many threads this process may use: what its slot set, else the cores it may run on."""
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        if (said := os.environ.get(name, "")).isdecimal() and int(said) > 0:
            return int(said)
    return len(os.sched_getaffinity(0))


def _flags(barred: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return np.zeros(0, dtype=np.bool_) if barred is None else np.ascontiguousarray(barred, dtype=np.bool_)


def _hashes(users: Ids, seed: int) -> NDArray[np.uint64]:
    """Return a hash of (seed, user) for each user; the kernels chain it with the column."""
    of_seed = _mix(np.array([seed & (2**64 - 1)], dtype=np.uint64))
    return _mix(np.asarray(users).astype(np.uint64) + of_seed)


def keys(users: Ids, items: Ids, seed: int) -> NDArray[np.uint64]:
    """Return the place of each item (B, K) in its user's own order among equals, the least first."""
    spread = np.asarray(items).astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    return _mix(_hashes(users, seed)[:, None] ^ spread)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele et al. 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
