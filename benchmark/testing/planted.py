"""The planted log that the contract is checked on, and the same with other features."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.protocol import Features, Interactions

STRANGERS = 2  # users, and items, that have no row in the planted log


@cache
def planted_parts() -> tuple[Interactions, Interactions]:
    """Return a planted log cut at random into train (80 %) and test, two users and items of it without a row.

    >>> train, test = planted_parts()
    >>> train.n_users, train.n_items, len(train), len(test)
    (202, 122, 4800, 1200)
    """
    log = synthetic_log(users=200, items=120, interactions=6_000, seed=7)
    frame = log.frame
    everything = Interactions(
        users=(frame["user"].to_numpy() - 1).astype(np.int32),
        items=(frame["item"].to_numpy() - 1).astype(np.int32),
        values=frame["value"].to_numpy(dtype=np.float32),
        times=frame["time"].to_numpy().astype(np.int64),
        positive=frame["value"].to_numpy() >= 4,
        n_users=200 + STRANGERS,
        n_items=120 + STRANGERS,
        scale=log.scale,
        item_features=_genres(log.items, 120 + STRANGERS),
    )
    held_out = np.zeros(len(everything), dtype=np.bool_)
    held_out[np.random.default_rng(7).permutation(len(everything))[: len(everything) // 5]] = True
    return everything.rows(~held_out), everything.rows(held_out)


def _genres(table: Any, n_items: int) -> Features:
    """Return the planted tastes of each item as features and words; strangers have the last item's."""
    known = table.sort_values("item")["genres"].tolist()
    genres = [one.split("|") for one in known + known[-1:] * (n_items - len(known))]
    names = sorted({name for one in genres for name in one})
    ones = [[float(name in one) for name in names] for one in genres]
    matrix = csr_matrix(np.array(ones, dtype=np.float32))
    return Features(matrix, tuple(f"genres={name}" for name in names), tuple(map(" ".join, genres)))


def described(train: Interactions) -> Interactions:
    """Return the log with users in one of four drawn groups, as features and words."""
    groups = np.random.default_rng(0).integers(4, size=train.n_users)
    matrix = csr_matrix(np.eye(4, dtype=np.float32)[groups])
    names = tuple(f"group={group}" for group in range(4))
    return replace(train, user_features=Features(matrix, names, tuple(f"group {group}" for group in groups)))


def strangers_changed(train: Interactions, side: str) -> Interactions:
    """Return the log with other features for users or items without a row: those of a row unlike theirs."""
    features = train.user_features if side == "users" else train.item_features
    assert features is not None
    n_rows = features.matrix.shape[0]
    unlike = (features.matrix.toarray() != features.matrix[n_rows - 1].toarray()).any(axis=1)
    rows = np.arange(n_rows)
    rows[-STRANGERS:] = unlike.argmax()
    changed = Features(features.matrix[rows], features.names, tuple(features.texts[row] for row in rows))
    if side == "users":
        return replace(train, user_features=changed)
    return replace(train, item_features=changed)
