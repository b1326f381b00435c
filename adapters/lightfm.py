"""LightFM's losses over user and item vectors, and its hybrid with features (Kula 2015, arXiv:1507.08439).

A pass over N likes costs O(N dim) for ``logistic`` and ``bpr``, and up to ten times that where WARP searches
for a violating item; with features, times the features of a user and an item. Scores are dot products.
Where the suite names confidences, the step of each like is multiplied by its own, relative to their mean.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmark.errors import AdapterError
from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.confidence import confidences
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.negative_sampling import PositivePairs
from benchmark.protocol import Choice, Features, FitContext, Ids, Interactions, Range, Space, Use

if TYPE_CHECKING:
    from scipy.sparse import coo_matrix, csr_matrix

MANY = 20_000
"""Vectors of users, or of items, up to which the library's penalty means what it says."""

SHARED: Space = {
    "dim": Range(8, 512, log=True),
    "lr": Range(1e-3, 0.3, log=True),
    "l2": Range(1e-7, 3e-3, log=True),
}


@dataclass(frozen=True)
class FeatureTable:
    """Features as the library takes them (rows, F): to train with, and to score with; None stands for ids."""

    trained: csr_matrix | None = None
    served: csr_matrix | None = None


@dataclass(frozen=True)
class EpochRows:
    """What one epoch walks through, as the library takes it.

    Attributes:
        signs: (U, I) a one at each like, minus one at what is not liked.
        weights: (U, I) the weight of each of these entries, in their order; None where all count alike.
    """

    signs: coo_matrix
    weights: coo_matrix | None = None


