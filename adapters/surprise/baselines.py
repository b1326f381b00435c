"""Surprise's floors: a random rating, and the mean with one bias a user and one an item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adapters.surprise.base import RatingModel
from benchmark.hyperparameters import AT_LEAST_0, Limits
from benchmark.modelkit.ratings import rating_scale
from benchmark.protocol import Choice, FitContext, Ids, Interactions, Range, Space, Values


@dataclass
class NormalPredictor(RatingModel):
    """Ratings drawn from the normal distribution of those in training (NormalPredictor of Hug 2020).

    Explicit feedback; nothing is tuned. The library draws anew at each call. Here a user's ratings depend
    on the seed and the user alone, so that neither batches nor repeated calls matter. Fit O(N), scoring
    O(U · I).
    """

    space: ClassVar[Space] = {}
    arrays: ClassVar[tuple[str, ...]] = ("seed", "n_items", "mean", "deviation", "scale")

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Take mean and standard deviation from the library in one step."""
        import surprise

        from adapters.surprise.training import trainset

        model = surprise.NormalPredictor().fit(trainset(train))
        self._mean, self._deviation = np.array(model.trainset.global_mean), np.array(model.sigma)
        self._seed, self._n_items = np.array(context.seed), np.array(train.n_items)
        self._scale = np.array(rating_scale(train))
        yield

    def _ratings(self, users: Ids) -> Values:
        ratings = np.empty((len(users), int(self._n_items)))
        for row, user in enumerate(users):
            drawn = np.random.default_rng((int(self._seed), int(user)))
            ratings[row] = drawn.normal(self._mean, self._deviation, len(ratings[row]))
        return ratings


@dataclass
class BaselineOnly(RatingModel):
    """Mean plus a user's and an item's bias (Koren 2010, doi:10.1145/1644873.1644874, section 2.1).

    Explicit feedback. Defaults are Surprise's own. Tuned: all fields; the ranges include the paper's
    penalties for Netflix, 10 and 25 ratings. ``als`` uses ``l2_user`` and ``l2_item``, ``sgd`` uses ``lr``
    and ``l2``; the library's own number of epochs is 10 for ``als`` and 20 for ``sgd``. Fit O(N) an epoch,
    scoring O(U · I). An unknown user or item has no bias.

    Attributes:
        method: "als", alternating least squares, or "sgd", stochastic gradient descent.
        l2_user: penalty on a user's bias, in ratings.
        l2_item: penalty on an item's bias, in ratings.
        lr: step of gradient descent.
        l2: penalty on both biases in gradient descent.
        max_epochs: passes over the ratings.
    """

    method: str = "als"
    l2_user: float = 15.0
    l2_item: float = 10.0
    lr: float = 0.005
    l2: float = 0.02
    max_epochs: int = 10

    space: ClassVar[Space] = {
        "method": Choice("als", "sgd"),
        "l2_user": Range(0.5, 100.0, log=True),
        "l2_item": Range(0.5, 100.0, log=True),
        "lr": Range(1e-3, 3e-2, log=True),
        "l2": Range(2e-3, 0.3, log=True),
        "max_epochs": Range(5, 80, log=True),
    }
    limits: ClassVar[Limits] = {"l2_user": AT_LEAST_0, "l2_item": AT_LEAST_0}
    deterministic: ClassVar[bool] = True
    arrays: ClassVar[tuple[str, ...]] = ("mean", "user_bias", "item_bias", "scale")

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Fit the biases in one step: the library cannot stop between epochs."""
        import surprise

        from adapters.surprise.training import present, scatter, trainset

        options = {
            "method": self.method,
            "reg_u": self.l2_user,
            "reg_i": self.l2_item,
            "learning_rate": self.lr,
            "reg": self.l2,
            "n_epochs": self.max_epochs,
        }
        model = surprise.BaselineOnly(options, verbose=False).fit(trainset(train))
        self._user_bias = scatter(model.bu, present(train.users), train.n_users)
        self._item_bias = scatter(model.bi, present(train.items), train.n_items)
        self._mean, self._scale = np.array(model.trainset.global_mean), np.array(rating_scale(train))
        yield

    def _ratings(self, users: Ids) -> Values:
        return (self._mean + self._user_bias[users])[:, None] + self._item_bias
