"""LightFM's losses over user and item vectors, and its hybrid with features (Kula 2015, arXiv:1507.08439).

A pass over N likes costs O(N dim) for ``logistic`` and ``bpr``, and up to ten times that where WARP looks for
a violating item; with features, times the features of a user and an item. A batch of scores is one product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmark.errors import AdapterError
from benchmark.protocol import Array, Choice, Features, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SHARED: Space = {
    "dim": Range(8, 512, log=True),
    "lr": Range(1e-3, 0.3, log=True),
    "l2": Range(1e-7, 3e-3, log=True),
}


@dataclass(frozen=True)
class _Table:
    """Features as the library takes them (rows, F), to train on and to describe whom it knows; None: ids."""

    trained: csr_matrix | None = None
    known: csr_matrix | None = None


@dataclass
class _Factors:
    """Dot products of learned vectors plus an item bias.

    LightFM's own defaults (10 dimensions, 10 epochs, no penalty) are toy sizes. These had the best
    validation NDCG@10 among a dozen tried for WARP on 900 users of MovieLens-1M (docs/decisions/0008).
    """

    dim: int = 64
    lr: float = 0.05
    l2: float = 5e-4
    max_epochs: int = 60

    space: ClassVar[Space] = SHARED
    requires: ClassVar[tuple[str, ...]] = ("lightfm",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch per step; every event is a like."""
        import lightfm

        model = lightfm.LightFM(
            self.dim,
            learning_rate=self.lr,
            user_alpha=self.l2,
            item_alpha=self.l2,
            random_state=context.seed,
            **self._loss(),
        )
        users, items = self._tables(train)
        for rows in self._epochs(train, context.seed):
            model.fit_partial(rows, users.trained, items.trained, num_threads=context.threads)
            _, self._users = model.get_user_representations(users.known)
            self._bias, self._items = model.get_item_representations(items.known)
            yield

    def _loss(self) -> dict[str, Any]:
        """Return the loss and what it alone takes."""
        raise NotImplementedError

    def _tables(self, train: Interactions) -> tuple[_Table, _Table]:  # noqa: ARG002 (the hybrid needs it)
        """Return the features of users and of items; without any, each has a vector of its own."""
        return _Table(), _Table()

    def _epochs(self, train: Interactions, seed: int) -> Iterator[Any]:  # noqa: ARG002 (losses that draw need it)
        """Return the rows (U, I) of each epoch."""
        likes = train.matrix().tocoo()
        for _ in range(self.max_epochs):
            yield likes

    def score(self, users: Ids) -> Scores:
        """Return dot products plus item bias (B, I); a user's bias cannot change a ranking."""
        scores: Scores = self._users[users] @ self._items.T + self._bias
        return scores

    def state(self) -> dict[str, Array]:
        """Return the vectors of users (U, dim) and items (I, dim) and the items' bias (I,)."""
        return {"users": self._users, "items": self._items, "bias": self._bias}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back vectors and bias."""
        self._users, self._items, self._bias = state["users"], state["items"], state["bias"]


@dataclass
class Warp(_Factors):
    """WARP: each like is lifted above an item that is wrongly ranked higher (Weston 2011).

    Implicit feedback. Tuned: size, step and penalty, which belong together; the epochs are left to early
    stopping. A pass costs O(N dim), up to ten times that once violating items are rare; a full scoring
    O(U I dim). Defaults: docs/decisions/0008.
    """

    def _loss(self) -> dict[str, Any]:
        return {"loss": "warp"}


@dataclass
class Bpr(_Factors):
    """BPR: each like is lifted above one item drawn at random (Rendle 2009, arXiv:1205.2618).

    Implicit feedback. Tuned: size, step and penalty, as for ``lightfm/warp``. Drawing blindly teaches less
    per epoch than WARP, so it gets twice the epochs at most. A pass costs O(N dim), a full scoring O(U I
    dim).
    """

    max_epochs: int = 120

    def _loss(self) -> dict[str, Any]:
        return {"loss": "bpr"}


@dataclass
class WarpKos(_Factors):
    """k-th order statistic WARP: of ``positives`` drawn likes the ``kth`` best is lifted (Weston 2013, 3.2).

    Implicit feedback. Tuned: size, step and penalty, and which of how many likes is lifted; the defaults of
    these two are the library's, the fifth of ten. An epoch visits each user once instead of each like, so it
    is short, O(U positives dim), and there are more of them. A full scoring costs O(U I dim).
    """

    kth: int = 5
    positives: int = 10
    max_epochs: int = 600

    space: ClassVar[Space] = {**SHARED, "kth": Range(1, 10), "positives": Range(10, 30)}

    def _loss(self) -> dict[str, Any]:
        return {"loss": "warp-kos", "k": self.kth, "n": self.positives}


@dataclass
class Logistic(_Factors):
    """Log loss on likes and on items drawn as negatives, as in He 2017 (arXiv:1708.05031, section 3.1).

    The library's loss wants rows that are disliked; a log of likes has none, and without them the best
    model says yes to everything. So each epoch draws ``negatives`` items a like that the user has not liked.
    Implicit feedback. Tuned: size, step and penalty, and how many negatives, which He 2017 varies too
    (section 4.3). A pass costs O(N negatives dim), a full scoring O(U I dim).
    """

    negatives: int = 4

    space: ClassVar[Space] = {**SHARED, "negatives": Range(1, 8)}

    def _loss(self) -> dict[str, Any]:
        return {"loss": "logistic"}

    def _epochs(self, train: Interactions, seed: int) -> Iterator[Any]:
        from scipy.sparse import coo_matrix

        rng = np.random.default_rng(seed)
        likes = train.matrix().tocoo()
        known = np.sort(likes.row.astype(np.int64) * train.n_items + likes.col)
        users = np.repeat(likes.row, self.negatives)
        for _ in range(self.max_epochs):
            items = rng.integers(train.n_items, size=len(users), dtype=np.int32)
            codes = users.astype(np.int64) * train.n_items + items
            new = known[np.minimum(known.searchsorted(codes), len(known) - 1)] != codes
            pairs = np.append(likes.row, users[new]), np.append(likes.col, items[new])
            signs = np.where(np.arange(len(pairs[0])) < likes.nnz, np.float32(1), np.float32(-1))
            yield coo_matrix((signs, pairs), shape=(train.n_users, train.n_items))


@dataclass
class Hybrid(_Factors):
    """A user (an item) is the sum of the vectors of its features and, with ``identity``, one of its own.

    So what has no training row is scored by its features alone (Kula 2015, section 3). Features weigh
    the same whatever their number: each row of the feature matrix adds up to one, its own vector apart.
    Implicit feedback. Tuned: size, step and penalty, whether vectors of their own help where features are
    rich, and the loss. A pass costs O(N dim f), up to ten times that with WARP, f being the features of a
    user and an item; a full scoring O(U I dim).
    """

    identity: bool = True
    loss: str = "warp"

    space: ClassVar[Space] = {**SHARED, "identity": Choice(True, False), "loss": Choice("warp", "bpr")}
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")
    needs_features: ClassVar[tuple[str, ...]] = ("users", "items")

    def _loss(self) -> dict[str, Any]:
        return {"loss": self.loss}

    def _tables(self, train: Interactions) -> tuple[_Table, _Table]:
        if train.user_features is None and train.item_features is None:
            raise AdapterError("lightfm/hybrid needs user or item features, and the data set has none")
        users = self._table(train.user_features, train.users, train.n_users)
        return users, self._table(train.item_features, train.items, train.n_items)

    def _table(self, features: Features | None, seen: Ids, rows: int) -> _Table:
        """Return the features of rows, an own one first where it is wanted.

        The own vector of a row that training never saw is untrained noise, so it is not among what is known.
        """
        from scipy.sparse import csr_matrix, diags, hstack, identity

        blocks: list[Any] = []
        if features is not None and features.names:
            weights = np.asarray(abs(features.matrix).sum(axis=1), dtype=np.float32).ravel()
            blocks = [diags(1 / np.maximum(weights, np.float32(1e-12))) @ features.matrix]
        if blocks and not self.identity:
            described = csr_matrix(blocks[0], dtype=np.float32)
            return _Table(described, described)
        own = diags((np.bincount(seen, minlength=rows) > 0).astype(np.float32))
        trained = csr_matrix(hstack([identity(rows), *blocks]), dtype=np.float32)
        return _Table(trained, csr_matrix(hstack([own, *blocks]), dtype=np.float32))
