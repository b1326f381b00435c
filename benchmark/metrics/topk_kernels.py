"""Compiled passes over rows of scores, loaded from numba's cache on disk: only a first run ever compiles.

Each takes the rows from ``first`` up to ``last`` of a batch, so that threads can share it, and releases the
interpreter's lock. numba's own threads are not used, so a process may fork after loading this.

A row is read once, as the bits of its float32: with the lower bits of negative numbers flipped they have,
as whole numbers, the order of the floats. So one loop in registers copies the row into a buffer, one per
thread, where seen items can be struck out. The row is divided into stretches; the k-th largest of their
maxima bounds the k-th best score from below, so only stretches that reach it are read item by item.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from benchmark.jit import compiled, part

_STRETCH = 128  # items; measured: 4.1 µs a row of 20,000, with 64 8.4 and with 256 7.3
_STEP = 16  # items of a stretch that are skipped together
_ALL_BUT_SIGN = np.int32(0x7FFFFFFF)
_STRUCK = np.int32(-0x80000000)  # below every score
NO_SCORE = np.int32(-0x7F800001)  # -inf, its lower bits flipped; a candidate's score is above


# Types of arrays that are only read.
FLAGS = types.Array(types.boolean, 1, "C", readonly=True)
INTS = types.Array(types.int32, 1, "C", readonly=True)
LONGS = types.Array(types.int64, 1, "C", readonly=True)
WORDS = types.Array(types.uint64, 1, "C", readonly=True)
TABLE = types.Array(types.int32, 2, "C", readonly=True)


@part
def tie_key(of_user: Any, item: Any) -> Any:
    """Return the key of an item in a user's own order among equal scores (SplitMix64's finaliser)."""
    x = of_user ^ (np.uint64(item) * np.uint64(0xD1342543DE82EF95))
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@part
def is_worse(score: Any, key: Any, other: Any, other_key: Any) -> Any:
    """Return whether an item ranks behind another: by score, of equals by key."""
    return score < other or (score == other and key > other_key)


@part
def sift_down(scores: Any, keys: Any, items: Any, size: Any) -> None:
    """Move the root of a heap, the worst of all, down to where it belongs."""
    score, key, item, hole = scores[0], keys[0], items[0], 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and is_worse(scores[child + 1], keys[child + 1], scores[child], keys[child]):
            child += 1
        if not is_worse(scores[child], keys[child], score, key):
            break
        scores[hole], keys[hole], items[hole] = scores[child], keys[child], items[child]
        hole = child
    scores[hole], keys[hole], items[hole] = score, key, item


@part
def sift_up(scores: Any, keys: Any, items: Any, hole: Any) -> None:
    """Move the last item of a heap up to where it belongs."""
    score, key, item = scores[hole], keys[hole], items[hole]
    while hole > 0:
        parent = (hole - 1) // 2
        if not is_worse(score, key, scores[parent], keys[parent]):
            break
        scores[hole], keys[hole], items[hole] = scores[parent], keys[parent], items[parent]
        hole = parent
    scores[hole], keys[hole], items[hole] = score, key, item


@part
def offer(scores: Any, keys: Any, items: Any, size: Any, k: Any, score: Any, key: Any, item: Any) -> Any:
    """Keep an item if it is among the k best so far; return how many are kept."""
    if size < k:
        scores[size], keys[size], items[size] = score, key, item
        sift_up(scores, keys, items, size)
        return size + 1
    if is_worse(scores[0], keys[0], score, key):
        scores[0], keys[0], items[0] = score, key, item
        sift_down(scores, keys, items, size)
    return size


@part
def write_list(scores: Any, keys: Any, items: Any, size: Any, best: Any) -> None:
    """Empty a heap into a list, the best first, -1 past the last."""
    best[size:] = -1
    while size > 0:
        size -= 1
        best[size] = items[0]
        scores[0], keys[0], items[0] = scores[size], keys[size], items[size]
        sift_down(scores, keys, items, size)


@part
def ordered(x: Any) -> Any:
    """Return the bits of a float32 as a whole number of the same order, -0 as 0."""
    flipped = np.int32(x ^ np.int32(np.int32(x >> 31) & _ALL_BUT_SIGN))
    return np.int32(0) if flipped == np.int32(-1) else flipped


@part
def copy_row(bits: Any, buffer: Any) -> None:
    """Copy a row into the buffer, as whole numbers of the same order."""
    for i in range(bits.size):
        buffer[i] = ordered(bits[i])


@part
def strike(buffer: Any, seen: Any, excluded: Any) -> None:
    """Strike out what is no candidate."""
    for item in seen:
        buffer[item] = _STRUCK
    for item in range(excluded.size):  # without a branch, so that it is done in registers
        buffer[item] = _STRUCK if excluded[item] else buffer[item]


@part
def stretch_maximum(buffer: Any, stretch: Any) -> Any:
    """Return the maximum of one stretch."""
    top = _STRUCK
    for i in range(stretch * _STRETCH, min((stretch + 1) * _STRETCH, buffer.size)):
        x = buffer[i]
        top = x if x > top else top
    return top


@part
def copy_row_and_maxima(bits: Any, buffer: Any, tops: Any) -> None:
    """Copy a row into the buffer, and write the maximum of each stretch."""
    whole = bits.size // _STRETCH
    for stretch in range(whole):
        top = _STRUCK
        for i in range(_STRETCH):  # of a fixed length, so that it is done in registers
            x = ordered(bits[stretch * _STRETCH + i])
            buffer[stretch * _STRETCH + i] = x
            top = x if x > top else top
        tops[stretch] = top
    if whole < tops.size:
        copy_row(bits[whole * _STRETCH :], buffer[whole * _STRETCH :])
        tops[whole] = stretch_maximum(buffer, whole)


@part
def strike_and_update(buffer: Any, tops: Any, seen: Any, excluded: Any) -> None:
    """Strike out what is no candidate, and update the maxima of stretches that may have lost theirs."""
    for item in seen:
        was = buffer[item]
        buffer[item] = _STRUCK
        if was == tops[item // _STRETCH]:
            tops[item // _STRETCH] = stretch_maximum(buffer, item // _STRETCH)
    if excluded.size:
        strike(buffer, seen[:0], excluded)
        for stretch in range(tops.size):
            tops[stretch] = stretch_maximum(buffer, stretch)


@part
def bound(tops: Any, least: Any, k: Any) -> Any:
    """Return a score that at least k candidates reach, as that many stretches do; the least if too few do."""
    if tops.size < k:
        return np.int32(NO_SCORE + 1)
    least[:k] = NO_SCORE + 1  # the k largest maxima so far, the least of them first
    for top in tops:
        if top > least[0]:
            position = 0
            while position + 1 < k and least[position + 1] < top:
                least[position] = least[position + 1]
                position += 1
            least[position] = top
    return least[0]


@part
def step_maximum(buffer: Any, start: Any) -> Any:
    """Return the maximum of one step of a stretch."""
    top = _STRUCK
    for i in range(_STEP):  # of a fixed length, so that it is done in registers
        x = buffer[start + i]
        top = x if x > top else top
    return top


@part
def rank_row(
    buffer: Any, tops: Any, first: Any, floor: Any, of_user: Any, heap: Any, size: Any, k: Any
) -> Any:
    """Put candidates that are among the k best so far on the heap; return how many it holds.

    Those below the floor are not looked at; the buffer's first item is ``first``.
    """
    scores, keys, items = heap
    for stretch in range(tops.size):
        if tops[stretch] < floor:
            continue
        for start in range(stretch * _STRETCH, min((stretch + 1) * _STRETCH, buffer.size), _STEP):
            if start + _STEP <= buffer.size and step_maximum(buffer, start) < floor:
                continue
            for place in range(start, min(start + _STEP, buffer.size)):
                if buffer[place] < floor:
                    continue
                item = first + place
                key = tie_key(of_user, item)
                # Where all scores are equal this is most of the row: no need to go through the heap.
                if size == k and buffer[place] == scores[0] and key > keys[0]:
                    continue
                size = offer(scores, keys, items, size, k, buffer[place], key, np.int32(item))
                floor = max(floor, scores[0]) if size == k else floor
    return size


@part
def first_at_least(ascending: Any, item: Any) -> Any:
    """Return the index of the first number that is not below ``item``, by bisection."""
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low


@compiled(
    types.void(
        TABLE,
        WORDS,
        LONGS,
        INTS,
        FLAGS,
        LONGS,
        types.int32[:, ::1],
        types.int64,
        types.int64,
    )
)
def best(
    bits: Any,
    of_users: Any,
    starts: Any,
    seen: Any,
    excluded: Any,
    lengths: Any,
    lists: Any,
    first: Any,
    last: Any,
) -> None:
    """Write each row's best candidates into ``lists`` (B, K).

    Args:
        bits: (B, I) the memory of float32 scores; -inf is no candidate.
        of_users: (B,) hash of seed and user.
        starts: (B + 1,) where each row's entries of ``seen`` start.
        seen: items that are no candidates.
        excluded: (I,) items that are nobody's candidates; (0,) for none.
        lengths: (B,) how many are asked for, at most K.
        lists: (B, K) written: items, -1 past the last.
        first: row to begin with.
        last: row to stop before.
    """
    n_items = bits.shape[1]
    buffer, tops = np.empty(n_items, np.int32), np.empty((n_items + _STRETCH - 1) // _STRETCH, np.int32)
    k = lists.shape[1]
    scores, keys, items = np.empty(k, np.int32), np.empty(k, np.uint64), np.empty(k, np.int32)
    for row in range(first, last):
        copy_row_and_maxima(bits[row], buffer, tops)
        strike_and_update(buffer, tops, seen[starts[row] : starts[row + 1]], excluded)
        floor = bound(tops, scores, lengths[row])
        size = rank_row(buffer, tops, 0, floor, of_users[row], (scores, keys, items), 0, lengths[row])
        write_list(scores, keys, items, size, lists[row])


@compiled(
    types.void(
        TABLE,
        types.int64,
        WORDS,
        LONGS,
        INTS,
        FLAGS,
        types.Tuple((types.int32[:, ::1], types.uint64[:, ::1], types.int32[:, ::1])),
        types.int64[::1],
        types.int64,
        types.int64,
    )
)
def best_so_far(
    bits: Any,
    first_item: Any,
    of_users: Any,
    starts: Any,
    seen: Any,
    excluded: Any,
    heaps: Any,
    sizes: Any,
    first: Any,
    last: Any,
) -> None:
    """Keep on each row's heap the best candidates of this block of items and of those before it.

    Args:
        bits: (B, n) the memory of float32 scores of the block; -inf is no candidate.
        first_item: of the block.
        of_users: (B,) hash of seed and user.
        starts: (B + 1,) where each row's entries of ``seen`` start.
        seen: items that are no candidates, ascending within a row.
        excluded: (n,) items of the block that are nobody's candidates; (0,) for none.
        heaps: scores, keys and items, (B, K) each, changed in place.
        sizes: (B,) how many each heap holds, changed in place.
        first: row to begin with.
        last: row to stop before.
    """
    n_items, k = bits.shape[1], heaps[0].shape[1]
    buffer, tops = np.empty(n_items, np.int32), np.empty((n_items + _STRETCH - 1) // _STRETCH, np.int32)
    least = np.empty(k, np.int32)
    for row in range(first, last):
        copy_row_and_maxima(bits[row], buffer, tops)
        mine = seen[starts[row] : starts[row + 1]]
        mine = mine[first_at_least(mine, first_item) : first_at_least(mine, first_item + n_items)]
        strike_and_update(buffer, tops, mine - np.int32(first_item), excluded)
        heap, floor = (heaps[0][row], heaps[1][row], heaps[2][row]), bound(tops, least, k)
        if sizes[row] == k:
            floor = max(floor, heap[0][0])
        sizes[row] = rank_row(buffer, tops, first_item, floor, of_users[row], heap, sizes[row], k)


@compiled(types.void(TABLE, WORDS, TABLE, LONGS, INTS, types.int32[:, ::1], types.int64, types.int64))
def best_among(
    bits: Any, of_users: Any, negatives: Any, starts: Any, relevant: Any, lists: Any, first: Any, last: Any
) -> None:
    """Write the best of each row's negatives (B, n; -1 for none) and relevant items into ``lists`` (B, K)."""
    k = lists.shape[1]
    scores, keys, items = np.empty(k, np.int32), np.empty(k, np.uint64), np.empty(k, np.int32)
    buffer = np.empty(bits.shape[1], np.int32)
    for row in range(first, last):
        size, of_user = 0, of_users[row]
        copy_row(bits[row], buffer)
        for item in negatives[row]:
            if item >= 0:
                size = offer(scores, keys, items, size, k, buffer[item], tie_key(of_user, item), item)
        for item in relevant[starts[row] : starts[row + 1]]:
            size = offer(scores, keys, items, size, k, buffer[item], tie_key(of_user, item), item)
        write_list(scores, keys, items, size, lists[row])


@compiled(types.void(TABLE, LONGS, INTS, types.int64[:, ::1], types.int64, types.int64))
def find(lists: Any, starts: Any, relevant: Any, index: Any, first: Any, last: Any) -> None:
    """Write where in ``relevant`` (ascending in a row) each item of a list (B, K) is; -1 for a miss."""
    for row in range(first, last):
        mine = relevant[starts[row] : starts[row + 1]]
        for position in range(lists.shape[1]):
            item = lists[row, position]
            found = first_at_least(mine, item)
            is_hit = found < mine.size and mine[found] == item
            index[row, position] = starts[row] + found if is_hit else -1
