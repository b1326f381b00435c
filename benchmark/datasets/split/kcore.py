"""The k-core of a log: users and items with enough rows among each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.prepare.pipeline import Count, Prepared
from benchmark.datasets.specs import CoreSpec
from benchmark.errors import SplitError
from benchmark.protocol import Array, Features, Interactions

Mask: TypeAlias = NDArray[np.bool_]


def k_core(log: Interactions, spec: CoreSpec, *, among: Mask | None = None) -> Mask:
    """Return which rows (N,) are of a user and an item of the core.

    A user stays who has ``spec.user`` rows with items that stay, an item with ``spec.item`` rows of users
    who stay; the largest such core (Batagelj & Zaversnik 2003, arXiv:cs/0310049, on the bipartite graph).

    Args:
        log: the rows.
        spec: the least numbers.
        among: which rows are counted, (N,); all if not given.
    """
    users, items = (log.users, log.items) if among is None else (log.users[among], log.items[among])
    while True:
        stay_users = np.bincount(users, minlength=log.n_users) >= spec.user
        stay_items = np.bincount(items, minlength=log.n_items) >= spec.item
        stay = stay_users[users] & stay_items[items]
        if stay.all():
            break
        users, items = users[stay], items[stay]
    has_user, has_item = (
        np.bincount(users, minlength=log.n_users) > 0,
        np.bincount(items, minlength=log.n_items) > 0,
    )
    kept: Mask = has_user[log.users] & has_item[log.items]
    return kept


def keep(prepared: Prepared, rows: Mask, note: str) -> Prepared:
    """Return the log with some of its rows (N,) alone, in dense ids again, the step counted.

    Raises:
        SplitError: no row is left.
    """
    log, core = prepared.interactions, prepared.k_core
    assert core, "the caller has looked"
    if not rows.any():
        raise SplitError(
            f"{prepared.name}: prepare.k_core (user {core.user}, item {core.item}) leaves no row of "
            f"{len(log)}; at least one must be left: lower it"
        )
    kept = log.rows(rows)
    users, of_user = _present(kept.users, log.n_users)
    items, of_item = _present(kept.items, log.n_items)
    interactions = replace(
        kept,
        users=of_user[kept.users],
        items=of_item[kept.items],
        n_users=len(users),
        n_items=len(items),
        user_features=_some(log.user_features, users),
        item_features=_some(log.item_features, items),
    )
    step: Count = {
        "step": "k-core",
        "rows": len(kept),
        "users": len(users),
        "items": len(items),
        "note": f"user {core.user}, item {core.item}; {note}",
    }
    return replace(
        prepared,
        interactions=interactions,
        user_ids=prepared.user_ids[users],
        item_ids=prepared.item_ids[items],
        titles=_chosen(prepared.titles, items),
        user_table=_lines(prepared.user_table, users),
        item_table=_lines(prepared.item_table, items),
        parts=None if prepared.parts is None else prepared.parts[rows],
        counts=[*prepared.counts, step],
    )


def _present(codes: Array, n: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the codes that occur, ascending, and the new code of each old one (n,)."""
    occurs = np.bincount(codes, minlength=n) > 0
    return np.flatnonzero(occurs), (occurs.cumsum() - 1).astype(np.int32)


def _chosen(words: list[str] | None, places: NDArray[np.int64]) -> list[str] | None:
    return None if words is None else [words[place] for place in places.tolist()]


def _lines(table: pd.DataFrame | None, places: NDArray[np.int64]) -> pd.DataFrame | None:
    return None if table is None else table.iloc[places].reset_index(drop=True)


def _some(features: Features | None, places: NDArray[np.int64]) -> Features | None:
    if features is None:
        return None
    texts = tuple(features.texts[place] for place in places.tolist()) if features.texts else ()
    return replace(features, matrix=features.matrix[places], texts=texts)
