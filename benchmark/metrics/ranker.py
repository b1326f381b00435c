"""Who may be shown what, and the lists that a model's scores make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.cold_start import Cold
from benchmark.metrics import topk, topk_gpu
from benchmark.metrics.topk import Entries
from benchmark.protocol import Floats32, Ids, Scores, Vectors
from benchmark.score_check import checked_scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Ranker:
    """Makes lists of one length from scores, hiding what a user has seen: the same for validation and test.

    Attributes:
        seen: (U, I) with an entry at each pair that is no candidate, items ascending.
        excluded: (I,) items that are nobody's candidates; None where there are none.
        length: K, of the lists.
        seed: of the order among equal scores.
    """

    seen: csr_matrix
    excluded: NDArray[np.bool_] | None
    length: int
    seed: int = 0

    def seen_by(self, users: Ids) -> Entries:
        """Return the items that are no candidates of users (B,), ascending within a row."""
        return topk.entries_of(self.seen.indptr, self.seen.indices, users)

    def lists(self, users: Ids, scores: Scores | topk_gpu.Tensor) -> Ids:
        """Return the best candidates of users (B,), best first, (B, K) int32, -1 past the last.

        Args:
            users: (B,).
            scores: (B, I) finite, checked by whoever received them; only read. A tensor is ranked where
                it lies.
        """
        if isinstance(scores, np.ndarray):
            return topk.top_k(
                scores, self.length, users, self.seed, seen=self.seen_by(users), excluded=self.excluded
            )
        return topk_gpu.top_k(scores, self.length, users, self.seed, self.seen_by(users), self.excluded)

    def lists_from(self, users: Ids, vectors: Vectors, who: str = "the model") -> Ids:
        """Return what :meth:`lists` returns for the products of vectors, (B, K), a block of items at a time.

        Not more than 16 MB of scores exist at once, all of them together where that holds all items.

        Args:
            users: (B,).
            vectors: of all users and items.
            who: the model, for messages.

        Raises:
            AdapterError: products that are no floating point numbers.
            MetricError: products that are not finite: the training has diverged.
        """
        blocks = products(users, vectors, who)
        if len(users) * len(vectors.items) <= topk.BATCH_ELEMENTS:
            return self.lists(users, next(blocks)[1])
        return topk.top_k_of_blocks(
            blocks, self.length, users, self.seed, seen=self.seen_by(users), excluded=self.excluded
        )

    def lists_with_cold(self, users: Ids, cold: Cold, lists_by: Callable[[Ranker], Ids]) -> Ids:
        """Return the lists (B, K) of scores with cold users and items filled in as by :class:`Cold`.

        No score is copied or changed: cold items are left out first, and come last where a list is short;
        cold users are ranked by popularity.

        Args:
            users: (B,).
            cold: users and items without a training row.
            lists_by: returns the lists (B, K) that a ranker makes of the model's own scores.
        """
        lists = self._warm_first(users, cold, lists_by)
        if (rows := cold.users[users]).any():
            popularity = self._same_for_all(cold.popularity)
            lists[rows] = self._warm_first(
                users[rows], cold, lambda ranker: ranker.lists_from(users[rows], popularity)
            )
        return lists

    def _warm_first(self, users: Ids, cold: Cold, lists_by: Callable[[Ranker], Ids]) -> Ids:
        """Return lists (B, K) in which cold items are equal among themselves and come after all others."""
        if not cold.any_item:
            return lists_by(self)
        lists = lists_by(self._without(cold.items))
        short = (lists == -1).any(axis=1)
        if short.any():
            behind = self._without(~cold.items)
            equal = self._same_for_all(np.zeros(len(cold.items), dtype=np.float32))
            rest = behind.lists_from(users[short], equal)
            both = np.hstack([lists[short], rest])
            order = np.argsort(both == -1, axis=1, kind="stable")[:, : self.length]
            lists[short] = np.take_along_axis(both, order, axis=1)
        return lists

    def _without(self, items: NDArray[np.bool_]) -> Ranker:
        """Return a ranker for which these items (I,) are nobody's candidates either."""
        return replace(self, excluded=items if self.excluded is None else self.excluded | items)

    def _same_for_all(self, scores: Floats32) -> Vectors:
        """Return vectors whose products are the same scores (I,) for everybody."""
        users, items = (np.zeros((n, 0), dtype=np.float32) for n in self.seen.shape)
        return Vectors(users, items, scores)


def products(users: Ids, vectors: Vectors, who: str) -> Iterator[tuple[int, Scores]]:
    """Yield the first item of each block and the checked scores (B, n) of users (B,) for it."""
    own, n_items = vectors.users[users], len(vectors.items)
    size = max(topk.BATCH_ELEMENTS // max(len(users), 1), 1)
    for first in range(0, n_items, size):
        block = slice(first, min(first + size, n_items))
        scores = own @ vectors.items[block].T
        if vectors.bias is not None and vectors.offset is not None:
            scores += vectors.bias[block] + vectors.offset[users][:, None]
        elif vectors.bias is not None:
            scores += vectors.bias[block]
        elif vectors.offset is not None:
            scores += vectors.offset[users][:, None]
        yield first, checked_scores(scores, users, block.stop - first, who, "vectors()")
