"""Compiled passes over rows of scores, loaded from numba's cache on disk: only a first run ever compiles.

Each takes the rows from ``first`` up to ``last`` of a batch, so that threads can share it, and lets go of
the interpreter's lock. numba's own threads are not used, so a process may fork after loading this.

A row is read once, as the bits of its float32: with the lower bits of negative numbers turned they have,
as whole numbers, the order of the floats, and the largest magnitude tells whether all are finite. So one
loop over registers lays the row down in a buffer, one per thread, where the seen can be struck out. The
k-th largest of the stretches' maxima bounds the k-th best score from below: only stretches that reach it are
looked at item by item.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from benchmark.jit import compiled, part

INFINITE = 0x7F800000
"""Bits of infinity: a row whose largest magnitude reaches it holds an infinity or a nan."""

_STRETCH = 128  # items; measured: 4.1 µs a row of 20,000, with 64 8.4 and with 256 7.3
_STEP = 16  # items of a stretch that are passed over together
_LOWER = np.int32(0x7FFFFFFF)
_STRUCK = np.int32(-0x80000000)  # below every score
_NO_SCORE = np.int32(-0x7F800001)  # -inf, turned; a candidate's score is above


def _given(item: Any, dimensions: int = 1) -> Any:
    """Return the type of an array that is only read."""
    return types.Array(item, dimensions, "C", readonly=True)


_FLAGS, _INTS, _LONGS, _WORDS = (
    _given(item) for item in (types.boolean, types.int32, types.int64, types.uint64)
)
_TABLE = _given(types.int32, 2)


@part
def _key(of_user: Any, item: Any) -> Any:
    """Return the place of an item in a user's own order among equals (SplitMix64's finaliser)."""
    x = of_user ^ (np.uint64(item) * np.uint64(0xD1342543DE82EF95))
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@part
def _worse(score: Any, key: Any, other: Any, other_key: Any) -> Any:
    return score < other or (score == other and key > other_key)


@part
def _sink(scores: Any, keys: Any, items: Any, size: Any) -> None:
    """Let the root of a heap, where the worst stands, go down to its place."""
    score, key, item, hole = scores[0], keys[0], items[0], 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and _worse(scores[child + 1], keys[child + 1], scores[child], keys[child]):
            child += 1
        if not _worse(scores[child], keys[child], score, key):
            break
        scores[hole], keys[hole], items[hole] = scores[child], keys[child], items[child]
        hole = child
    scores[hole], keys[hole], items[hole] = score, key, item


@part
def _rise(scores: Any, keys: Any, items: Any, hole: Any) -> None:
    """Let the last of a heap go up to its place."""
    score, key, item = scores[hole], keys[hole], items[hole]
    while hole > 0:
        parent = (hole - 1) // 2
        if not _worse(score, key, scores[parent], keys[parent]):
            break
        scores[hole], keys[hole], items[hole] = scores[parent], keys[parent], items[parent]
        hole = parent
    scores[hole], keys[hole], items[hole] = score, key, item


@part
def _offer(scores: Any, keys: Any, items: Any, size: Any, k: Any, score: Any, key: Any, item: Any) -> Any:
    """Keep an item if it is among the k best so far; return how many are kept."""
    if size < k:
        scores[size], keys[size], items[size] = score, key, item
        _rise(scores, keys, items, size)
        return size + 1
    if _worse(scores[0], keys[0], score, key):
        scores[0], keys[0], items[0] = score, key, item
        _sink(scores, keys, items, size)
    return size


@part
def _write(scores: Any, keys: Any, items: Any, size: Any, best: Any) -> None:
    """Empty a heap into a list, the best first, -1 behind the last."""
    best[size:] = -1
    while size > 0:
        size -= 1
        best[size] = items[0]
        scores[0], keys[0], items[0] = scores[size], keys[size], items[size]
        _sink(scores, keys, items, size)


@part
def _lay(bits: Any, buffer: Any) -> Any:
    """Lay a row's turned bits into the buffer, -0 as 0; return the largest magnitude."""
    largest = np.int32(0)
    for i in range(bits.size):
        x = bits[i]
        magnitude = np.int32(x & _LOWER)
        largest = magnitude if magnitude > largest else largest
        turned = np.int32(x ^ np.int32(np.int32(x >> 31) & _LOWER))
        buffer[i] = np.int32(0) if turned == np.int32(-1) else turned
    return largest


