"""Whether what a model says of its scores is true: contributions add up, and agree with fits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from benchmark.errors import NotOffered
from benchmark.modelkit.serving_traits import Contributions
from benchmark.protocol import Ids, Interactions, Scores, Values
from benchmark.testing.subject import Subject

TOLERANCE = 1e-5
LISTED = 10
"""Items of a list."""
NOTHING = 1e-6
"""A contribution that is a smaller share of the largest is rounding."""
USERS, REFITS = 30, 10
"""How many users are asked about; how many of them where leaving an item out takes another fit."""


class Explained(NamedTuple):
    """A user's list and what carried it; ``history`` is the user's own, the earliest first."""

    user: int
    history: Ids
    items: Ids
    scores: Scores
    found: Contributions


def explained(model: Any, train: Interactions, users: int) -> Iterator[Explained]:
    """Yield users spread over the log with what is recommended to them, and why.

    Raises:
        NotOffered: this configuration has no answer.
    """
    starts, rows = train.histories()
    known = np.flatnonzero(np.diff(starts) > 1)
    for user in known[np.linspace(0, len(known) - 1, users).astype(np.int64)].tolist():
        history = train.items[rows[starts[user] : starts[user + 1]]].copy()
        scores = model.score(np.array([user], dtype=np.int32))[0]
        items = first_unseen(scores, history)
        yield Explained(user, history, items, scores[items], model.explain(user, items))


def first_unseen(scores: Scores, history: Ids) -> Ids:
    """Return the items that a user with this history is recommended.

    >>> first_unseen(np.array([3, 9, 5], dtype=np.float32), np.array([1])).tolist()
    [2, 0]
    """
    unseen = np.setdiff1d(np.arange(len(scores)), history)
    return unseen[np.argsort(-scores[unseen], kind="stable")[:LISTED]].astype(np.int32)


def assert_adds_up(found: Contributions, scores: Scores, history: Ids, what: str) -> None:
    """Refuse contributions that have another shape, name items outside a history, or have another sum."""
    shapes = found.values.shape, found.rest.shape
    expected = (len(found.history), len(scores)), (len(scores),)
    assert shapes == expected, f"{what} has values and rest of shapes {shapes}, expected {expected}"
    assert np.isin(found.history, history).all(), f"{what} names items that are not in the user's history"
    apart = np.abs(found.values.sum(axis=0) + found.rest - scores)
    worst = (apart / np.maximum(1.0, np.abs(scores))).max(initial=0)
    assert worst <= TOLERANCE, f"{what}: contributions and rest differ from the score by up to {worst:.2g}"


def agreement(subject: Subject, model: Any, steps: int) -> float | None:
    """Return how often a contribution has the sign of what leaving its item out does; None if it has none.

    All contributions to the items of a list are looked at. A model that folds histories in is asked for the
    shorter one; any other is fitted again without the row.
    """
    folds, right = subject.traits.folds_in, list[bool]()
    try:
        for one in explained(model, subject.train, USERS if folds else REFITS):
            right += _same_signs(*(_by_fold_in(model, one) if folds else _by_refit(subject, steps, one)))
    except NotOffered:
        return None
    return float(np.mean(right)) if right else None


def _by_fold_in(model: Any, one: Explained) -> tuple[Values, Values]:
    """Return contributions (H, M), and what the scores lose without each item of the history."""
    found, whole = model.explain_history(one.history, one.items), model.fold_in(one.history)
    shorter = [model.fold_in(one.history[one.history != item])[one.items] for item in found.history]
    return found.values, whole[one.items] - np.array(shorter)


def _by_refit(subject: Subject, steps: int, one: Explained) -> tuple[Values, Values]:
    """Return the same for the one item of the history that contributed most, (1, M) each."""
    largest = int(np.abs(one.found.values).sum(axis=1).argmax())
    kept = (subject.train.users != one.user) | (subject.train.items != one.found.history[largest])
    again = subject.fit(steps, train=subject.train.rows(kept))
    shorter = again.score(np.array([one.user], dtype=np.int32))[0, one.items]
    return one.found.values[[largest]], (one.scores - shorter)[None]


def _same_signs(values: Values, changes: Values) -> list[bool]:
    sizes = np.abs(values)
    looked_at = sizes > NOTHING * sizes.max(initial=0.0)
    same: list[bool] = (np.sign(values) == np.sign(changes))[looked_at].tolist()
    return same


def some_histories(train: Interactions, n: int) -> Iterator[tuple[int, Ids]]:
    """Yield the first n users who have a row, with their items in the order of time."""
    starts, rows = train.histories()
    for user in islice(np.flatnonzero(np.diff(starts)).tolist(), n):
        yield user, train.items[rows[starts[user] : starts[user + 1]]].copy()
