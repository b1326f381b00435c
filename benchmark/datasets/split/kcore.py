"""The k-core of a log: users and items with enough rows among each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.manifest import StepCounts
from benchmark.datasets.prepare.knowledge import graph_of_items
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.specs import CoreSpec
from benchmark.errors import SplitError
from benchmark.protocol import Array, Features, Interactions, Longs

Mask: TypeAlias = NDArray[np.bool_]


def k_core(log: Interactions, spec: CoreSpec, *, among: Mask | None = None) -> Mask:
    """Return which rows (N,) belong to a user and an item of the core.

    A user stays who has ``spec.user`` rows with items that stay, an item with ``spec.item`` rows of users
    who stay; the largest such core (Batagelj & Zaversnik 2003, arXiv:cs/0310049, on the bipartite graph).

    Args:
        log: the rows.
        spec: the fewest rows of each.
        among: which rows are counted, (N,); all if not given.
    """
    users, items = (log.users, log.items) if among is None else (log.users[among], log.items[among])
    while True:
        enough_users = np.bincount(users, minlength=log.n_users) >= spec.user
        enough_items = np.bincount(items, minlength=log.n_items) >= spec.item
        stay = enough_users[users] & enough_items[items]
        if stay.all():
            break
        users, items = users[stay], items[stay]
    has_user = np.bincount(users, minlength=log.n_users) > 0
    has_item = np.bincount(items, minlength=log.n_items) > 0
    kept: Mask = has_user[log.users] & has_item[log.items]
    return kept


def keep(prepared: Prepared, rows: Mask, note: str) -> Prepared:
    """Return the log with only these rows (N,), in new dense ids, the step counted.

    Raises:
        SplitError: no row is left.
    """
    log, core = prepared.interactions, prepared.k_core
    assert core, "the caller has looked"
    if not rows.any():
        raise SplitError(
            f"{prepared.name}: prepare.k_core (user {core.user}, item {core.item}) leaves none of the "
            f"{len(log)} rows; at least one must be left: lower it"
        )
    kept = log.rows(rows)
    users, new_users = renumbered(kept.users, log.n_users)
    items, new_items = renumbered(kept.items, log.n_items)
    graph = graph_of_items(prepared.graph, items, prepared.item_ids)
    interactions = replace(
        kept,
        graph=graph.triples if graph else None,
        users=new_users[kept.users],
        items=new_items[kept.items],
        n_users=len(users),
        n_items=len(items),
        user_features=features_of_rows(log.user_features, users),
        item_features=features_of_rows(log.item_features, items),
    )
    counts = StepCounts(
        step="k-core",
        rows=len(kept),
        users=len(users),
        items=len(items),
        note=f"user {core.user}, item {core.item}; {note}",
    )
    return replace(
        prepared,
        graph=graph,
        interactions=interactions,
        user_ids=prepared.user_ids[users],
        item_ids=prepared.item_ids[items],
        titles=None if prepared.titles is None else [prepared.titles[item] for item in items.tolist()],
        user_table=table_rows(prepared.user_table, users),
        item_table=table_rows(prepared.item_table, items),
        labels=None if prepared.labels is None else prepared.labels[rows],
        steps=(*prepared.steps, counts),
    )


def renumbered(ids: Array, n: int) -> tuple[Longs, NDArray[np.int32]]:
    """Return the dense ids that occur, ascending, and the new id of each old one (n,)."""
    occurs = np.bincount(ids, minlength=n) > 0
    return np.flatnonzero(occurs), (occurs.cumsum() - 1).astype(np.int32)


def table_rows(table: pd.DataFrame | None, rows: Longs) -> pd.DataFrame | None:
    """Return these rows of a table on a new index; None without a table."""
    return None if table is None else table.iloc[rows].reset_index(drop=True)


def features_of_rows(features: Features | None, rows: Longs) -> Features | None:
    """Return the features of these users or items; None without features."""
    if features is None:
        return None
    texts = tuple(features.texts[row] for row in rows.tolist()) if features.texts else ()
    return replace(features, matrix=features.matrix[rows], texts=texts)
