"""The gradient steps of Surprise's SVD, compiled: the library's own loop cannot stop, nor go on.

The same arithmetic on the same rows in the same order, so that a whole fit ends with the library's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from adapters.surprise.training import present
from benchmark.jit import compiled
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Longs, Values


@dataclass(frozen=True)
class SvdTables:
    """What is learned, changed in place: D factors, then perhaps a column that stays as it is.

    Attributes:
        users: (U, D or D + 1); zeros where there is no row.
        items: (I, D or D + 1), likewise.
        user_bias: (U,).
        item_bias: (I,).
        mean: of all ratings.
    """

    users: Values
    items: Values
    user_bias: Values
    item_bias: Values
    mean: float

    @classmethod
    def drawn(cls, train: Interactions, dim: int, seed: int, *, biased: bool) -> SvdTables:
        """Return what the library starts from; without biases one more factor takes off the mean."""
        from surprise.utils import get_rng

        rng, tables = get_rng(seed), []
        mean = float(np.mean(train.values[library_order(train)], dtype=np.float64))
        sides = (train.users, train.n_users, 1.0), (train.items, train.n_items, -mean)
        for ids, n, last in sides:
            here, table = present(ids), np.zeros((n, dim + (not biased)))
            table[here, :dim] = rng.normal(0, 0.1, size=(len(here), dim))
            if not biased:
                table[here, dim] = last
            tables.append(table)
        of_users, of_items = tables
        return cls(of_users, of_items, np.zeros(train.n_users), np.zeros(train.n_items), mean)


def library_order(train: Interactions) -> Longs:
    """Return the rows (N,) as Surprise walks through them: user by user, as the log first names them.

    >>> log = Interactions(
    ...     users=np.array([3, 1, 3, 1], dtype=np.int32), items=np.arange(4, dtype=np.int32),
    ...     values=np.ones(4, dtype=np.float32), times=np.array([], dtype=np.int64),
    ...     positive=np.ones(4, dtype=np.bool_), n_users=4, n_items=4)
    >>> library_order(log).tolist()
    [0, 2, 1, 3]
    """
    first = np.zeros(train.n_users, dtype=np.int64)
    first[train.users[::-1]] = np.arange(len(train))[::-1]
    return np.argsort(first[train.users], kind="stable")


def svd_steps(
    train: Interactions, tables: SvdTables, rates: tuple[float, float], pace: Pace, *, biased: bool
) -> Iterator[int]:
    """Train for ever; yield after each step how many rows it trained.

    Args:
        train: the ratings.
        tables: changed in place.
        rates: learning rate and L2 penalty.
        pace: where a pass is cut into steps.
        biased: whether there are biases, and the mean is part of a prediction.
    """
    log, order = (train.users, train.items, train.values), library_order(train)
    learned = tables.users, tables.items
    biases = tables.user_bias, tables.item_bias
    n_factors = tables.users.shape[1] - (not biased)
    mean = tables.mean if biased else 0.0
    while True:
        done = 0
        for end, rows in pace.ends(len(train)).items():
            descend_ratings(log, order[done:end], learned, biases, (*rates, mean), (n_factors, int(biased)))
            done = end
            yield rows


_IDS = types.Array(types.int32, 1, "C", readonly=True)
_LOG = types.Tuple((_IDS, _IDS, types.Array(types.float32, 1, "C", readonly=True)))
_TABLES = types.UniTuple(types.float64[:, ::1], 2)
_BIASES = types.UniTuple(types.float64[::1], 2)


@compiled(
    types.void(
        _LOG,
        types.int64[::1],
        _TABLES,
        _BIASES,
        types.UniTuple(types.float64, 3),
        types.UniTuple(types.int64, 2),
    )
)
def descend_ratings(log: Any, order: Any, tables: Any, biases: Any, rates: Any, shape: Any) -> None:
    """Take a gradient step on each row in turn, as ``surprise.SVD.sgd`` does."""
    (users, items, values), (p, q), (user_bias, item_bias) = log, tables, biases
    lr, l2, mean = rates
    n_factors, biased = shape
    for row in order:
        u, i = np.uint64(users[row]), np.uint64(items[row])
        dot = 0.0
        for f in range(n_factors):
            dot += q[i, f] * p[u, f]
        error = np.float64(values[row]) - (mean + user_bias[u] + item_bias[i] + dot)
        if biased:
            user_bias[u] += lr * (error - l2 * user_bias[u])
            item_bias[i] += lr * (error - l2 * item_bias[i])
        for f in range(n_factors):
            of_user, of_item = p[u, f], q[i, f]
            p[u, f] += lr * (error * of_item - l2 * of_user)
            q[i, f] += lr * (error * of_user - l2 * of_item)
