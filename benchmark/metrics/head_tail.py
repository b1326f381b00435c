"""What kind of items lists hold: how popular they are, and who is served beyond the popular ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import coverage
from benchmark.metrics.relevance import Relevance
from benchmark.protocol import Ids

HEAD_SHARE = 1 / 3
"""The head is the most popular items that together hold a third of the training rows: Cremonesi, Koren &
Turrin 2010, "Performance of recommender algorithms on top-N recommendation tasks", section 3.1."""


def head_of(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which items (I,) are the head: the fewest that hold a third of all rows, ties by id.

    >>> head_of(np.array([1, 5, 2, 1])).tolist()
    [False, True, False, False]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
    head = np.zeros(len(counts), dtype=np.bool_)
    head[order] = before < HEAD_SHARE * counts.sum()
    return head


def hits_of_kind(
    users: Ids, lists: Ids, relevant: Relevance, kind: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which places (E, K) hold a relevant item of one kind, and each user's number of these, (E,).

    Args:
        users: (E,).
        lists: (E, K), -1 past the last candidate.
        relevant: what can be found.
        kind: (I,) which items are of the kind.
    """
    n_users, n_items = len(relevant.starts) - 1, len(kind)
    owner = np.repeat(np.arange(n_users), np.diff(relevant.starts))
    shown = np.where(lists >= 0, users[:, None].astype(np.int64) * n_items + lists, -1)
    hits = np.isin(shown, owner * n_items + relevant.items) & kind[lists]
    return hits, np.bincount(owner[kind[relevant.items]], minlength=n_users)[users]


def popularity_lift(lists: Ids, counts: NDArray[np.int64]) -> float:
    """Return the mean over users of :func:`benchmark.metrics.coverage.popularity_lift`; nan without a list.

    >>> popularity_lift(np.array([[0], [0]]), np.array([3, 1]))
    1.2
    """
    lifts = coverage.popularity_lift(lists, counts)
    known = lifts[~np.isnan(lifts)]
    return float(known.mean()) if len(known) else float("nan")