@part
def _strike(buffer: Any, seen: Any, barred: Any) -> None:
    """Take out what is no candidate."""
    for item in seen:
        buffer[item] = _STRUCK
    for item in range(barred.size):
        if barred[item]:
            buffer[item] = _STRUCK


@part
def _summit(buffer: Any, stretch: Any) -> Any:
    """Return the maximum of one stretch."""
    top = _STRUCK
    for i in range(stretch * _STRETCH, min((stretch + 1) * _STRETCH, buffer.size)):
        x = buffer[i]
        top = x if x > top else top
    return top


@part
def _survey(bits: Any, buffer: Any, tops: Any) -> Any:
    """Do what :func:`_lay` does, and write the maximum of each stretch."""
    largest, whole = np.int32(0), bits.size // _STRETCH
    for stretch in range(whole):
        top, magnitude = _STRUCK, np.int32(0)
        for i in range(_STRETCH):
            x = bits[stretch * _STRETCH + i]
            size = np.int32(x & _LOWER)
            magnitude = size if size > magnitude else magnitude
            turned = np.int32(x ^ np.int32(np.int32(x >> 31) & _LOWER))
            turned = np.int32(0) if turned == np.int32(-1) else turned
            buffer[stretch * _STRETCH + i] = turned
            top = turned if turned > top else top
        tops[stretch] = top
        largest = magnitude if magnitude > largest else largest
    if whole < tops.size:
        rest = _lay(bits[whole * _STRETCH :], buffer[whole * _STRETCH :])
        largest = rest if rest > largest else largest
        tops[whole] = _summit(buffer, whole)
    return largest


