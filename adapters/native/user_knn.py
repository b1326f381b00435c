"""User neighbourhoods: what the most similar users like (Herlocker 1999, SIGIR)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.modelkit.footprints import neighbourhood_bytes
from benchmark.modelkit.likeness import Likeness
from benchmark.modelkit.serving_traits import Contributions, HistoryRows
from benchmark.modelkit.sparse_state import pack, unpack
from benchmark.modelkit.weighting import idf, row_norms, scale_rows_columns
from benchmark.protocol import (
    Array,
    Choice,
    FitContext,
    Ids,
    Interactions,
    Needs,
    Range,
    Scores,
    Space,
    Values,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass
class UserKnn(Likeness, HistoryRows):
    """An item's score is the summed similarity of those of a user's nearest neighbours who like it.

    Implicit feedback. Similarity is that of two histories, by default their cosine, shrunk where they share
    little (Bell & Koren 2007, section 3); ``similarity`` names another measure (modelkit's Likeness). "idf"
    weighs a shared item by ``log(users / its users)`` (Breese 1998, section 2.1.3, inverse user frequency),
    but not in jaccard, dice and tversky, which compare sets.

    On validation data of 900 users of MovieLens-1M 25 to 100 neighbours came within 0.006 NDCG@10 of each
    other and both weightings within 0.003 (docs/decisions/0025). Tuned: ``neighbours``, ``shrinkage``,
    ``weighting``; the others are set by a suite (docs/decisions/0045). Time: O(N max n_i),
    more exactly the sum of all n_i^2, n_i being the users of item i; memory: O(U ``neighbours``).
    """

    neighbours: int = 50
    shrinkage: float = 1.0
    weighting: str = "idf"

    space: ClassVar[Space] = {
        "neighbours": Range(5, 1000, log=True),
        "shrinkage": Range(0.01, 10000.0, log=True),
        "weighting": Choice("none", "idf"),
    }
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Find the neighbours of every user in one step."""
        from adapters.native.kernels.similarity import top_similar

        self._history = train.matrix()
        profiles, _ = self._profiles()
        norms = row_norms(profiles)
        scales = self.denominator(norms, norms, self.shrinkage)
        self._similar = top_similar(profiles, profiles.T.tocsr(), scales, self.neighbours, context.threads)
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return the neighbours of all users."""
        found = neighbourhood_bytes(train, train.n_users, self.neighbours, transposed=False)
        return Needs(found, why=f"{self.neighbours:,} neighbours of {train.n_users:,} users")

    def _profiles(self) -> tuple[csr_matrix, Values]:
        """Return the weighted histories (U, I), and the weight of each item (I,)."""
        n_users, n_items = self._history.shape
        weights = np.ones(n_items)
        if self._weighs:
            weights = idf(np.bincount(self._history.indices, minlength=n_items), n_users)
        return scale_rows_columns(self._history, np.ones(n_users), weights), weights

    @property
    def _weighs(self) -> bool:
        return self.weighting == "idf" and not self.compares_sets

    def score(self, users: Ids) -> Scores:
        """Return the summed similarity (B, I) of the neighbours who like an item."""
        scores: Scores = (self._similar[users] @ self._history).toarray()
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return the summed similarity (I,) of a new user's neighbours among the users of the log."""
        similar = self._similarities(items, self._comparable(), self._is_same(items))
        scores: Scores = (similar @ self._history).astype(np.float32)
        return scores

    def _comparable(self) -> tuple[csr_matrix, Values, Values]:
        """Return the weighted histories (U, I), their lengths (U,) and the weight of each item (I,)."""
        profiles, weights = self._profiles()
        return profiles, row_norms(profiles), weights

    def _is_same(self, items: Ids) -> Ids:
        """Return the user of the log who has this very history, or nobody: who is asked about, or a twin."""
        new = np.zeros(self._history.shape[1], dtype=np.float32)
        new[items] = 1.0
        same = (self._history @ new == len(items)) & (np.diff(self._history.indptr) == len(items))
        found: Ids = np.flatnonzero(same)[:1].astype(np.int32)
        return found

    def _similarities(self, items: Ids, comparable: tuple[csr_matrix, Values, Values], nobody: Ids) -> Values:
        """Return the similarities (U,) of the neighbours of a history, 0 of all others and of ``nobody``."""
        profiles, norms, weights = comparable
        own = np.zeros(profiles.shape[1], dtype=np.float32)
        own[items] = weights[items] if self._weighs else 1.0
        overlaps = profiles @ own
        mine = np.array([np.linalg.norm(own)], dtype=np.float64)
        similar: Values = overlaps / self.denominator(mine, norms, self.shrinkage).of(0, overlaps)
        similar[nobody] = 0.0
        if len(similar) > self.neighbours:
            similar[np.argpartition(similar, -self.neighbours)[: -self.neighbours]] = 0.0
        return similar

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return what the score of each item loses without each item of a user's history."""
        (scores,) = self.score(np.array([user], dtype=np.int32))
        return self._lost(self.history_of(user), items, scores, np.array([user], dtype=np.int32))

    def explain_history(self, history: Ids, items: Ids) -> Contributions:
        """Return the same for a new user's history."""
        return self._lost(history, items, self.fold_in(history), self._is_same(history))

    def _lost(self, history: Ids, items: Ids, scores: Scores, nobody: Ids) -> Contributions:
        """Return what each score loses where the neighbours are found again without one item of a history.

        A neighbour who is no longer near enough leaves, and another comes: both belong to what the item
        carried. What no single item accounts for is the rest.
        """
        comparable, asked = self._comparable(), self._history[:, items]
        full = scores[items].astype(np.float64)
        without = [
            self._similarities(np.delete(history, place), comparable, nobody) @ asked
            for place in range(len(history))
        ]
        values = full - np.array(without, dtype=np.float64).reshape(len(history), len(items))
        return Contributions(history, values, full - values.sum(axis=0))

    def state(self) -> dict[str, Array]:
        """Return histories (U, I) and similarities (U, U) as the arrays of sparse matrices."""
        return pack("history", self._history) | pack("alike", self._similar)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back histories and similarities."""
        self._history, self._similar = unpack("history", state), unpack("alike", state)
