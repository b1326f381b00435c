"""Popular items, the head, and the others, the tail: which lists show, and which users find."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import coverage
from benchmark.metrics.evaluation import mean_over_users
from benchmark.metrics.relevance import Relevance
from benchmark.protocol import Ids, Longs

HEAD_SHARE = 1 / 3
"""The head is the most popular items that together hold a third of the training rows: Cremonesi, Koren &
Turrin 2010, "Performance of recommender algorithms on top-N recommendation tasks", section 3.1."""


def head_items(counts: Longs) -> NDArray[np.bool_]:
    """Return which items (I,) are the head: the fewest that hold a third of all rows, ties by id.

    >>> head_items(np.array([1, 5, 2, 1])).tolist()
    [False, True, False, False]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
    head = np.zeros(len(counts), dtype=np.bool_)
    head[order] = before < HEAD_SHARE * counts.sum()
    return head


def hits_of_kind(
    users: Ids, lists: Ids, relevance: Relevance, kind: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], Longs]:
    """Return which positions (E, K) hold a relevant item of one kind, and each user's number of these, (E,).

    Args:
        users: (E,).
        lists: (E, K), -1 past the last candidate.
        relevance: what can be found.
        kind: (I,) which items are of the kind.
    """
    n_users, n_items = len(relevance.starts) - 1, len(kind)
    owner = np.repeat(np.arange(n_users), np.diff(relevance.starts))
    # Each (user, item) pair as one number, so that one search finds all hits.
    shown = np.where(lists >= 0, users[:, None].astype(np.int64) * n_items + lists, -1)
    hits = np.isin(shown, owner * n_items + relevance.items) & kind[lists]
    return hits, np.bincount(owner[kind[relevance.items]], minlength=n_users)[users]


def mean_popularity_lift(lists: Ids, counts: Longs) -> float:
    """Return the mean over users of :func:`benchmark.metrics.coverage.popularity_lift`; nan without a list.

    >>> mean_popularity_lift(np.array([[0], [0]]), np.array([3, 1]))
    1.2
    """
    return mean_over_users(coverage.popularity_lift(lists, counts))
