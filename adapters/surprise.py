"""Surprise's rating models (Hug 2020, doi:10.21105/joss.02174), scored from their learned arrays.

Surprise predicts one pair per Python call, 1.6 million calls for one ranking of MovieLens-100K. The
arrays it learns give the same numbers in bulk; the tests compare them with its own ``predict``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import (
    Array,
    Choice,
    FitContext,
    Ids,
    Interactions,
    Range,
    Scores,
    Space,
    Values,
)

USERS_AT_A_TIME = 256  # rows of ratings that exist at once: 3 MB on MovieLens-100K, 55 MB on 20M


@dataclass
class Svd:
    """Biased matrix factorisation (Koren, Bell & Volinsky 2009); defaults are Surprise's own."""

    dim: int = 100
    lr: float = 0.005
    l2: float = 0.02
    max_epochs: int = 20

    space: ClassVar[Space] = {
        "dim": Range(8, 200, log=True),
        "lr": Range(1e-3, 3e-2, log=True),
        "l2": Range(5e-3, 0.3, log=True),
        "max_epochs": Range(10, 80, log=True),
    }
    feedback: ClassVar[str] = "explicit"
    requires: ClassVar[tuple[str, ...]] = ("surprise",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train all epochs in one step: the library cannot stop between them."""
        import surprise

        model = surprise.SVD(
            n_factors=self.dim,
            lr_all=self.lr,
            reg_all=self.l2,
            n_epochs=self.max_epochs,
            random_state=context.seed,
        )
        data = trainset(train)
        model.fit(data)
        rated = np.bincount(train.users, minlength=train.n_users) > 0
        self._mean = np.array([data.global_mean])
        self._user_bias, self._item_bias, self._items = model.bu, model.bi, model.qi
        self._users = np.where(rated[:, None], model.pu, 0.0)  # untrained noise: the library leaves it out
        self._items[np.bincount(train.items, minlength=train.n_items) == 0] = 0.0
        self._scale = np.array(data.rating_scale)
        yield

    def score(self, users: Ids) -> Scores:
        """Return predicted ratings (B, I), not clipped: clipping would tie the best items."""
        return self._ratings(users).astype(np.float32)

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return predicted ratings (N,), clipped to the data's scale."""
        return at_pairs(self._ratings, users, items).clip(*self._scale)

    def _ratings(self, users: Ids) -> Values:
        ratings: Values = self._users[users] @ self._items.T
        ratings += self._item_bias + (self._mean + self._user_bias[users])[:, None]
        return ratings

    def state(self) -> dict[str, Array]:
        """Return mean (1,), biases (U,) and (I,), factors (U, dim) and (I, dim), scale (2,)."""
        return {name: getattr(self, f"_{name}") for name in SVD_STATE}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the arrays of ``state``."""
        for name in SVD_STATE:
            setattr(self, f"_{name}", state[name])


SVD_STATE = ("mean", "user_bias", "item_bias", "users", "items", "scale")


@dataclass
class KnnMeans:
    """Neighbours' deviations from their means (Surprise's KNNWithMeans); defaults are Surprise's own.

    In the library's letters x is a user and y an item, or the reverse where ``user_based`` is false: the
    rating of (x, y) is x's mean plus the weighted deviations of the ``neighbours`` most similar raters of y.

    Attributes:
        neighbours: raters of y that count, at most.
        min_neighbours: fewer of them than this, and x's mean is the prediction.
        similarity: how two columns of x are compared on what both have rated.
        shrinkage: of ``pearson_baseline`` alone: a pair of few common ratings moves towards 0.
        user_based: whether users are compared, rather than items.
    """

    neighbours: int = 40
    min_neighbours: int = 1
    similarity: str = "msd"
    shrinkage: int = 100
    user_based: bool = True

    space: ClassVar[Space] = {
        "neighbours": Range(5, 200, log=True),
        "min_neighbours": Range(1, 10),
        "similarity": Choice("msd", "cosine", "pearson", "pearson_baseline"),
        "shrinkage": Range(10, 500, log=True),
        "user_based": Choice(True, False),
    }
    feedback: ClassVar[str] = "explicit"
    deterministic: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("surprise",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Compute all similarities in one step."""
        import surprise

        options = {"name": self.similarity, "user_based": self.user_based, "shrinkage": self.shrinkage}
        model = surprise.KNNWithMeans(self.neighbours, self.min_neighbours, options, verbose=False)
        data = trainset(train)
        model.fit(data)
        x, y = (train.users, train.items) if self.user_based else (train.items, train.users)
        by_y = np.argsort(y, kind="stable")  # the library meets the raters of y in the order of the rows
        self._similarity, self._means = model.sim, model.means
        self._raters = x[by_y]
        self._deviations = train.values[by_y] - model.means[self._raters]
        self._ends = np.bincount(y, minlength=model.n_y).cumsum()
        self._known = np.bincount(x, minlength=model.n_x) > 0
        self._mean, self._scale = np.array([data.global_mean]), np.array(data.rating_scale)
        yield

    def score(self, users: Ids) -> Scores:
        """Return predicted ratings (B, I), not clipped: clipping would tie the best items."""
        return self._ratings(users).astype(np.float32)

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return predicted ratings (N,), clipped to the data's scale."""
        return at_pairs(self._ratings, users, items).clip(*self._scale)

    def state(self) -> dict[str, Array]:
        """Return similarities (X, X), X being U or I, the raters of each y and what they thought."""
        return {name: getattr(self, f"_{name}") for name in KNN_STATE}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the arrays of ``state``."""
        for name in KNN_STATE:
            setattr(self, f"_{name}", state[name])

    def _ratings(self, users: Ids) -> Values:
        n_x, n_y = len(self._known), len(self._ends)
        if self.user_based:
            rows = self._similarity[users]
            return np.array([self._predict(users, rows, item) for item in range(n_y)]).T
        items = np.arange(n_x, dtype=np.int32)
        ratings = np.empty((len(users), n_x))
        for row, user in enumerate(users):
            ratings[row] = self._predict(items, self._similarity, user)
        return ratings

    def _predict(self, x: Ids, rows: Values, y: int) -> Values:
        """Return the ratings of ``x`` (B,), whose similarities are ``rows`` (B, X), for one ``y``."""
        raters = slice(self._ends[y - 1] if y else 0, self._ends[y])
        if raters.start == raters.stop:
            return np.full(len(x), self._mean)
        near = rows.take(self._raters[raters], axis=1)
        near *= nearest(near, self.neighbours)
        near.clip(0, out=near)
        enough = np.count_nonzero(near, axis=1) >= max(self.min_neighbours, 1)
        shift = near @ self._deviations[raters]
        np.divide(shift, near.sum(axis=1), out=shift, where=enough)
        return np.where(self._known[x], self._means[x] + shift * enough, self._mean)


KNN_STATE = ("similarity", "means", "raters", "deviations", "ends", "known", "mean", "scale")


class _Rows(dict[int, list[tuple[int, float]]]):
    """Rows by id; an id without rows has none and stays unknown to the library."""

    def __missing__(self, key: int) -> list[tuple[int, float]]:
        return []


def trainset(train: Interactions) -> Any:
    """Return Surprise's ``Trainset`` of the rows in their order; our dense ids are its raw and inner ids."""
    import surprise

    by_user, by_item = _Rows(), _Rows()
    for user, item, value in zip(
        train.users.tolist(), train.items.tolist(), train.values.tolist(), strict=True
    ):
        by_user.setdefault(user, []).append((item, value))
        by_item.setdefault(item, []).append((user, value))
    scale = train.scale or (float(train.values.min()), float(train.values.max()))
    users, items = ({number: number for number in range(n)} for n in (train.n_users, train.n_items))
    return surprise.Trainset(by_user, by_item, len(users), len(items), len(train), scale, users, items)


