"""Matrix factorisation by Surprise: SVD, SVD++, PMF and NMF, all served as a product of two matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adapters.surprise.base import RatingModel
from benchmark.modelkit.pace import Pace
from benchmark.modelkit.ratings import rating_scale
from benchmark.protocol import Choice, FitContext, Ids, Interactions, Needs, Range, Space, Values, Vectors

LIBRARY_ROWS = 1_000_000
"""Ratings up to which the library trains: it keeps each as Python objects."""
PAIRS_AT_A_TIME = 1 << 16
"""Pairs whose factors are beside one another at once: 50 MB of 100 factors each."""


class FactorModel(RatingModel):
    """Mean, biases and factors: a rating is their sum and the product of a user's and an item's row."""

    arrays: ClassVar[tuple[str, ...]] = ("mean", "user_bias", "item_bias", "users", "items", "scale")

    def _keep(self, model: Any, train: Interactions, users: Values, *, biased: bool = True) -> None:
        """Keep a fitted model; ``users`` are its factors of users, which may be made of several arrays.

        A model without biases predicts the mean for a pair with an unknown half. One more factor says so,
        1 for each known user: the mean is added for all, and a known item takes it away.
        """
        from adapters.surprise.training import present, scatter

        items = model.qi
        if not biased:
            users = np.column_stack([users, np.ones(len(users))])
            items = np.column_stack([items, np.full(len(items), -model.trainset.global_mean)])
        here, there = present(train.users), present(train.items)
        self._users, self._user_bias = (scatter(part, here, train.n_users) for part in (users, model.bu))
        self._items, self._item_bias = (scatter(part, there, train.n_items) for part in (items, model.bi))
        self._mean, self._scale = np.array(model.trainset.global_mean), np.array(rating_scale(train))

    def vectors(self) -> Vectors:
        """Return factors, biases of items, and each user's mean rating, whose products are the ratings."""
        return Vectors(self._users, self._items, self._item_bias, self._mean + self._user_bias)

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return predicted ratings (N,), clipped to the data's scale: each from its own pair of rows."""
        ratings = self._mean + self._user_bias[users] + self._item_bias[items]
        for first in range(0, len(users), PAIRS_AT_A_TIME):
            some = slice(first, first + PAIRS_AT_A_TIME)
            ratings[some] += np.einsum("nd,nd->n", self._users[users[some]], self._items[items[some]])
        return ratings.clip(*self._scale)

    def _ratings(self, users: Ids) -> Values:
        ratings: Values = self._users[users] @ self._items.T
        ratings += self._item_bias + (self._mean + self._user_bias[users])[:, None]
        return ratings


@dataclass
class Svd(FactorModel):
    """Biased matrix factorisation by gradient steps (Funk 2006; Koren, Bell & Volinsky 2009, equation 5).

    Explicit feedback. Defaults are Surprise's own. Tuned: all four, since step, penalty and epochs trade
    off against each other; ranges reach to stronger penalties, more factors and more passes, where Rendle,
    Zhang & Koren 2019 (arXiv:1905.01395) find this model under-tuned in most comparisons. Fit O(N · dim) an
    epoch, scoring O(U · I · dim). An unknown user or item leaves its terms out.
    """

    dim: int = 100
    lr: float = 0.005
    l2: float = 0.02
    max_epochs: int = 20

    space: ClassVar[Space] = {
        "dim": Range(8, 200, log=True),
        "lr": Range(2e-4, 3e-2, log=True),
        "l2": Range(5e-3, 0.3, log=True),
        "max_epochs": Range(10, 80, log=True),
    }
    biased: ClassVar[bool] = True
    streams: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train all passes in one step as the library does, or by its arithmetic in steps."""
        if context.step_rows is None and len(train) <= LIBRARY_ROWS:
            self._fit_by_library(train, context)
            yield self.max_epochs * len(train)
            return
        from adapters.surprise.descent import SvdTables, svd_steps

        tables = SvdTables.drawn(train, self.dim, context.seed, biased=self.biased)
        self._users, self._items = tables.users, tables.items
        self._user_bias, self._item_bias = tables.user_bias, tables.item_bias
        self._mean, self._scale = np.array(tables.mean), np.array(rating_scale(train))
        pace = Pace.of(train, context)
        steps = svd_steps(train, tables, (self.lr, self.l2), pace, biased=self.biased)
        yield from pace.passes(steps, self.max_epochs)

    def needs(self, train: Interactions) -> Needs:
        """Return what the library's training set takes, where it is made."""
        if len(train) <= LIBRARY_ROWS:
            return super().needs(train)
        own = 8.0 * (self.dim + 1) * (train.n_users + train.n_items)
        return Needs(2 * own, why=f"vectors of {train.n_users:,} users and {train.n_items:,} items")

    def _fit_by_library(self, train: Interactions, context: FitContext) -> None:
        import surprise

        from adapters.surprise.training import trainset

        model = surprise.SVD(
            n_factors=self.dim,
            lr_all=self.lr,
            reg_all=self.l2,
            n_epochs=self.max_epochs,
            biased=self.biased,
            random_state=context.seed,
        ).fit(trainset(train))
        self._keep(model, train, model.pu, biased=self.biased)


