"""What kind of items lists hold: how popular they are, and who is served beyond the popular ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Ids, Interactions, Values

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


def recall_of_kind(users: Ids, lists: Ids, likes: Interactions, kind: NDArray[np.bool_]) -> Values:
    """Return each user's recall of one kind of item, (E,): hits / relevant items of that kind.

    Args:
        users: (E,).
        lists: (E, K), -1 past the last candidate.
        likes: the held-out rows to be found.
        kind: (I,) which items are of the kind.

    A user without a relevant item of the kind is nan.
    """
    n_items = likes.n_items
    wanted = np.unique(likes.users.astype(np.int64) * n_items + likes.items)
    shown = np.where(lists >= 0, users[:, None].astype(np.int64) * n_items + lists, -1)
    hits = np.isin(shown, wanted) & kind[lists]
    owner, item = np.divmod(wanted, n_items)
    relevant = np.bincount(owner[kind[item]], minlength=likes.n_users)[users]
    return np.where(relevant > 0, hits.sum(axis=1) / np.maximum(relevant, 1), np.nan)


def popularity_lift(lists: Ids, counts: NDArray[np.int64]) -> float:
    """Return how popular what is shown is, next to the log: 1 is alike, above 1 is more popular.

    Mean training rows of the shown items, over all places of all lists, divided by the same mean over
    training rows. After the group average popularity of Abdollahpouri et al. 2019, section 3.

    >>> popularity_lift(np.array([[0], [0]]), np.array([3, 1]))
    1.2
    """
    shown = counts[lists[lists >= 0]]
    typical = float((counts.astype(np.float64) ** 2).sum() / counts.sum())
    return float(shown.mean()) / typical if len(shown) else float("nan")
