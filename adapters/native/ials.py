"""iALS: implicit alternating least squares (Hu 2008, ICDM; Rendle 2021, arXiv:2110.14037)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.errors import NotOffered
from benchmark.hyperparameters import ABOVE_0, AT_LEAST_0, COUNT, Limits
from benchmark.modelkit.confidence import confidences
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.pace import Pace
from benchmark.modelkit.serving_traits import Contributions
from benchmark.modelkit.shared_rows import over_rows
from benchmark.modelkit.sparse_state import checked_matrix, history_matrix, pack_histories
from benchmark.protocol import (
    Array,
    FitContext,
    Floats32,
    Hyperparameter,
    Ids,
    Interactions,
    Range,
    Scores,
    Space,
    Use,
    Values,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass
class Ials(DotProduct):
    """Dot products of vectors that fit a one at each like and, weighted by ``alpha``, a zero at every pair.

    Implicit feedback. Minimises ``sum over likes (1 - x)^2 + alpha * sum over all pairs x^2`` and, for each
    user and item with n likes among m, ``l2 * (n + alpha * m)`` times the squared length of its vector
    (Rendle 2021, equations 1 to 4 and section 3.2 with an exponent of 1, which penalises frequent ones more).
    A pass improves all items, then all users, by ``rounds`` conjugate gradients from where the last one ended
    (Takács 2011, RecSys; implicit takes 3 as well); validation NDCG@10 is within 0.001 of exact solutions.
    Tuned: size, penalty and the weight of all pairs.

    Where the suite names confidences, each like's square counts as often as its weight says, relative to
    the mean weight (Hu 2008, equation 3); a known dislike adds the square of its score, as a zero that was
    seen. Both count in ``n``.

    Rendle's best for MovieLens-20M, ``alpha`` 0.1 and ``l2`` 0.003, overfits smaller logs: on validation
    data of 900 users of MovieLens-1M it had an NDCG@10 of 0.172, the defaults 0.216 (docs/decisions/0025).
    Time of a pass: O(``rounds`` (N ``dim`` + (U + I) ``dim``^2)); memory: O((U + I) ``dim`` + N).
    """

    dim: int = 64
    l2: float = 0.01
    alpha: float = 0.3
    rounds: int = 3
    max_epochs: int = 30

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "l2": Range(1e-4, 0.3, log=True),
        "alpha": Range(0.01, 10.0, log=True),
    }
    limits: ClassVar[Limits] = {"l2": ABOVE_0, "alpha": AT_LEAST_0, "rounds": COUNT}
    published: ClassVar[dict[str, Hyperparameter]] = {"l2": 0.003, "alpha": 0.1}  # Rendle 2021, MovieLens-20M
    uses: ClassVar[tuple[Use, ...]] = ("weights", "negatives")
    streams: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Improve all items, then all users, in each pass; a step smaller than a pass improves some of them.

        Each vector depends on those of the other side alone, so it does not matter where a side is cut.
        """
        weighted = bool(len(train.weights)) or train.dislikes is not None
        pairs = confidences_and_dislikes(train) if weighted else train.matrix()
        self._history: csr_matrix | None = pairs
        by_item = pairs.T.tocsr()
        improve = partial(self._improve_weighted if weighted else self._improve, threads=context.threads)
        rng = np.random.default_rng(context.seed)
        spread = np.float32(0.1 / np.sqrt(self.dim))  # Rendle 2021, section 3.3
        self._users: Floats32 = spread * rng.standard_normal((train.n_users, self.dim), dtype=np.float32)
        self._items: Floats32 = np.zeros((train.n_items, self.dim), dtype=np.float32)
        pace = Pace.of(train, context)
        parts = -(-pace.steps // 2)  # of each side
        sides = (self._items, by_item, self._users), (self._users, pairs, self._items)
        blocks = [(side, block) for side in sides for block in equal_blocks(side[1], parts)]
        ends = pace.ends(len(blocks))
        for _ in range(self.max_epochs):
            for done, ((vectors, rows, others), block) in enumerate(blocks, start=1):
                if block.start < block.stop:
                    improve(vectors[block], rows if parts == 1 else rows[block], others, self.rounds)
                if done in ends:
                    yield ends[done]

    def _improve(
        self, vectors: Floats32, positives: csr_matrix, others: Floats32, rounds: int, threads: int = 1
    ) -> None:
        """Move vectors (n, dim) towards the best fit to the others' (m, dim), given positives (n, m)."""
        from adapters.native.kernels.als import cg_step

        ends, columns = (part.astype(np.int32, copy=False) for part in (positives.indptr, positives.indices))
        shared = (self.alpha * (others.T @ others)).astype(np.float32)
        penalties = (self.l2 * (np.diff(ends) + self.alpha * len(others))).astype(np.float32)
        step = partial(cg_step, vectors, others, (ends, columns), shared, penalties)
        over_rows(lambda first, last: step((first, last, rounds)), ends, threads)

    def _improve_weighted(
        self, vectors: Floats32, pairs: csr_matrix, others: Floats32, rounds: int, threads: int
    ) -> None:
        """As :meth:`_improve`, given signed weights (n, m): above 0 of likes, below 0 of dislikes."""
        from adapters.native.kernels.weighted_als import weighted_cg_step

        ends, columns = (part.astype(np.int32, copy=False) for part in (pairs.indptr, pairs.indices))
        weights, targets = np.abs(pairs.data), (pairs.data > 0).astype(np.float32)
        shared = (self.alpha * (others.T @ others)).astype(np.float32)
        counts = np.bincount(np.repeat(np.arange(len(ends) - 1), np.diff(ends)), weights, len(ends) - 1)
        penalties = (self.l2 * (counts + self.alpha * len(others))).astype(np.float32)
        of_pairs = (ends, columns, weights, targets)
        step = partial(weighted_cg_step, vectors, others, of_pairs, shared, penalties)
        over_rows(lambda first, last: step((first, last, rounds)), ends, threads)

    def fold_in(self, items: Ids) -> Scores:
        """Return dot products (I,) with the vector that fits best to a new user's history."""
        scores: Scores = self._folded(items) @ self._items.T
        return scores

    def _folded(self, items: Ids) -> Floats32:
        """Return the vector (dim,) that fits best to a new user's history."""
        history = history_matrix(items, np.array([0, len(items)]), len(self._items))
        vector = np.zeros((1, self.dim), dtype=np.float32)
        self._improve(vector, history, self._items, rounds=2 * self.dim)
        return vector[0]

    def explain(self, user: int, items: Ids) -> Contributions:
        """Return what each like carried (Hu 2008, equation 7); a known dislike carries nothing.

        Raises:
            NotOffered: the state is one that an earlier version stored, without histories.
        """
        own = self._kept_histories()[user]
        return self._solved(own.indices, own.data, items, self._users[user])

    def explain_history(self, history: Ids, items: Ids) -> Contributions:
        """Return what each item of a new user's history carried."""
        return self._solved(history, np.ones(len(history), np.float32), items, self._folded(history))

    def _solved(self, history: Ids, weights: Floats32, items: Ids, vector: Floats32) -> Contributions:
        """Return the scores of a user's vector (dim,) as sums over the user's likes.

        The vector that minimises the loss is ``W sum(w_j y_j)`` over likes j with weights w_j, where the
        inverse of W is ``alpha Y.T Y + sum(w_j y_j y_j.T) + l2 (n + alpha m)``, likes and dislikes alike. So
        the score of item i is the sum over likes of ``w_j (y_i.T W y_j)``: a weight times how alike the two
        items are to this user. The rest is how far the conjugate gradients stopped from that vector.

        Args:
            history: (H,).
            weights: (H,) above 0 of likes, below 0 of known dislikes.
            items: (M,).
            vector: of the user, as it scores.
        """
        everything, asked = self._items.astype(np.float64), self._items[items].astype(np.float64)
        scores, mine = asked @ vector, everything[history]
        if not len(history):
            return Contributions(history, np.empty((0, len(items))), scores)
        sizes: Values = np.abs(weights).astype(np.float64)
        penalty = self.l2 * (sizes.sum() + self.alpha * len(everything))
        normal = self.alpha * everything.T @ everything + (mine.T * sizes) @ mine + penalty * np.eye(self.dim)
        alike = mine @ np.linalg.solve(normal, asked.T)  # (H, M)
        values = np.where(weights > 0, sizes, 0.0)[:, None] * alike
        return Contributions(history, values, scores - values.sum(axis=0))

    def history_of(self, user: int) -> Ids:
        """Return the likes of a user, ascending.

        Raises:
            NotOffered: the state is one that an earlier version stored, without histories.
        """
        own = self._kept_histories()[user]
        return own.indices[own.data > 0].astype(np.int32)

    def _kept_histories(self) -> csr_matrix:
        if self._history is None:
            raise NotOffered(
                "its state was stored by an earlier version of bench, without histories; run the suite "
                "again and export it again"
            )
        return self._history

    def state(self) -> dict[str, Array]:
        """Return the vectors, and the histories as the arrays of a sparse matrix, with weights if any."""
        if self._history is None:
            return super().state()
        weights = self._history.data
        named = {} if (weights == 1).all() else {"history.weights": weights}
        return super().state() | pack_histories(self._history, "history.") | named

    def restore(self, state: dict[str, Array]) -> None:
        """Take back vectors and histories.

        Raises:
            ValueError: the histories make no matrix.
        """
        super().restore(state)
        self._history = None
        if (items := state.get("history.items")) is not None:
            weights = state.get("history.weights", np.ones(len(items), dtype=np.float32))
            shape = len(self._users), len(self._items)
            self._history = checked_matrix(weights, items, state["history.ends"], shape)


def equal_blocks(matrix: csr_matrix, n: int) -> list[slice]:
    """Return n blocks of consecutive rows with about as many entries each; some may be empty."""
    cuts = matrix.indptr.searchsorted(matrix.nnz * np.arange(1, n) / n)
    ends = [0, *cuts.tolist(), matrix.shape[0]]
    return [slice(start, stop) for start, stop in pairwise(ends)]


def confidences_and_dislikes(train: Interactions) -> csr_matrix:
    """Return (U, I): the relative weight of each like, minus one at each known dislike."""
    weights = confidences(train)
    return weights if train.dislikes is None else (weights - train.dislikes.matrix()).tocsr()
