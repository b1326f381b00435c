"""Co-clustering: users and items fall into clusters, and each pair of clusters has its mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from adapters.surprise.base import RatingModel
from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.ratings import rating_scale
from benchmark.protocol import FitContext, Ids, Interactions, Range, Space, Values

PAIRS = ("pairs", "mean", "scale")
USERS = ("user_cluster", "user_shift", "known_users")
ITEMS = ("item_cluster", "item_shift", "known_items")


@dataclass
class CoClustering(RatingModel):
    """The mean of a pair of clusters, and how user and item differ from theirs (George & Merugu 2005).

    doi:10.1109/ICDM.2005.14, equation 3. Explicit feedback. Defaults are Surprise's own. Tuned: all fields.
    Surprise reads whole numbers here, so ratings are passed as multiples of their finest fraction. Fit
    O(N · (user_clusters + item_clusters)) an epoch, in Python's own steps; scoring O(U · I). An unknown user
    or item gets the mean of all ratings.
    """

    user_clusters: int = 3
    item_clusters: int = 3
    max_epochs: int = 20

    space: ClassVar[Space] = {
        "user_clusters": Range(1, 12),
        "item_clusters": Range(1, 12),
        "max_epochs": Range(5, 40, log=True),
    }
    limits: ClassVar[Limits] = {"user_clusters": COUNT, "item_clusters": COUNT}
    arrays: ClassVar[tuple[str, ...]] = (*PAIRS, *USERS, *ITEMS)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Move users and items between clusters, all epochs in one step."""
        import surprise

        from adapters.surprise import training

        counts, parts = training.whole_numbers(train.values)
        data = training.trainset(replace(train, values=counts))
        clusters = self.user_clusters, self.item_clusters
        model = surprise.CoClustering(*clusters, self.max_epochs, random_state=context.seed).fit(data)
        here, there = training.present(train.users), training.present(train.items)
        self._pairs = model.avg_cocltr / parts
        user_shift = (model.user_mean - model.avg_cltr_u[model.cltr_u]) / parts
        item_shift = (model.item_mean - model.avg_cltr_i[model.cltr_i]) / parts
        self._user_shift = training.scatter(user_shift, here, train.n_users)
        self._item_shift = training.scatter(item_shift, there, train.n_items)
        self._user_cluster = training.scatter(model.cltr_u, here, train.n_users).astype(np.int32)
        self._item_cluster = training.scatter(model.cltr_i, there, train.n_items).astype(np.int32)
        self._known_users = np.bincount(train.users, minlength=train.n_users) > 0
        self._known_items = np.bincount(train.items, minlength=train.n_items) > 0
        self._mean, self._scale = np.array(data.global_mean / parts), np.array(rating_scale(train))
        yield

    def _ratings(self, users: Ids) -> Values:
        ratings: Values = self._pairs[self._user_cluster[users]][:, self._item_cluster]
        ratings += self._user_shift[users, None] + self._item_shift
        ratings[~self._known_users[users]] = self._mean
        ratings[:, ~self._known_items] = self._mean
        return ratings
