"""Stochastic gradient descent on pairs of items, compiled; importing this file loads its machine code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.torch.vectors import dot
from benchmark.compiled import compiled
from benchmark.protocol import Array, Interactions, Scores

REDRAWS = 8  # where all candidates are likes they are drawn again, this often


@dataclass(frozen=True)
class Likes:
    """A log as compiled code wants it: plain, writable arrays.

    Attributes:
        users: (N,) int64.
        items: (N,) int64.
        ends: (U + 1,) int64, where each user's likes start.
        liked: int64, the items of one user after another, ascending.
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
    """Return the log's likes."""
    matrix = train.matrix()
    columns = (train.users, train.items, matrix.indptr, matrix.indices)
    return Likes(*(np.array(column, dtype=np.int64) for column in columns))


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


@compiled("i8(u8, i8)")
def _below(chance: Any, n: Any) -> Any:
    """Return a whole number in 0..n-1 from the upper half of a random one."""
    return np.int64(((chance >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@compiled("b1(i8[::1], i8, i8, i8)")
def _holds(sorted_items: Any, low: Any, end: Any, item: Any) -> Any:
    """Return whether ``sorted_items[low:end]`` has the item; no branch depends on what is found there."""
    n = end - low
    if n == 0:
        return False
    while n > 1:
        half = n >> 1
        low += half * (sorted_items[low + half - 1] < item)
        n -= half
    return sorted_items[low] == item


@compiled("u8(f4[::1], f4[:,::1], f4[::1], i8[::1], f4[::1], u8)")
def _draw(vector: Any, of_items: Any, bias: Any, drawn: Any, scores: Any, chance: Any) -> Any:
    """Draw items and score them; return the chance left."""
    for k in range(len(drawn)):
        chance = _next(chance)
        item = _below(chance, len(bias))
        drawn[k] = item
        scores[k] = bias[item] + dot(vector, of_items[item])
    return chance


@compiled("i8(i8[::1], f4[::1], i8[::1], i8, i8)")
def _hardest(drawn: Any, scores: Any, liked: Any, low: Any, end: Any) -> Any:
    """Return the place of the highest score whose item is no like, -1 if all are; likes' scores are lost."""
    for _ in range(len(drawn)):
        best = 0
        for k in range(1, len(drawn)):
            best = k if scores[k] > scores[best] else best
        if not _holds(liked, low, end, drawn[best]):
            return best
        scores[best] = -np.inf
    return -1


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4)", fastmath=("contract",))
def _move(user: Any, liked: Any, other: Any, step: Any, keep: Any) -> None:
    """Move three vectors along the gradient of one pair, shrunk by the penalty."""
    for k in range(len(user)):
        of_user = user[k]
        user[k] = keep * of_user + step * (liked[k] - other[k])
        liked[k] = keep * liked[k] + step * of_user
        other[k] = keep * other[k] - step * of_user


@compiled("void(UniTuple(i8[::1], 4), UniTuple(f4[:,::1], 2), f4[::1], UniTuple(f8, 2), i8, u8)")
def _descend(likes: Any, vectors: Any, bias: Any, rates: Any, candidates: Any, chance: Any) -> None:
    """Walk down one pass; see :func:`descend`."""
    users, items, ends, liked = likes
    of_users, of_items = vectors
    keep = np.float32(1.0 - rates[0] * rates[1])
    drawn, scores = np.empty(candidates, np.int64), np.empty(candidates, np.float32)
    for _ in range(len(users)):
        chance = _next(chance)
        row = _below(chance, len(users))
        user, item = users[row], items[row]
        vector, best = of_users[user], np.int64(-1)
        for _ in range(REDRAWS):
            chance = _draw(vector, of_items, bias, drawn, scores, chance)
            best = _hardest(drawn, scores, liked, ends[user], ends[user + 1])
            if best >= 0:
                break
        if best >= 0:
            other = drawn[best]
            difference = bias[item] + dot(vector, of_items[item]) - scores[best]
            step = np.float32(rates[0] / (1.0 + np.exp(difference)))
            _move(vector, of_items[item], of_items[other], step, keep)
            bias[item] = keep * bias[item] + step
            bias[other] = keep * bias[other] - step
