"""The planted log that the contract is checked on, and the same with other features."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from benchmark.protocol import Features, Interactions, KnowledgeGraph

UNSEEN = 2  # users, and items, that have no row in the planted log
given: tuple[Interactions, Interactions] | None = None
"""Both parts, where another process has planted them: an environment has nothing to plant them with."""


@cache
def planted_parts() -> tuple[Interactions, Interactions]:
    """Return a planted log cut at random into train (80 %) and test, two users and items of it without a row.

    >>> train, test = planted_parts()
    >>> train.n_users, train.n_items, len(train), len(test)
    (202, 122, 4800, 1200)
    """
    if given is not None:
        return given
    from benchmark.datasets.sources.synthetic import synthetic_log

    log = synthetic_log(users=200, items=120, interactions=6_000, seed=7)
    users, items, values, times = (log.frame[name].to_numpy() for name in ("user", "item", "value", "time"))
    known = genre_features(log.items, 120 + UNSEEN)
    everything = Interactions(
        users=(users - 1).astype(np.int32),
        items=(items - 1).astype(np.int32),
        values=values.astype(np.float32),
        times=times.astype(np.int64),
        positive=values >= 4,
        n_users=200 + UNSEEN,
        n_items=120 + UNSEEN,
        scale=log.scale,
        item_features=known,
        graph=genre_graph(known),
    )
    held_out = np.zeros(len(everything), dtype=np.bool_)
    held_out[np.random.default_rng(7).permutation(len(everything))[: len(everything) // 5]] = True
    return everything.rows(~held_out), everything.rows(held_out)


def genre_features(table: Any, n_items: int) -> Features:
    """Return the planted genres of each item as features and words; unseen items have the last item's."""
    planted_genres = table.sort_values("item").genres.tolist()
    unseen = planted_genres[-1:] * (n_items - len(planted_genres))
    genres = [joined.split("|") for joined in planted_genres + unseen]
    names = sorted({name for own in genres for name in own})
    ones = [[float(name in own) for name in names] for own in genres]
    matrix = csr_matrix(np.array(ones, dtype=np.float32))
    return Features(matrix, tuple(f"genres={name}" for name in names), tuple(map(" ".join, genres)))


def genre_graph(features: Features) -> KnowledgeGraph:
    """Return the features of items as triples: an item, ``genres``, and an entity for each feature.

    >>> from scipy.sparse import csr_matrix
    >>> graph = genre_graph(Features(csr_matrix(np.eye(2, dtype=np.float32)), ("a", "b")))
    >>> graph.heads.tolist(), graph.tails.tolist(), graph.n_entities
    ([0, 1], [2, 3], 4)
    """
    n_items, n_features = features.matrix.shape
    heads, tails = (ends.astype(np.int32) for ends in features.matrix.nonzero())
    return KnowledgeGraph(
        heads, np.zeros(len(heads), np.int32), tails + np.int32(n_items), n_items + n_features, ("genres",)
    )


def described(train: Interactions) -> Interactions:
    """Return the log with users in one of four random groups, as features and words."""
    groups = np.random.default_rng(0).integers(4, size=train.n_users)
    matrix = csr_matrix(np.eye(4, dtype=np.float32)[groups])
    names = tuple(f"group={group}" for group in range(4))
    return replace(train, user_features=Features(matrix, names, tuple(f"group {group}" for group in groups)))


def unseen_changed(train: Interactions, side: str) -> Interactions:
    """Return the log with others' features for users or items without a row, or others' triples for items."""
    features = train.user_features if side == "users" else train.item_features
    assert features is not None
    n_rows = features.matrix.shape[0]
    unlike = (features.matrix.toarray() != features.matrix[n_rows - 1].toarray()).any(axis=1)
    rows = np.arange(n_rows)
    rows[-UNSEEN:] = unlike.argmax()
    if side == "graph":
        unlike_graph = genre_graph(replace(features, matrix=features.matrix[rows]))
        return replace(train, graph=unlike_graph)
    changed = Features(features.matrix[rows], features.names, tuple(features.texts[row] for row in rows))
    if side == "users":
        return replace(train, user_features=changed)
    return replace(train, item_features=changed)
