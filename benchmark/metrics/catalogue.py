"""What the lists show of the catalogue. ``lists`` is (U, K) item ids, -1 past the end of a short list."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Ids, Values


def exposure(lists: Ids, n_items: int) -> NDArray[np.int64]:
    """Return how often each item is shown, shape (I,).

    >>> exposure(np.array([[0, 2], [2, -1]]), n_items=4).tolist()
    [1, 0, 2, 0]
    """
    return np.bincount(lists[lists >= 0], minlength=n_items)


def coverage(lists: Ids, n_items: int) -> float:
    """Return the share of the catalogue that anybody is shown: distinct items in all lists / items.

    Ge, Delgado & Jannach 2010, section 3.1.

    >>> coverage(np.array([[0, 2], [2, -1]]), n_items=4)
    0.5
    """
    return float(np.count_nonzero(exposure(lists, n_items))) / n_items


def gini(lists: Ids, n_items: int) -> float:
    """Return the inequality of exposure: 0 if all items are shown equally often, 1 if only one ever is.

    Over all items, never-shown ones included, divided by I - 1 so that 1 can be reached. nan where
    nothing is shown or there is one item. Castells, Hurley & Vargas 2015, section 26.3.

    >>> gini(np.array([[2], [2]]), n_items=4), gini(np.array([[0, 1], [2, 3]]), n_items=4)
    (1.0, 0.0)
    """
    shown = np.sort(exposure(lists, n_items))
    total = int(shown.sum())
    if total == 0 or n_items < 2:
        return float("nan")
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float(weights @ shown) / ((n_items - 1) * total)


def novelty(lists: Ids, counts: NDArray[Any], n_users: int) -> Values:
    """Per-user mean self-information of what is shown, in bits, shape (U,); nan for an empty list.

    -log2(max(count, 1) / users), so an item nobody has counts as if one user had it. Zhou et al. 2010.

    Args:
        lists: (U, K).
        counts: (I,) training users of each item.
        n_users: all training users, those without a list included.

    >>> novelty(np.array([[0, 1], [1, -1]]), np.array([4, 1]), n_users=4).tolist()
    [1.0, 2.0]
    """
    bits = np.log2(n_users) - np.log2(np.maximum(counts, 1))
    shown = lists >= 0
    total = (bits[np.where(shown, lists, 0)] * shown).sum(axis=1)
    length = shown.sum(axis=1)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)
