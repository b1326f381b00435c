"""The door by which lists enter an evaluation: what no ranker would make is refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.metrics.ranker import Ranker
from benchmark.metrics.topk import relevant_index
from benchmark.protocol import Ids, Longs


def checked_lists(lists: Ids, users: Ids, ranker: Ranker, who: str, *, whole: bool = True) -> Ids:
    """Return the lists (B, K) of users (B,), if the ranker could have made them.

    Args:
        lists: items, best first, -1 past the last candidate.
        users: (B,) user of each row.
        ranker: knows who may be shown what.
        who: the model, named at the start of a message.
        whole: whether a list must be as long as the candidates allow.

    Raises:
        MetricError: the shape is wrong; an item is unknown, hidden from its user, no candidate, or there
            twice; a -1 has an item behind it; a list is shorter than the candidates allow.
    """
    n_items, expected = ranker.seen.shape[1], (len(users), ranker.length)
    if lists.shape != expected or lists.dtype != np.int32:
        raise MetricError(
            f"{who}: the lists have shape {lists.shape} and type {lists.dtype}, expected {expected} and int32"
        )
    filled = lists >= 0
    unknown = (lists < -1) | (lists >= n_items)
    _refuse(unknown, lists, users, who, f"; items are numbered from 0 to {n_items - 1}")
    _refuse(filled & ~np.logical_and.accumulate(filled, axis=1), lists, users, who, ", behind a -1")
    ascending = np.sort(lists, axis=1)
    twice = (ascending[:, 1:] == ascending[:, :-1]) & (ascending[:, 1:] >= 0)
    _refuse(twice, ascending[:, 1:], users, who, ", twice")
    seen = ranker.seen_by(users)
    _refuse(relevant_index(lists, seen) >= 0, lists, users, who, ", which is hidden from this user")
    if ranker.excluded is not None:
        _refuse(filled & ranker.excluded[lists], lists, users, who, ", which is no candidate")
    if not whole:
        return lists
    most = np.minimum(ranker.length, candidate_counts(ranker, *seen))
    short = filled.sum(axis=1) < most
    if short.any():
        row = int(short.argmax())
        raise MetricError(
            f"{who}: the list of user {users[row]} has {filled[row].sum()} items; it must have"
            f" {most[row]}, as many as there are candidates"
        )
    return lists


def candidate_counts(ranker: Ranker, starts: Longs, seen: Ids) -> Longs:
    """Return how many candidates each user of a batch has, (B,)."""
    allowed = np.ones(ranker.seen.shape[1], dtype=np.bool_) if ranker.excluded is None else ~ranker.excluded
    before = np.concatenate([[0], allowed[seen].cumsum()])
    counts: Longs = np.count_nonzero(allowed) - (before[starts[1:]] - before[starts[:-1]])
    return counts


def _refuse(wrong: NDArray[np.bool_], items: Ids, users: Ids, who: str, why: str) -> None:
    """Refuse lists in which anything is wrong, naming the first item that is."""
    if wrong.any():
        row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise MetricError(f"{who}: the list of user {users[row]} has item {items[row, column]}{why}")
