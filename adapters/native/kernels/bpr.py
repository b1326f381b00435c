"""Stochastic gradient descent on pairs of items, compiled; importing this file loads its machine code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from adapters.native.kernels.dot import PLACES, row_dot
from benchmark.jit import compiled
from benchmark.protocol import Array, Interactions, Scores

REDRAWS = 8  # where all candidates are likes they are drawn again, this often

_ENDS = types.Array(types.int64, 1, "C", readonly=True)
_LOG = types.Tuple((PLACES, PLACES, _ENDS, PLACES))
_TABLE, _COLUMN = types.float32[:, ::1], types.float32[::1]
_TABLES = types.UniTuple(_TABLE, 2)
_ROW = types.uint64  # a signed one is asked at each use whether it counts from the end


@dataclass(frozen=True)
class Likes:
    """A log as compiled code wants it.

    Attributes:
        users: (N,) int32.
        items: (N,) int32.
        ends: (U + 1,) int64, where each user's likes start in ``liked``.
        liked: int32, the items of one user after another, ascending.
    """

    users: Array
    items: Array
    ends: Array
    liked: Array


@dataclass(frozen=True)
class Tables:
    """What is learned: users (U, D), items (I, D) and biases (I,), float32, changed in place."""

    users: Scores
    items: Scores
    bias: Scores


def likes_of(train: Interactions) -> Likes:
    """Return the log's likes; arrays of these types already are not copied."""
    matrix = train.matrix()
    users, items, liked = (
        np.ascontiguousarray(column, dtype=np.int32) for column in (train.users, train.items, matrix.indices)
    )
    return Likes(users, items, matrix.indptr.astype(np.int64, copy=False), liked)


def descend(likes: Likes, tables: Tables, rates: tuple[float, float], candidates: int, seed: int) -> None:
    """Take N steps, each on a like drawn at random and on the candidate that scores highest.

    Rendle 2009, figure 4: the log of the sigmoid of the difference ``x(u, i) - x(u, j)`` goes up, with an L2
    penalty on what took part. With one candidate j is uniform, as there; with more it is the hardest of
    them (Zhang 2013, SIGIR, algorithm 2), which few steps without a gradient are spent on.

    Args:
        likes: what was liked.
        tables: changed in place.
        rates: learning rate and L2 penalty.
        candidates: items without a like drawn for each step.
        seed: from 1 to 2**63 - 1.
    """
    logs = (likes.users, likes.items, likes.ends, likes.liked)
    _descend(logs, (tables.users, tables.items), tables.bias, rates, candidates, np.uint64(seed))


@compiled("u8(u8)")
def _next(chance: Any) -> Any:
    """Return the next number of Marsaglia's xorshift64 (2003, JSS 8(14))."""
    chance ^= chance << np.uint64(13)
    chance ^= chance >> np.uint64(7)
    return chance ^ (chance << np.uint64(17))


@compiled("u8(u8, u8)")
def _below(chance: Any, n: Any) -> Any:
    """Return a whole number in 0..n-1 from the upper half of a random one."""
    return ((chance >> np.uint64(32)) * n) >> np.uint64(32)


@compiled(types.boolean(PLACES, _ROW, _ROW, types.int32))
def _holds(sorted_items: Any, low: Any, end: Any, item: Any) -> Any:
    """Return whether ``sorted_items[low:end]`` has the item; no branch depends on what is found there."""
    n = end - low
    if n == 0:
        return False
    while n > 1:
        half = n >> np.uint64(1)
        low += half * np.uint64(sorted_items[low + half - np.uint64(1)] < item)
        n -= half
    return sorted_items[low] == item


@compiled(types.int64(types.uint64[::1], _COLUMN, PLACES, _ROW, _ROW))
def _hardest(drawn: Any, scores: Any, liked: Any, low: Any, end: Any) -> Any:
    """Return the place of the highest score whose item is no like, -1 if all are; likes' scores are lost."""
    for _ in range(len(drawn)):
        best = 0
        for k in range(1, len(drawn)):
            best = k if scores[k] > scores[best] else best
        if not _holds(liked, low, end, np.int32(drawn[best])):
            return best
        scores[best] = -np.inf
    return -1


@compiled(types.void(_TABLES, types.UniTuple(_ROW, 3), types.float32, types.float32), fastmath=("contract",))
def _move(tables: Any, rows: Any, step: Any, keep: Any) -> None:
    """Move three vectors along the gradient of one pair, shrunk by the penalty."""
    of_users, of_items = tables
    user, liked, other = rows
    for k in range(of_users.shape[1]):
        of_user = of_users[user, k]
        of_users[user, k] = keep * of_user + step * (of_items[liked, k] - of_items[other, k])
        of_items[liked, k] = keep * of_items[liked, k] + step * of_user
        of_items[other, k] = keep * of_items[other, k] - step * of_user


@compiled(types.void(_LOG, _TABLES, _COLUMN, types.UniTuple(types.float64, 2), types.int64, types.uint64))
def _descend(likes: Any, tables: Any, bias: Any, rates: Any, candidates: Any, chance: Any) -> None:
    """Walk down one pass; see :func:`descend`.

    Views of rows, or calls with more than a few arrays, would cost as much as the dot products.
    """
    users, items, ends, liked = likes
    of_users, of_items = tables
    keep = np.float32(1.0 - rates[0] * rates[1])
    drawn, scores = np.empty(candidates, np.uint64), np.empty(candidates, np.float32)
    for _ in range(len(users)):
        chance = _next(chance)
        row = _below(chance, np.uint64(len(users)))
        user, item, best = np.uint64(users[row]), np.uint64(items[row]), np.int64(-1)
        low, end = np.uint64(ends[user]), np.uint64(ends[user + np.uint64(1)])
        for _ in range(REDRAWS):
            for k in range(candidates):
                chance = _next(chance)
                drawn[k] = _below(chance, np.uint64(len(bias)))
                scores[k] = bias[drawn[k]] + row_dot(of_users, user, of_items, drawn[k])
            best = _hardest(drawn, scores, liked, low, end)
            if best >= 0:
                break
        if best >= 0:
            other = drawn[best]
            difference = bias[item] + row_dot(of_users, user, of_items, item) - scores[best]
            step = np.float32(rates[0] / (1.0 + np.exp(difference)))
            _move(tables, (user, item, other), step, keep)
            bias[item] = keep * bias[item] + step
            bias[other] = keep * bias[other] - step
