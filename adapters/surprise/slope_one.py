"""Slope One: the mean difference between two items, over those who rated both (Lemire & Maclachlan 2005)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from adapters.surprise.base import RatingModel
from benchmark.errors import NotOffered
from benchmark.modelkit.ratings import rating_scale
from benchmark.modelkit.serving_traits import Contributions
from benchmark.protocol import Array, FitContext, Ids, Interactions, Space, Values

TABLES = ("differences", "together", "starts", "rated", "user_mean", "mean", "scale")

BYTES_A_PAIR = 45
"""Of two items: the library's count and difference, ours, and what is between them."""


@dataclass
class SlopeOne(RatingModel):
    """A user's mean plus the mean difference of an item to the items the user rated (arXiv:cs/0702144).

    Explicit feedback; nothing is tuned. Surprise reads whole numbers here, so ratings are passed as multiples
    of their finest fraction and half stars count. Fit O(I² + Σ n_u²), n_u being the
    ratings of user u; scoring O(N · I). An unknown user or item gets the mean of all ratings.
    """

    space: ClassVar[Space] = {}
    deterministic: ClassVar[bool] = True
    arrays: ClassVar[tuple[str, ...]] = TABLES

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Compute the differences between all pairs of items in one step."""
        import surprise

        from adapters.surprise import training

        counts, parts = training.whole_numbers(train.values)
        model = surprise.SlopeOne().fit(training.trainset(replace(train, values=counts)))
        here, there = training.present(train.users), training.present(train.items)
        both = np.ix_(there, there)
        self._together = np.zeros((train.n_items, train.n_items), dtype=np.float32)
        self._together[both] = model.freq > 0
        self._differences = np.zeros((train.n_items, train.n_items))
        self._differences[both] = np.where(model.freq > 0, model.dev, 0.0).T / parts
        self._user_mean = training.scatter(np.array(model.user_mean) / parts, here, train.n_users)
        self._mean = np.array(model.trainset.global_mean / parts)
        self._scale = np.array(rating_scale(train))
        by_user = np.argsort(train.users, kind="stable")
        self._rated = train.items[by_user]
        self._given: Values | None = train.values[by_user].astype(np.float64)
        self._starts = np.append(0, np.bincount(train.users, minlength=train.n_users).cumsum())
        self._link()
        yield

    def _own_bytes(self, train: Interactions) -> float:
        return float(BYTES_A_PAIR) * train.n_items**2

    def _own_why(self, train: Interactions) -> str:
        return f"differences of {train.n_items:,} x {train.n_items:,} items"

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the arrays of ``state``; an index out of bounds would read foreign memory."""
        super().restore(state)
        self._given = state.get("given")
        self._link()
        self._history.check_format(full_check=True)

    def _link(self) -> None:
        """Make the histories one sparse matrix (U, I), whatever the ratings were."""
        shape = len(self._user_mean), len(self._differences)
        ones = np.ones(len(self._rated), dtype=np.float32)
        self._history = csr_matrix((ones, self._rated, self._starts), shape=shape)

    def state(self) -> dict[str, Array]:
        """Return the learned arrays, and the ratings of each user where they are kept."""
        return super().state() | ({} if self._given is None else {"given": self._given})

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return what each predicted rating would lose without each of the user's ratings.

        A prediction is a mean over what each rating says, the rating plus the mean difference of the two
        items, so what one of them carried is how far it pulls that mean up or down: the user's own mean moves
        too. The rest is what stays. The differences between items are taken as they were learned.

        Raises:
            NotOffered: the state is one that an earlier version stored, without ratings.
        """
        if self._given is None:
            raise NotOffered(
                "its state was stored by an earlier version of bench, without each user's ratings; run the "
                "suite again and export it again"
            )
        own = slice(self._starts[user], self._starts[user + 1])
        rated, given = self._rated[own], self._given[own]
        scores = self._ratings(np.array([user]))[0, items]
        if len(rated) < 2:  # without it nobody knows the user
            values = np.tile(scores - self._mean, (len(rated), 1))
            return Contributions(rated.astype(np.int32), values, scores - values.sum(axis=0))
        means = (given.sum() - given) / (len(given) - 1)  # (H,) without each of them
        together, shifts = (table[np.ix_(rated, items)] for table in (self._together, self._differences))
        counts, sums = together.sum(axis=0) - together, shifts.sum(axis=0) - shifts
        without = means[:, None] + np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
        values = scores - without
        values[:, self._together[items, items] == 0] = 0.0  # items that nobody rated get the mean of all
        return Contributions(rated.astype(np.int32), values, scores - values.sum(axis=0))

    def _ratings(self, users: Ids) -> Values:
        history = self._history[users]
        shift: Values = history @ self._differences
        relevant = history @ self._together
        np.divide(shift, relevant, out=shift, where=relevant > 0)
        shift += self._user_mean[users, None]
        shift[np.diff(history.indptr) == 0] = self._mean
        shift[:, self._together.diagonal() == 0] = self._mean
        return shift