@dataclass
class LightFMModel(DotProduct, ABC):
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
    uses: ClassVar[tuple[Use, ...]] = ("weights",)

    @abstractmethod
    def loss_options(self) -> Mapping[str, str | int]:
        """Return the loss, and the arguments of the library that it alone takes."""

    def feature_tables(self, train: Interactions) -> tuple[FeatureTable, FeatureTable]:  # noqa: ARG002 (hybrid)
        """Return the features of users and of items; without any, each has a vector of its own."""
        return FeatureTable(), FeatureTable()

    def epoch_rows(self, train: Interactions, seed: int) -> Iterator[EpochRows]:  # noqa: ARG002 (logistic)
        """Yield the rows of each epoch."""
        weights = confidences(train).tocoo() if len(train.weights) else None
        return repeat(EpochRows(train.matrix().tocoo(), weights), self.max_epochs)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch per step; every event is a like."""
        import lightfm

        model = lightfm.LightFM(
            self.dim,
            learning_rate=self.lr,
            user_alpha=penalty(self.l2, train.n_users),
            item_alpha=penalty(self.l2, train.n_items),
            random_state=context.seed,
            **self.loss_options(),
        )
        users, items = self.feature_tables(train)
        for rows in self.epoch_rows(train, context.seed):
            model.fit_partial(
                rows.signs, users.trained, items.trained, rows.weights, num_threads=context.threads
            )
            _, self._users = model.get_user_representations(users.served)
            self._bias, self._items = model.get_item_representations(items.served)
            yield


def penalty(l2: float, vectors: int) -> float:
    """Return the penalty that the library is given for so many vectors of users, or of items.

    It shrinks every vector at every interaction, so between two of its own interactions a vector shrinks the
    more, the more others there are: with many, to nothing. From ``MANY`` on it is divided accordingly.

    >>> penalty(5e-4, 6_040), penalty(5e-4, 200_000)
    (0.0005, 5e-05)
    """
    return l2 * min(1.0, MANY / max(vectors, 1))


@dataclass
class Warp(LightFMModel):
    """WARP: each like is lifted above an item that is wrongly ranked higher (Weston 2011).

    Implicit feedback. Tuned: size, step and penalty, which interact; the epochs are left to early
    stopping. A pass costs O(N dim), up to ten times that once violating items are rare; a full scoring
    O(U I dim). Defaults: docs/decisions/0008.
    """

    def loss_options(self) -> Mapping[str, str | int]:
        """Return the loss."""
        return {"loss": "warp"}


@dataclass
class Bpr(LightFMModel):
    """BPR: each like is lifted above one item drawn at random (Rendle 2009, arXiv:1205.2618).

    Implicit feedback. Tuned: size, step and penalty, as for ``lightfm/warp``. Drawing blindly teaches less
    per epoch than WARP, so it gets twice the epochs at most. A pass costs O(N dim), a full scoring O(U I
    dim).
    """

    max_epochs: int = 120

    def loss_options(self) -> Mapping[str, str | int]:
        """Return the loss."""
        return {"loss": "bpr"}


@dataclass
class WarpKos(LightFMModel):
    """k-th order statistic WARP: of ``positives`` drawn likes the ``kth`` best is lifted (Weston 2013, 3.2).

    Implicit feedback. Tuned: size, step and penalty, and which of how many likes is lifted; the defaults of
    these two are the library's, the fifth of ten. An epoch visits each user once instead of each like, so it
    is short, O(U positives dim), and there are more of them. A full scoring costs O(U I dim).
    """

    kth: int = 5
    positives: int = 10
    max_epochs: int = 600

    space: ClassVar[Space] = {**SHARED, "kth": Range(1, 10), "positives": Range(10, 30)}
    limits: ClassVar[Limits] = {"kth": COUNT, "positives": COUNT}
    uses: ClassVar[tuple[Use, ...]] = ()  # the library has no weights for this loss

    def loss_options(self) -> Mapping[str, str | int]:
        """Return the loss, which of how many positives is lifted."""
        return {"loss": "warp-kos", "k": self.kth, "n": self.positives}


@dataclass
class Logistic(LightFMModel):
    """Log loss on likes and on items drawn as negatives, as in He 2017 (arXiv:1708.05031, section 3.1).

    The library's loss needs rows that are disliked; a log of likes has none, and without them the best
    model predicts a like for every pair. So each epoch draws ``negatives`` items per like that the user has
    not liked, and adds the known dislikes where the suite names them. Implicit feedback. Tuned: size, step
    and penalty, and how many negatives, as He 2017 does in section 4.3. A pass costs O(N negatives dim),
    a full scoring O(U I dim).
    """

    negatives: int = 4

    space: ClassVar[Space] = {**SHARED, "negatives": Range(1, 8)}
    uses: ClassVar[tuple[Use, ...]] = ("weights", "negatives")

    def loss_options(self) -> Mapping[str, str | int]:
        """Return the loss."""
        return {"loss": "logistic"}

    def epoch_rows(self, train: Interactions, seed: int) -> Iterator[EpochRows]:
        """Yield the positives with a one; known dislikes, and negatives drawn anew, with minus one."""
        from scipy.sparse import coo_matrix

        rng = np.random.default_rng(seed)
        rows = train.matrix().tocoo()
        positives = PositivePairs.from_ids(rows.row, rows.col, train.n_items)
        users = np.repeat(rows.row, self.negatives)
        weights = confidences(train).tocoo().data if len(train.weights) else None
        dislikes = train.dislikes
        known = (rows.row[:0], rows.col[:0]) if dislikes is None else (dislikes.users, dislikes.items)
        shape = (train.n_users, train.n_items)
        for _ in range(self.max_epochs):
            items = rng.integers(train.n_items, size=len(users), dtype=np.int32)
            new = ~positives.contain(users, items)
            pairs = (
                np.concatenate([rows.row, known[0], users[new]]),
                np.concatenate([rows.col, known[1], items[new]]),
            )
            signs = np.where(np.arange(len(pairs[0])) < rows.nnz, np.float32(1), np.float32(-1))
            of_rows = None
            if weights is not None:
                of_rows = coo_matrix((np.append(weights, -signs[rows.nnz :]), pairs), shape=shape)
            yield EpochRows(coo_matrix((signs, pairs), shape=shape), of_rows)


@dataclass
class Hybrid(LightFMModel):
    """A user (an item) is the sum of its features' vectors and, with ``identity``, a vector of its own.

    Users and items without a training row are scored by features alone (Kula 2015, section 3). Features weigh
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

    def loss_options(self) -> Mapping[str, str | int]:
        """Return the loss."""
        return {"loss": self.loss}

    def feature_tables(self, train: Interactions) -> tuple[FeatureTable, FeatureTable]:
        """Return the features of users and of items, each with a vector of its own if wanted."""
        if train.user_features is None and train.item_features is None:
            raise AdapterError("lightfm/hybrid needs user or item features, and the data set has none")
        users = self._table(train.user_features, train.users, train.n_users)
        return users, self._table(train.item_features, train.items, train.n_items)

    def _table(self, features: Features | None, seen: Ids, rows: int) -> FeatureTable:
        """Return the features of rows, preceded by the row itself if it has a vector of its own.

        The own vector of a row without training rows is untrained noise, so scores leave it out.
        """
        from scipy.sparse import csr_matrix, diags, hstack, identity

        blocks: list[Any] = []
        if features is not None and features.names:
            weights = np.asarray(abs(features.matrix).sum(axis=1), dtype=np.float32).ravel()
            blocks = [diags(1 / np.maximum(weights, np.float32(1e-12))) @ features.matrix]
        if blocks and not self.identity:
            described = csr_matrix(blocks[0], dtype=np.float32)
            return FeatureTable(described, described)
        own = diags((np.bincount(seen, minlength=rows) > 0).astype(np.float32))
        trained = csr_matrix(hstack([identity(rows), *blocks]), dtype=np.float32)
        return FeatureTable(trained, csr_matrix(hstack([own, *blocks]), dtype=np.float32))