@part
def _lower(buffer: Any, tops: Any, seen: Any, barred: Any) -> None:
    """Strike out, and bring the maxima up to date: those of stretches that may have lost theirs."""
    for item in seen:
        was = buffer[item]
        buffer[item] = _STRUCK
        if was == tops[item // _STRETCH]:
            tops[item // _STRETCH] = _summit(buffer, item // _STRETCH)
    if barred.size:
        _strike(buffer, seen[:0], barred)
        for stretch in range(tops.size):
            tops[stretch] = _summit(buffer, stretch)


@part
def _bound(tops: Any, least: Any, k: Any) -> Any:
    """Return a score that at least k candidates reach, as that many stretches do; the least if too few do."""
    if tops.size < k:
        return np.int32(_NO_SCORE + 1)
    least[:k] = _NO_SCORE + 1  # the k largest maxima so far, the least of them first
    for top in tops:
        if top > least[0]:
            place = 0
            while place + 1 < k and least[place + 1] < top:
                least[place] = least[place + 1]
                place += 1
            least[place] = top
    return least[0]


@part
def _highest(buffer: Any, start: Any) -> Any:
    """Return the maximum of one step of a stretch."""
    top = _STRUCK
    for i in range(_STEP):  # of a fixed length, so that it is done in registers
        x = buffer[start + i]
        top = x if x > top else top
    return top


@part
def _rank(buffer: Any, tops: Any, of_user: Any, scores: Any, keys: Any, items: Any, k: Any) -> Any:
    """Put the k best candidates on the heap; return how many there are."""
    floor, size = _bound(tops, scores, k), 0
    for stretch in range(tops.size):
        if tops[stretch] < floor:
            continue
        for start in range(stretch * _STRETCH, min((stretch + 1) * _STRETCH, buffer.size), _STEP):
            if start + _STEP <= buffer.size and _highest(buffer, start) < floor:
                continue
            for item in range(start, min(start + _STEP, buffer.size)):
                if buffer[item] < floor:
                    continue
                key = _key(of_user, item)
                if size == k and buffer[item] == floor and key > keys[0]:  # most of a row where all are equal
                    continue
                size = _offer(scores, keys, items, size, k, buffer[item], key, np.int32(item))
                floor = scores[0] if size == k else floor
    return size


@compiled(
    types.void(
        _TABLE,
        _WORDS,
        _LONGS,
        _INTS,
        _FLAGS,
        _LONGS,
        types.int32[:, ::1],
        types.int32[::1],
        types.int64,
        types.int64,
    )
)
def best(
    bits: Any,
    of_users: Any,
    starts: Any,
    seen: Any,
    barred: Any,
    lengths: Any,
    lists: Any,
    largest: Any,
    first: Any,
    last: Any,
) -> None:
    """Write each row's best candidates into ``lists`` (B, K) and its largest magnitude into ``largest`` (B,).

    Args:
        bits: (B, I) the memory of float32 scores; -inf is no candidate.
        of_users: (B,) hash of seed and user.
        starts: (B + 1,) where each row's entries of ``seen`` start.
        seen: items that are no candidates.
        barred: (I,) items that are nobody's candidates; (0,) for none.
        lengths: (B,) how many are wanted, 1 to K.
        lists: (B, K) written: item ids, -1 behind the last.
        largest: (B,) written: bits of the largest magnitude; :data:`INFINITE` or above is not finite.
        first: row to begin with.
        last: row to stop before.
    """
    n_items = bits.shape[1]
    buffer, tops = np.empty(n_items, np.int32), np.empty((n_items + _STRETCH - 1) // _STRETCH, np.int32)
    k = lists.shape[1]
    scores, keys, items = np.empty(k, np.int32), np.empty(k, np.uint64), np.empty(k, np.int32)
    for row in range(first, last):
        largest[row] = _survey(bits[row], buffer, tops)
        _lower(buffer, tops, seen[starts[row] : starts[row + 1]], barred)
        size = _rank(buffer, tops, of_users[row], scores, keys, items, lengths[row])
        _write(scores, keys, items, size, lists[row])


@compiled(types.void(_TABLE, _WORDS, _TABLE, _LONGS, _INTS, types.int32[:, ::1], types.int64, types.int64))
def best_among(
    bits: Any, of_users: Any, drawn: Any, starts: Any, relevant: Any, lists: Any, first: Any, last: Any
) -> None:
    """Write the best of each row's drawn (B, D; -1 for none) and relevant items into ``lists`` (B, K)."""
    k = lists.shape[1]
    scores, keys, items = np.empty(k, np.int32), np.empty(k, np.uint64), np.empty(k, np.int32)
    buffer = np.empty(bits.shape[1], np.int32)
    for row in range(first, last):
        size, of_user = 0, of_users[row]
        _lay(bits[row], buffer)
        for item in drawn[row]:
            if item >= 0:
                size = _offer(scores, keys, items, size, k, buffer[item], _key(of_user, item), item)
        for item in relevant[starts[row] : starts[row + 1]]:
            size = _offer(scores, keys, items, size, k, buffer[item], _key(of_user, item), item)
        _write(scores, keys, items, size, lists[row])


@part
def _first_at_least(ascending: Any, item: Any) -> Any:
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low


@compiled(types.void(_TABLE, _LONGS, _INTS, types.int64[:, ::1], types.int64, types.int64))
def find(lists: Any, starts: Any, relevant: Any, places: Any, first: Any, last: Any) -> None:
    """Write where in ``relevant`` (ascending in a row) each place of a list (B, K) stands; -1 for a miss."""
    for row in range(first, last):
        mine = relevant[starts[row] : starts[row + 1]]
        for place in range(lists.shape[1]):
            item = lists[row, place]
            found = _first_at_least(mine, item)
            is_hit = found < mine.size and mine[found] == item
            places[row, place] = starts[row] + found if is_hit else -1


@part
def _twice_won(buffer: Any, score: Any) -> Any:
    """Return twice the number of items below a score, an equal one counted as half."""
    below, equal = np.int32(0), np.int32(0)
    for x in buffer:
        below += np.int32(x < score)
        equal += np.int32(x == score)
    return 2 * np.int64(below) + np.int64(equal)


@compiled(
    types.void(_TABLE, _LONGS, _INTS, _FLAGS, _LONGS, _INTS, types.float64[::1], types.int64, types.int64)
)
def areas(
    bits: Any,
    starts: Any,
    seen: Any,
    barred: Any,
    relevant_starts: Any,
    relevant: Any,
    auc: Any,
    first: Any,
    last: Any,
) -> None:
    """Write each row's share of (relevant, other) candidate pairs in the right order into ``auc`` (B,).

    Relevant items are candidates; each is compared with the whole row, which for a handful is quicker than
    sorting it. What a relevant item wins against its own kind and the struck out is taken off.
    """
    buffer = np.empty(bits.shape[1], np.int32)
    for row in range(first, last):
        _lay(bits[row], buffer)
        _strike(buffer, seen[starts[row] : starts[row + 1]], barred)
        mine = relevant[relevant_starts[row] : relevant_starts[row + 1]]
        hidden = _twice_won(buffer, np.int32(_NO_SCORE + 1)) // 2
        others = buffer.size - hidden - mine.size
        auc[row] = np.nan
        if mine.size and others:
            won = -mine.size * (2 * hidden + mine.size)
            for item in mine:
                won += _twice_won(buffer, buffer[item])
            auc[row] = won / 2 / (mine.size * others)
