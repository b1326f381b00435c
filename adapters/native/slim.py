"""SLIM: sparse item-to-item weights (Ning & Karypis 2011, ICDM, doi:10.1109/ICDM.2011.134)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.modelkit.footprints import pairs_together, sparse_bytes
from benchmark.modelkit.item_to_item import ItemToItem
from benchmark.modelkit.pace import Pace
from benchmark.protocol import FitContext, Interactions, Needs, Range, Space

DENSE_WEIGHTS = 4_000_000  # that the kernel holds at once

DENSE_ITEMS = 16_384  # up to here all overlaps are held, 1 GB at most; beyond, those that are not 0


@dataclass
class Slim(ItemToItem):
    """Each item is explained by the others: a regression with an elastic net and no weight below zero.

    Implicit feedback. Tuned: both penalties. ``l1`` decides how many weights remain, hence time and memory;
    ``l2`` how evenly they share. On validation data of 900 users of MovieLens-1M all of ``l1`` 1 to 2 with
    ``l2`` 30 to 100 came within 0.001 NDCG@10 of the best (docs/decisions/0025). Time: O(I^2 w)
    a sweep over all items, w being the weights of an item that it changes, and once O(N max n_u) for the
    overlaps, n_u being the likes of user u; memory: I x I float32 for the overlaps, and 8 bytes for each
    pair of items that share a user where there are more than 16,384 items. Within a pass the popular items
    are explained, and the others are recommended last.
    """

    l1: float = 2.0
    l2: float = 100.0

    space: ClassVar[Space] = {
        "l1": Range(0.03, 100.0, log=True),
        "l2": Range(1.0, 3000.0, log=True),
    }
    deterministic: ClassVar[bool] = True
    streams: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Explain all items; in steps smaller than a pass the popular ones first."""
        from scipy.sparse import csr_matrix, vstack

        from adapters.native.kernels.slim import elastic_net

        self._history = train.matrix()
        overlaps = self._history.T @ self._history
        if train.n_items <= DENSE_ITEMS:
            overlaps = overlaps.toarray(order="C")
        likes = np.bincount(train.items, minlength=train.n_items)
        order = np.argsort(-likes, kind="stable").astype(np.int32)
        penalties, done = (self.l1, self.l2), 0
        explained: list[csr_matrix] = []
        for end, rows in Pace.of(train, context).ends(train.n_items).items():
            explained.append(elastic_net(overlaps, penalties, order[done:end], context.threads))
            entries, done = vstack(explained, format="csr").tocoo(), end
            columns = entries.col, order[entries.row]
            self._weights = csr_matrix((entries.data, columns), shape=(train.n_items, train.n_items))
            yield rows

    def needs(self, train: Interactions) -> Needs:
        """Return the overlaps of all items, dense where these are few, beside the sparse ones."""
        n = train.n_items
        solved = 4.0 * min(n**2, DENSE_WEIGHTS)
        sparse = sparse_bytes(pairs_together(train) + 2.0 * len(train)) + solved
        if n > DENSE_ITEMS:
            return Needs(sparse, why=f"the overlaps of {n:,} items that share a user")
        return Needs(4.0 * n**2 + sparse, why=f"a {n:,} x {n:,} matrix of float32")
