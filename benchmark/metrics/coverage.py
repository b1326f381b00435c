"""How much of the catalogue the lists show. ``lists`` is (E, K) items, -1 past the last candidate."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark import inequality
from benchmark.metrics.register import metric
from benchmark.protocol import Ids, Longs, Values


def exposure(lists: Ids, n_items: int) -> Longs:
    """Return how often each item is shown, shape (I,).

    >>> exposure(np.array([[0, 2], [2, -1]]), n_items=4).tolist()
    [1, 0, 2, 0]
    """
    return np.bincount(lists[lists >= 0], minlength=n_items)


@metric(
    "coverage",
    kind="catalogue",
    formula="distinct items in all lists / items",
    source="Ge, Delgado & Jannach 2010, 3.1",
    per_user=False,
)
def coverage(lists: Ids, n_items: int) -> float:
    """Return the share of the catalogue that anybody is shown: distinct items in all lists / items.

    Ge, Delgado & Jannach 2010, section 3.1.

    >>> coverage(np.array([[0, 2], [2, -1]]), n_items=4)
    0.5
    """
    return float(np.count_nonzero(exposure(lists, n_items))) / n_items


@metric(
    "gini",
    kind="catalogue",
    formula="Gini index of how often each item is shown, never-shown ones included, divided by items - 1",
    source="Castells, Hurley & Vargas 2015, 26.3",
    higher_is_better=False,
    per_user=False,
)
def gini(lists: Ids, n_items: int) -> float:
    """Return the inequality of exposure: 0 if all items are shown equally often, 1 if only one ever is.

    Over all items, never-shown ones included, divided by I - 1 so that 1 can be reached. nan where
    nothing is shown or there is one item. Castells, Hurley & Vargas 2015, section 26.3.

    >>> gini(np.array([[2], [2]]), n_items=4), gini(np.array([[0, 1], [2, 3]]), n_items=4)
    (1.0, 0.0)
    """
    return inequality.gini(exposure(lists, n_items))


@metric(
    "personalisation",
    kind="catalogue",
    formula="1 - mean over all pairs of users of (items that both are shown) / k",
    source="Zhou et al. 2010 (PNAS 107)",
    per_user=False,
)
def personalisation(lists: Ids, n_items: int) -> float:
    """Return how much lists differ: 1 - mean over all pairs of users of the items both are shown / K.

    nan for fewer than two users. Exact: an item shown n times is shared by n (n - 1) / 2 pairs. Zhou et
    al. 2010, inter-user diversity.

    >>> personalisation(np.array([[0, 1], [0, 2]]), n_items=4)
    0.5
    """
    users, k = lists.shape
    if users < 2:
        return float("nan")
    shown = exposure(lists, n_items)
    shared = int(shown @ (shown - 1))
    return float(1.0 - shared / (users * (users - 1) * k))


@metric(
    "novelty",
    kind="catalogue",
    formula="mean over the list of -log2(max(training users of the item, 1) / users)",
    source="Zhou et al. 2010 (PNAS 107)",
    high=inf,
)
def novelty(lists: Ids, train_counts: NDArray[Any], n_users: int) -> Values:
    """Per-user mean self-information of what is shown, in bits, shape (E,); nan for an empty list.

    -log2(max(count, 1) / users), so an item nobody has counts as if one user had it. Zhou et al. 2010.

    Args:
        lists: (E, K).
        train_counts: (I,) training users of each item.
        n_users: U, users without a list included.

    >>> novelty(np.array([[0, 1], [1, -1]]), np.array([4, 1]), n_users=4).tolist()
    [1.0, 2.0]
    """
    return _mean_over(lists, np.log2(n_users) - np.log2(np.maximum(train_counts, 1)))


@metric(
    "popularity",
    kind="catalogue",
    formula="mean over the list of the training users of the item",
    source="Abdollahpouri et al. 2019, 3",
    higher_is_better=False,
    high=inf,
)
def popularity(lists: Ids, train_counts: NDArray[Any]) -> Values:
    """Per-user mean number of training users of what is shown, shape (E,); nan for an empty list.

    Abdollahpouri et al. 2019, section 3.

    >>> popularity(np.array([[0, 1], [1, -1]]), np.array([4, 1])).tolist()
    [2.5, 1.0]
    """
    return _mean_over(lists, np.asarray(train_counts, dtype=np.float64))


@metric(
    "popularitylift",
    kind="catalogue",
    formula="mean over the list of the training users of the item, by the same mean over all training rows",
    source="after Abdollahpouri et al. 2019, 3",
    higher_is_better=False,
    high=inf,
)
def popularity_lift(lists: Ids, train_counts: NDArray[Any]) -> Values:
    """Per-user popularity of what is shown relative to the log, shape (E,); above 1 is more popular than it.

    :func:`popularity` divided by its mean over all training rows; nan for an empty list or log. After the
    group average popularity of Abdollahpouri et al. 2019, section 3.

    >>> popularity_lift(np.array([[0], [1]]), np.array([3, 1])).tolist()
    [1.2, 0.4]
    """
    rows = np.asarray(train_counts, dtype=np.float64)
    typical = (rows @ rows) / rows.sum() if rows.any() else np.nan
    return popularity(lists, rows) / typical


def _mean_over(lists: Ids, values: Values) -> Values:
    shown = lists >= 0
    total = (values[np.where(shown, lists, 0)] * shown).sum(axis=1)
    length = shown.sum(axis=1)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)