def at_pairs(ratings: Callable[[Ids], Values], users: Ids, items: Ids) -> Values:
    """Return the ratings (N,) of pairs from whole rows (B, I), asking for each user once, a block at a time.

    >>> rows = lambda users: users[:, None] + np.array([0.0, 0.5])
    >>> at_pairs(rows, users=np.array([7, 3, 7]), items=np.array([1, 0, 0])).tolist()
    [7.5, 3.0, 7.0]
    """
    distinct, row = np.unique(users, return_inverse=True)
    values = np.empty(len(users))
    for start in range(0, len(distinct), USERS_AT_A_TIME):
        here = np.flatnonzero((row >= start) & (row < start + USERS_AT_A_TIME))
        block = ratings(distinct[start : start + USERS_AT_A_TIME])
        values[here] = block[row[here] - start, items[here]]
    return values


def nearest(similarities: Values, k: int) -> NDArray[np.bool_]:
    """Return which of each row's values (B, M) are its k largest, (B, M); of equals the first.

    The order of ``heapq.nlargest``, with which Surprise picks neighbours.

    >>> nearest(np.array([[0.5, 1.0, 0.5, 0.5]]), k=2).tolist()
    [[True, True, False, False]]
    """
    if similarities.shape[1] <= k:
        return np.ones(similarities.shape, dtype=np.bool_)
    smallest = np.partition(similarities, -k, axis=1)[:, -k, None]
    chosen = similarities >= smallest
    surplus = np.count_nonzero(chosen, axis=1) - k
    tied = np.flatnonzero(surplus)
    equal = similarities[tied] == smallest[tied]
    last = equal.cumsum(axis=1) > (equal.sum(axis=1) - surplus[tied])[:, None]
    chosen[tied] &= ~(equal & last)
    return chosen
