"""RP3beta: three steps of a random walk, well-known ends discounted (Paudel 2017, ACM TiiS 7(1))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.modelkit.item_to_item import ItemToItem, negative_power, rescaled
from benchmark.protocol import FitContext, Interactions, Range, Space


@dataclass
class Rp3Beta(ItemToItem):
    """A walk goes from a liked item to one of its users and on to an item of theirs.

    Implicit feedback. The chance of each step is one over the number of ways, to the power of ``alpha``
    (P3alpha: Cooper 2014, WWW); the chance to arrive is divided by the item's number of likes to the power
    of ``beta`` (Paudel, section 3.2). Each item keeps the ``neighbours`` it is reached from most.

    Tuned are all fields; ranges hold those of Ferrari Dacrema 2021 (ACM TOIS 39(2), table 3). Of a dozen
    tried on 900 users of MovieLens-1M the defaults had the best validation NDCG@10 (docs/decisions/0025).
    Time: O(N max n_u), more exactly the sum of all n_u^2, n_u being the likes of user u; memory:
    O(I neighbours).
    """

    alpha: float = 0.6
    beta: float = 0.5
    neighbours: int = 200

    space: ClassVar[Space] = {
        "alpha": Range(0.05, 2.0),
        "beta": Range(0.0, 1.5),
        "neighbours": Range(5, 1000, log=True),
    }
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Sum up the walks between all items in one step."""
        from adapters.native.kernels.similarity import nearest

        self._history = train.matrix()
        liked_by = self._history.T.tocsr()
        of_users, of_items = np.diff(self._history.indptr), np.diff(liked_by.indptr)
        leave = negative_power(of_users, self.alpha), negative_power(of_items, self.alpha)
        walks = rescaled(self._history, *leave)  # (U, I): from an item to a user and onwards, read backwards
        arrivals = of_items.astype(np.float64) ** self.beta
        backwards = nearest(liked_by, walks, (arrivals, np.ones(train.n_items)), 0.0, self.neighbours)
        self._weights = backwards.T.tocsr()
        yield
