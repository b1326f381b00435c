"""Models of implicit (Frederickson, github.com/benfred/implicit), in an environment of their own.

Implicit feedback, all of them; implicit has no neural model. What it calls ``alpha`` is the weight of a like
beside that of 1 of every other pair, where that of native/ials weighs all pairs beside likes of 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from benchmark.hyperparameters import ABOVE_0, AT_LEAST_0, Allowed, Limits
from benchmark.modelkit.confidence import confidences
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.footprints import neighbourhood_bytes
from benchmark.modelkit.item_to_item import ItemToItem
from benchmark.modelkit.passes import passes, passes_a_step
from benchmark.protocol import (
    Choice,
    FitContext,
    Interactions,
    Needs,
    Range,
    Space,
    Use,
)


class Factors(DotProduct, ABC):
    """A factorisation by implicit: its ``fit`` tells about each pass by a callback.

    Attributes:
        draws: whether it draws one row after another: then a step on a small log is several passes.
    """

    environment: ClassVar[str] = "implicit"
    requires: ClassVar[tuple[str, ...]] = ("implicit",)
    draws: ClassVar[bool] = False

    @abstractmethod
    def model(self, context: FitContext) -> Any:
        """Return implicit's model."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass a step, or a few."""
        model, every = self.model(context), passes_a_step(len(train)) if self.draws else 1
        likes = confidences(train) if len(train.weights) else train.matrix()

        def fit(after_pass: Callable[[], None]) -> None:
            model.fit(likes, show_progress=False, callback=lambda *_: after_pass())

        for _ in passes(fit, every):
            self._users, self._items = model.user_factors, model.item_factors
            yield


@dataclass
class Als(Factors):
    """Alternating least squares by three conjugate gradients a pass (Hu 2008, ICDM; Takács 2011, RecSys).

    Implicit feedback. Minimises ``sum over all pairs c (p - x)^2``, c being ``alpha`` and p 1 at a like,
    1 and 0 elsewhere, and ``l2`` times the squared length of each vector, frequent or rare.
    Defaults are implicit's. Tuned: ``dim``, ``l2``, ``alpha``. A pass costs
    O(3 (N ``dim`` + (U + I) ``dim``^2)).
    """

    dim: int = 100
    l2: float = 0.01
    alpha: float = 1.0
    max_epochs: int = 30

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "l2": Range(1e-3, 300.0, log=True),
        "alpha": Range(0.3, 100.0, log=True),
    }
    limits: ClassVar[Limits] = {"alpha": ABOVE_0}
    uses: ClassVar[tuple[Use, ...]] = ("weights",)

    def model(self, context: FitContext) -> Any:
        """Return implicit's model for the CPU."""
        from implicit.cpu.als import AlternatingLeastSquares

        return AlternatingLeastSquares(
            factors=self.dim,
            regularization=self.l2,
            alpha=self.alpha,
            iterations=self.max_epochs,
            num_threads=context.threads,
            random_state=context.seed,
        )


@dataclass
class Bpr(Factors):
    """Bayesian personalised ranking by stochastic gradient ascent (Rendle 2009, UAI), with an item bias.

    Implicit feedback. A row and an item at random are drawn N times a pass; where the user likes the item
    as well, the draw is dropped. Defaults are implicit's. Tuned: ``dim``, ``lr``, ``l2``. A pass costs
    O(N ``dim``).
    """

    dim: int = 100
    lr: float = 0.01
    l2: float = 0.01
    max_epochs: int = 100

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "lr": Range(1e-3, 0.3, log=True),
        "l2": Range(1e-6, 0.1, log=True),
    }
    draws: ClassVar[bool] = True

    def model(self, context: FitContext) -> Any:
        """Return implicit's model for the CPU."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        return BayesianPersonalizedRanking(
            factors=self.dim,
            learning_rate=self.lr,
            regularization=self.l2,
            iterations=self.max_epochs,
            num_threads=context.threads,
            random_state=context.seed,
        )


@dataclass
class Lmf(Factors):
    """Logistic matrix factorisation with biases by AdaGrad (Johnson 2014, NeurIPS workshop).

    Implicit feedback. A pass moves all users by their likes and ``negatives`` times as many other items, then
    all items likewise. Defaults are implicit's. Tuned: ``dim``, ``lr``, ``l2``, ``negatives``. A pass costs
    O(N ``negatives`` ``dim``).
    """

    dim: int = 30
    lr: float = 1.0
    l2: float = 0.6
    negatives: int = 30
    max_epochs: int = 30

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "lr": Range(0.03, 3.0, log=True),
        "l2": Range(0.01, 30.0, log=True),
        "negatives": Range(1, 100, log=True),
    }

    def model(self, context: FitContext) -> Any:
        """Return implicit's model for the CPU."""
        from implicit.cpu.lmf import LogisticMatrixFactorization

        return LogisticMatrixFactorization(
            factors=self.dim,
            learning_rate=self.lr,
            regularization=self.l2,
            neg_prop=self.negatives,
            iterations=self.max_epochs,
            num_threads=context.threads,
            random_state=context.seed,
        )


@dataclass
class ItemKnn(ItemToItem):
    """An item's score is its summed similarity to what the user likes, of the ``neighbours`` of each like.

    Implicit feedback (Sarwar 2001, WWW). ``weighting`` names the class of implicit that is meant:
    CosineRecommender, TFIDFRecommender or BM25Recommender with its own ``k1`` and ``b``. Each liked
    item keeps its neighbours, itself among them, where native/item-knn keeps those of each candidate.
    Defaults are implicit's. Tuned: ``neighbours``, ``weighting``. Time: O(N max n_u), n_u being the likes of
    user u.
    """

    neighbours: int = 20
    weighting: str = "cosine"
    k1: float = 1.2
    b: float = 0.75

    space: ClassVar[Space] = {
        "neighbours": Range(5, 1000, log=True),
        "weighting": Choice("cosine", "tfidf", "bm25"),
    }
    limits: ClassVar[Limits] = {"k1": AT_LEAST_0, "b": Allowed(0, 1)}
    deterministic: ClassVar[bool] = True
    environment: ClassVar[str] = "implicit"
    requires: ClassVar[tuple[str, ...]] = ("implicit",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Find the neighbours of every item in one step."""
        from implicit import nearest_neighbours as nn

        made = {"cosine": nn.CosineRecommender, "tfidf": nn.TFIDFRecommender, "bm25": nn.BM25Recommender}
        own = {"K1": self.k1, "B": self.b} if self.weighting == "bm25" else {}
        model = made[self.weighting](K=self.neighbours, num_threads=context.threads, **own)
        self._history = train.matrix()
        model.fit(self._history, show_progress=False)
        self._weights = model.similarity.astype("float32")
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return the neighbours of all items."""
        found = neighbourhood_bytes(train, train.n_items, self.neighbours, transposed=True)
        return Needs(found, why=f"{self.neighbours:,} neighbours of {train.n_items:,} items")
