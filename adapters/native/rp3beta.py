"""RP3beta: a random walk of three steps, popular destinations discounted (Paudel 2017, ACM TiiS 7(1))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.hyperparameters import AT_LEAST_0, Limits
from benchmark.modelkit.footprints import neighbourhood_bytes
from benchmark.modelkit.item_to_item import ItemToItem
from benchmark.modelkit.likeness import Denominator
from benchmark.modelkit.weighting import inverse_power, scale_rows_columns
from benchmark.protocol import FitContext, Interactions, Needs, Range, Space


@dataclass
class Rp3Beta(ItemToItem):
    """A walk goes from a liked item to one of its users and on to an item of theirs.

    Implicit feedback. The chance of each step is one over the number of ways, to the power of ``alpha``
    (P3alpha: Cooper 2014, WWW); the chance of arriving is divided by the item's number of likes to the power
    of ``beta`` (Paudel, section 3.2). Each item keeps the ``neighbours`` that reach it most often.

    Tuned: all fields; ranges include those of Ferrari Dacrema 2021 (ACM TOIS 39(2), table 3). Of a dozen
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
    limits: ClassVar[Limits] = {"alpha": AT_LEAST_0, "beta": AT_LEAST_0}
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Sum up the walks between all items in one step."""
        from adapters.native.kernels.similarity import top_similar

        self._history = train.matrix()
        by_item = self._history.T.tocsr()
        of_users, of_items = np.diff(self._history.indptr), np.diff(by_item.indptr)
        leave = inverse_power(of_users, self.alpha), inverse_power(of_items, self.alpha)
        walks = scale_rows_columns(self._history, *leave)  # (U, I): item to user to item, read backwards
        arrivals = of_items.astype(np.float64) ** self.beta
        ends = Denominator(arrivals, np.ones(train.n_items))
        backwards = top_similar(by_item, walks, ends, self.neighbours, context.threads)
        self._weights = backwards.T.tocsr()
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return the neighbours of all items."""
        found = neighbourhood_bytes(train, train.n_items, self.neighbours, transposed=True)
        return Needs(found, why=f"{self.neighbours:,} neighbours of {train.n_items:,} items")
