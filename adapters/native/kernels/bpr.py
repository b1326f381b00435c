"""Stochastic gradient descent on pairs of items, compiled; importing this file loads its machine code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import types

from adapters.native.kernels.dot import IDS, row_dot
from benchmark.jit import compiled
from benchmark.protocol import Floats32, Ids, Interactions, Longs, Values

REDRAWS = 8  # where all drawn items are positives they are drawn again, this often

_ENDS = types.Array(types.int64, 1, "C", readonly=True)
_LOG = types.Tuple((IDS, IDS, _ENDS, IDS))
_TABLE, _COLUMN = types.float32[:, ::1], types.float32[::1]
_TABLES = types.UniTuple(_TABLE, 2)
_ROW = types.uint64  # a signed one is asked at each use whether it counts from the end


@dataclass(frozen=True)
class Positives:
    """A log in the types that compiled code wants.

    Attributes:
        users: (N,) user of each row.
        items: (N,) item of each row.
        ends: (U + 1,) where each user's positives start in ``sorted_items``.
        sorted_items: the positives of one user after another, ascending.
    """

    users: Ids
    items: Ids
    ends: Longs
    sorted_items: Ids

    @classmethod
    def from_log(cls, train: Interactions) -> Positives:
        """Take a log; arrays of these types already are not copied."""
        matrix = train.matrix()
        users, items, sorted_items = (
            np.ascontiguousarray(column, dtype=np.int32)
            for column in (train.users, train.items, matrix.indices)
        )
        return cls(users, items, matrix.indptr.astype(np.int64, copy=False), sorted_items)

    def drawn(self, shares: Values, rng: np.random.Generator) -> Positives:
        """Return a log of as many rows, each drawn with its share (N,); what is a positive stays the same.

        The draw is systematic: a row with a share of ``m / N`` occurs ``m`` times, rounded up or down.
        """
        ends = shares.cumsum() * (len(shares) / shares.sum())
        rows = np.searchsorted(ends, np.arange(len(shares)) + rng.random(), side="right")
        rows = rows.clip(max=len(shares) - 1)
        return replace(self, users=self.users[rows], items=self.items[rows])


@dataclass(frozen=True)
class Tables:
    """What is learned: users (U, D), items (I, D) and biases (I,), changed in place."""

    users: Floats32
    items: Floats32
    bias: Floats32


def bpr_walk(
    positives: Positives, tables: Tables, rates: tuple[float, float], counts: tuple[int, int], state: int
) -> int:
    """Take gradient steps, each on a positive drawn at random and on the negative that scores highest.

    Returns the state of the random numbers, with which a next call goes on as if it were the same.

    Rendle 2009, figure 4: the log of the sigmoid of the difference ``x(u, i) - x(u, j)`` goes up, with an L2
    penalty on what took part. With one negative j is uniform, as there; with more it is the hardest of
    them (Zhang 2013, SIGIR, algorithm 2), so that few steps are spent without a gradient.

    Args:
        positives: the log.
        tables: changed in place.
        rates: learning rate and L2 penalty.
        counts: how many steps, and how many items are drawn for each.
        state: from 1 to 2**63 - 1, or what the last call returned.
    """
    log = (positives.users, positives.items, positives.ends, positives.sorted_items)
    return int(descend(log, (tables.users, tables.items), tables.bias, rates, counts, np.uint64(state)))


@compiled("u8(u8)")
def xorshift(state: Any) -> Any:
    """Return the next number of Marsaglia's xorshift64 (2003, JSS 8(14))."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    return state ^ (state << np.uint64(17))


@compiled("u8(u8, u8)")
def below(state: Any, n: Any) -> Any:
    """Return a whole number in 0..n-1 from the upper half of a random one."""
    return ((state >> np.uint64(32)) * n) >> np.uint64(32)


@compiled(types.boolean(IDS, _ROW, _ROW, types.int32))
def contains(sorted_items: Any, low: Any, end: Any, item: Any) -> Any:
    """Return whether ``sorted_items[low:end]`` has the item; no branch depends on what is found there."""
    n = end - low
    if n == 0:
        return False
    while n > 1:
        half = n >> np.uint64(1)
        low += half * np.uint64(sorted_items[low + half - np.uint64(1)] < item)
        n -= half
    return sorted_items[low] == item


@compiled(types.int64(types.uint64[::1], _COLUMN, IDS, _ROW, _ROW))
def hardest_negative(drawn: Any, scores: Any, sorted_items: Any, low: Any, end: Any) -> Any:
    """Return the index of the highest score whose item is no positive, -1 if all are.

    The scores of positives are overwritten.
    """
    for _ in range(len(drawn)):
        best = 0
        for k in range(1, len(drawn)):
            best = k if scores[k] > scores[best] else best
        if not contains(sorted_items, low, end, np.int32(drawn[best])):
            return best
        scores[best] = -np.inf
    return -1


@compiled(types.void(_TABLES, types.UniTuple(_ROW, 3), types.float32, types.float32), fastmath=("contract",))
def move_vectors(tables: Any, rows: Any, step: Any, keep: Any) -> None:
    """Move three vectors along the gradient of one pair, shrunk by the penalty."""
    users, items = tables
    user, positive, negative = rows
    for k in range(users.shape[1]):
        old = users[user, k]
        users[user, k] = keep * old + step * (items[positive, k] - items[negative, k])
        items[positive, k] = keep * items[positive, k] + step * old
        items[negative, k] = keep * items[negative, k] - step * old


@compiled(
    types.uint64(
        _LOG, _TABLES, _COLUMN, types.UniTuple(types.float64, 2), types.UniTuple(types.int64, 2), _ROW
    )
)
def descend(log: Any, tables: Any, bias: Any, rates: Any, counts: Any, state: Any) -> Any:
    """Walk down, one like after the other, and return the state of the random numbers; see :func:`bpr_walk`.

    Views of rows, or calls with more than a few arrays, would cost as much as the dot products.
    """
    users, items, ends, sorted_items = log
    of_users, of_items = tables
    keep = np.float32(1.0 - rates[0] * rates[1])
    n_likes, n_negatives = counts
    drawn, scores = np.empty(n_negatives, np.uint64), np.empty(n_negatives, np.float32)
    for _ in range(n_likes):
        state = xorshift(state)
        row = below(state, np.uint64(len(users)))
        user, item, best = np.uint64(users[row]), np.uint64(items[row]), np.int64(-1)
        low, end = np.uint64(ends[user]), np.uint64(ends[user + np.uint64(1)])
        for _ in range(REDRAWS):
            for k in range(n_negatives):
                state = xorshift(state)
                drawn[k] = below(state, np.uint64(len(bias)))
                scores[k] = bias[drawn[k]] + row_dot(of_users, user, of_items, drawn[k])
            best = hardest_negative(drawn, scores, sorted_items, low, end)
            if best >= 0:
                break
        if best >= 0:
            other = drawn[best]
            difference = bias[item] + row_dot(of_users, user, of_items, item) - scores[best]
            step = np.float32(rates[0] / (1.0 + np.exp(difference)))
            move_vectors(tables, (user, item, other), step, keep)
            bias[item] = keep * bias[item] + step
            bias[other] = keep * bias[other] - step
    return state