@dataclass
class Pmf(Svd):
    """Probabilistic matrix factorisation (Salakhutdinov & Mnih 2008): Surprise's SVD without biases.

    Explicit feedback. Defaults, and what is tuned within which ranges, are those of ``surprise/svd``. Fit
    O(N · dim) an epoch, scoring O(U · I · dim). An unknown user or item gets the mean of all ratings.
    """

    biased: ClassVar[bool] = False


@dataclass
class SvdPlusPlus(FactorModel):
    """SVD++: adds implicit feedback, the set of items a user rated (Koren 2008, doi:10.1145/1401890.1401944).

    Explicit feedback. Defaults are Surprise's own. Tuned: all four; the paper uses
    steps of 0.007 and penalties of 0.005 to 0.015 on a thousand times more ratings.
    Each rating moves every item of its user: fit O(dim · Σ n_u²) an epoch, n_u being the ratings of user u,
    so the ranges of ``dim`` and ``max_epochs`` stay low. Scoring O(U · I · dim). An unknown user or item
    leaves its terms out.
    """

    dim: int = 20
    lr: float = 0.007
    l2: float = 0.02
    max_epochs: int = 20

    space: ClassVar[Space] = {
        "dim": Range(4, 64, log=True),
        "lr": Range(2e-3, 3e-2, log=True),
        "l2": Range(1e-3, 0.3, log=True),
        "max_epochs": Range(5, 40, log=True),
    }

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train all epochs in one step: the library cannot stop between them."""
        import surprise

        from adapters.surprise.training import trainset

        data = trainset(train)
        model = surprise.SVDpp(
            n_factors=self.dim,
            lr_all=self.lr,
            reg_all=self.l2,
            n_epochs=self.max_epochs,
            random_state=context.seed,
            cache_ratings=True,
        ).fit(data)
        rated = [[item for item, _ in data.ur[user]] for user in data.all_users()]
        implied = np.array([model.yj[items].sum(axis=0) / np.sqrt(len(items)) for items in rated])
        self._keep(model, train, model.pu + implied)
        yield


@dataclass
class Nmf(FactorModel):
    """Non-negative matrix factorisation for missing values (Luo et al. 2014, doi:10.1109/TII.2014.2308433).

    Explicit feedback. Defaults are Surprise's own, with one penalty for users and items. Tuned: all fields;
    the library's documentation warns that biases fit better and overfit unless there are few factors or a
    stronger penalty, so the ranges allow both. Fit O(N · dim) an epoch, scoring O(U · I · dim). An unknown
    user or item gets the mean of all ratings, or leaves its terms out where there are biases.
    """

    dim: int = 15
    l2: float = 0.06
    max_epochs: int = 50
    biased: bool = False

    space: ClassVar[Space] = {
        "dim": Range(2, 64, log=True),
        "l2": Range(5e-3, 2.0, log=True),
        "max_epochs": Range(10, 200, log=True),
        "biased": Choice(False, True),
    }

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train all epochs in one step: the library cannot stop between them."""
        import surprise

        from adapters.surprise.training import trainset

        model = surprise.NMF(
            n_factors=self.dim,
            reg_pu=self.l2,
            reg_qi=self.l2,
            n_epochs=self.max_epochs,
            biased=self.biased,
            random_state=context.seed,
        ).fit(trainset(train))
        self._keep(model, train, model.pu, biased=self.biased)
        yield
