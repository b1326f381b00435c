"""Users and items without a training row: who they are, and what the engine fills in for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Features, Floats32, Ids, Interactions, Scores


@dataclass(frozen=True)
class Cold:
    """What the engine fills in for one model.

    Attributes:
        users: (U,) who gets popularity.
        items: (I,) what ranks behind all others, equal among themselves.
        popularity: training rows of each item, (I,).
    """

    users: NDArray[np.bool_]
    items: NDArray[np.bool_]
    popularity: Floats32

    @classmethod
    def from_log(
        cls,
        train: Interactions,
        from_features: Collection[str] = (),
        *,
        scores_all: bool = False,
        from_graph: bool = False,
    ) -> Cold:
        """Return who and what has no row in ``train``, apart from what a model scores by features.

        Args:
            train: the rows that the model is trained on.
            from_features: which of "users" and "items" the model scores by features; those without any
                feature are filled in all the same.
            scores_all: nothing is filled in.
            from_graph: the model scores items by the knowledge graph; those without a triple are filled in.

        >>> rows = Interactions(
        ...     users=np.array([0, 0, 2], dtype=np.int32), items=np.array([1, 0, 1], dtype=np.int32),
        ...     values=np.ones(3, dtype=np.float32), times=np.array([], dtype=np.int64),
        ...     positive=np.ones(3, dtype=np.bool_), n_users=3, n_items=3)
        >>> scores = np.array([[5, 4, 9], [7, 8, 9]], dtype=np.float32)
        >>> Cold.from_log(rows).fill(np.array([0, 1]), scores).tolist()
        [[5.0, 4.0, 3.999999761581421], [1.0, 2.0, 0.9999999403953552]]
        """
        from benchmark.long_columns import count_rows  # not at import: serving counts no rows

        rows_of_user = count_rows(train.users, train.n_users)
        rows_of_item = count_rows(train.items, train.n_items)
        users, items = rows_of_user == 0, rows_of_item == 0
        if "users" in from_features:
            users &= ~_described(train.user_features, train.n_users)
        if "items" in from_features:
            items &= ~_described(train.item_features, train.n_items)
        if from_graph and train.graph is not None:
            for ends in (train.graph.heads, train.graph.tails):
                items[ends[ends < train.n_items]] = False
        return cls(users & (not scores_all), items & (not scores_all), rows_of_item.astype(np.float32))

    @cached_property
    def any_item(self) -> bool:
        """Whether there is a cold item."""
        return bool(self.items.any())

    @cached_property
    def any(self) -> bool:
        """Whether anything is ever filled in."""
        return self.any_item or bool(self.users.any())

    def fill(self, users: Ids, scores: Scores) -> Scores:
        """Return the scores (B, I) of users (B,) with the cold ones filled in; the very array if none is."""
        cold_users = self.users[users]
        if not (cold_users.any() or self.any_item):
            return scores
        filled = scores.copy()
        filled[cold_users] = self.popularity
        if self.any_item:
            filled[:, self.items] = _below(filled, ~self.items)
        return filled


def _described(features: Features | None, n: int) -> NDArray[np.bool_]:
    """Return which of n users or items have any feature or text, (n,)."""
    if features is None:
        return np.zeros(n, dtype=np.bool_)
    described: NDArray[np.bool_] = np.diff(features.matrix.indptr) > 0
    return described | np.array([bool(text) for text in features.texts]) if features.texts else described


def _below(scores: Scores, warm: NDArray[np.bool_]) -> Scores:
    """Return the number just under each row's lowest score of a warm item, (B, 1)."""
    if not warm.any():
        return np.zeros((len(scores), 1), dtype=np.float32)
    lowest: Scores = scores.min(axis=1, where=warm, initial=np.inf, keepdims=True)
    least = np.nextafter(np.finfo(np.float32).min, np.float32(0))  # so that what is below it stays finite
    below: Scores = np.nextafter(np.maximum(lowest, least), np.float32(-np.inf))
    return below
