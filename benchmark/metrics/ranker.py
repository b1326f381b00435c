"""Who may be shown what, and the lists that a model's scores make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import topk, topk_gpu
from benchmark.metrics.topk import Entries
from benchmark.protocol import Ids, Scores

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
