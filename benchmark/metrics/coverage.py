"""What the lists show of the catalogue. ``lists`` is (U, K) item ids, -1 past the end of a short list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark import inequality
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
    return inequality.gini(exposure(lists, n_items))


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
    return _mean_over(lists, np.log2(n_users) - np.log2(np.maximum(counts, 1)))


def popularity(lists: Ids, counts: NDArray[Any]) -> Values:
    """Per-user mean number of training users of what is shown, shape (U,); nan for an empty list.

    Abdollahpouri et al. 2019, section 3.

    >>> popularity(np.array([[0, 1], [1, -1]]), np.array([4, 1])).tolist()
    [2.5, 1.0]
    """
    return _mean_over(lists, np.asarray(counts, dtype=np.float64))


def popularity_lift(lists: Ids, counts: NDArray[Any]) -> Values:
    """Per-user popularity of what is shown, next to the log, shape (U,): 1 is alike, above 1 more popular.

    :func:`popularity` divided by its mean over all training rows; nan for an empty list or log. After the
    group average popularity of Abdollahpouri et al. 2019, section 3.

    >>> popularity_lift(np.array([[0], [1]]), np.array([3, 1])).tolist()
    [1.2, 0.4]
    """
    rows = np.asarray(counts, dtype=np.float64)
    typical = (rows @ rows) / rows.sum() if rows.any() else np.nan
    return popularity(lists, rows) / typical


def personalisation(lists: Ids, n_items: int) -> float:
    """Return how much lists differ: 1 - mean over all pairs of users of the items both are shown / K.

    nan for fewer than two users. Exact: an item shown n times is shared by n (n - 1) / 2 pairs. Zhou et
    al. 2010, inter-user diversity.

    >>> personalisation(np.array([[0, 1], [0, 2]]), n_items=4)
    0.5
    """
    users, places = lists.shape
    if users < 2:
        return float("nan")
    shown = exposure(lists, n_items)
    shared = int(shown @ (shown - 1))
    return float(1.0 - shared / (users * (users - 1) * places))


OF_LISTS: Mapping[str, Callable[[Ids, int], float]] = {
    "coverage": coverage,
    "gini": gini,
    "personalisation": personalisation,
}
"""Metrics of a whole set of lists by the base of their name."""


def _mean_over(lists: Ids, values: Values) -> Values:
    shown = lists >= 0
    total = (values[np.where(shown, lists, 0)] * shown).sum(axis=1)
    length = shown.sum(axis=1)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)
