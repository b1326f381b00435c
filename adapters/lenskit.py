"""Models of LensKit 2025 (Ekstrand 2020, CIKM), in an environment of their own.

LensKit's trainers train one epoch when they are told to, and are told here; its own compiler of PyTorch
models is switched off, which would start processes of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmark.hyperparameters import ABOVE_0, AT_LEAST_0, Limits
from benchmark.modelkit.dot_product import DotProduct, RatingDotProduct
from benchmark.modelkit.footprints import pairs_together, sparse_bytes
from benchmark.modelkit.ratings import rating_matrix, rating_scale
from benchmark.modelkit.sparse_state import pack, unpack
from benchmark.protocol import (
    Array,
    Choice,
    Feedback,
    FitContext,
    Ids,
    Interactions,
    Needs,
    Range,
    Scores,
    Space,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def data(matrix: csr_matrix) -> Any:
    """Return LensKit's data set of a matrix (U, I) of likes or ratings, with its numbers."""
    import pandas as pd
    from lenskit.data import from_interactions_df

    pairs = matrix.tocoo()
    rows = pd.DataFrame({"user_id": pairs.row, "item_id": pairs.col, "rating": pairs.data})
    users, items = (np.arange(n) for n in matrix.shape)
    return from_interactions_df(rows, users=users, items=items)


def use_threads(threads: int) -> None:
    """Tell LensKit how many threads the slot has; it takes all that it finds else."""
    from lenskit.parallel import initialize

    initialize(processes=1, threads=threads, backend_threads=threads)


class OfLensKit(ABC):
    """A model of LensKit whose trainer is told to train each epoch."""

    max_epochs: int
    environment: ClassVar[str] = "lenskit"
    requires: ClassVar[tuple[str, ...]] = ("torch", "lenskit")

    @abstractmethod
    def scorer(self) -> Any:
        """Return LensKit's model."""

    @abstractmethod
    def keep(self, scorer: Any) -> None:
        """Keep what scores are made from."""

    def rows(self, train: Interactions) -> csr_matrix:
        """Return what is trained on (U, I)."""
        return train.matrix()

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch a step."""
        from lenskit.training import TrainingOptions

        use_threads(context.threads)
        options = TrainingOptions(rng=context.seed, device="cpu", environment={"LK_TORCH_COMPILE": "0"})
        scorer = self.scorer()
        trainer = scorer.create_trainer(data(self.rows(train)), options)
        for _ in range(self.max_epochs):
            trainer.train_epoch()
            self.keep(scorer)
            yield


@dataclass
class ImplicitMf(OfLensKit, DotProduct):
    """Alternating least squares, solved exactly in each epoch (Hu 2008, ICDM).

    Implicit feedback. A like weighs 1 + ``weight`` beside 1 of every other pair; ``l2`` is the same for
    frequent and rare ones. Defaults are LensKit's. Tuned: ``dim``, ``l2``, ``weight``. A pass costs
    O(N ``dim``^2 + (U + I) ``dim``^3).
    """

    dim: int = 64
    l2: float = 0.1
    weight: float = 40.0
    max_epochs: int = 10

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "l2": Range(1e-3, 300.0, log=True),
        "weight": Range(0.3, 100.0, log=True),
    }
    limits: ClassVar[Limits] = {"weight": ABOVE_0}

    def scorer(self) -> Any:
        """Return LensKit's ImplicitMFScorer."""
        from lenskit.als import ImplicitMFScorer

        return ImplicitMFScorer(embedding_size=self.dim, regularization=self.l2, weight=self.weight)

    def keep(self, scorer: Any) -> None:
        """Keep the vectors."""
        self._users, self._items = scorer.user_embeddings, scorer.item_embeddings


@dataclass
class BiasedMf(OfLensKit, RatingDotProduct):
    """Biases, and vectors by alternating least squares on what they leave (Zhou 2008, AAIM).

    Explicit feedback. ``damping`` is the number of average ratings that each bias starts with. Defaults are
    LensKit's. Tuned: ``dim``, ``l2``, ``damping``. A pass costs O(N ``dim``^2 + (U + I) ``dim``^3).
    """

    dim: int = 64
    l2: float = 0.1
    damping: float = 5.0
    max_epochs: int = 10

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "l2": Range(1e-3, 3.0, log=True),
        "damping": Range(0.3, 100.0, log=True),
    }
    limits: ClassVar[Limits] = {"damping": AT_LEAST_0}
    feedback: ClassVar[Feedback] = "explicit"

    def scorer(self) -> Any:
        """Return LensKit's BiasedMFScorer."""
        from lenskit.als import BiasedMFScorer

        return BiasedMFScorer(embedding_size=self.dim, regularization=self.l2, damping=self.damping)

    def rows(self, train: Interactions) -> csr_matrix:
        """Return the ratings (U, I)."""
        self._scale = np.array(rating_scale(train))
        return rating_matrix(train)

    def keep(self, scorer: Any) -> None:
        """Keep the biases and the vectors."""
        self._users, self._items = scorer.user_embeddings, scorer.item_embeddings
        self._mean, self._bias = np.array(scorer.bias.global_bias), scorer.bias.item_biases
        self._user_bias = scorer.bias.user_biases


@dataclass
class FlexMf(OfLensKit, DotProduct):
    """Vectors trained by AdamW in PyTorch, with the loss of logistic factorisation, of BPR or of WARP.

    Implicit feedback (Johnson 2014, NeurIPS workshop; Rendle 2009, UAI; Weston 2011, IJCAI). LensKit declares
    biases, but never learns them: a field of its class hides them (2025.8.1). ``l2`` is AdamW's decay of
    weights. Defaults are LensKit's. Tuned: ``loss``, ``dim``, ``lr``, ``l2``. A pass costs O(N ``dim``), with
    "warp" up to 200 times that.
    """

    loss: str = "logistic"
    dim: int = 64
    lr: float = 0.01
    l2: float = 0.01
    batch_size: int = 8192
    max_epochs: int = 50

    space: ClassVar[Space] = {
        "loss": Choice("logistic", "pairwise", "warp"),
        "dim": Range(8, 256, log=True),
        "lr": Range(1e-4, 0.1, log=True),
        "l2": Range(1e-4, 1.0, log=True),
    }

    def scorer(self) -> Any:
        """Return LensKit's FlexMFImplicitScorer."""
        from lenskit.flexmf import FlexMFImplicitScorer

        settings = {"learning_rate": self.lr, "regularization": self.l2, "batch_size": self.batch_size}
        return FlexMFImplicitScorer(loss=self.loss, embedding_size=self.dim, **settings)

    def keep(self, scorer: Any) -> None:
        """Keep the vectors."""
        layers = scorer.model.u_embed, scorer.model.i_embed
        self._users, self._items = (layer.weight.detach().cpu().numpy().copy() for layer in layers)


@dataclass
class ItemKnn:
    """An item's score is its summed cosine to the ``neighbours`` nearest of what the user likes.

    Implicit feedback (Deshpande & Karypis 2004, ACM TOIS 22(1)). Neighbours are chosen among a user's likes
    when an item is scored, so only LensKit can score with it. Default is LensKit's. Tuned: ``neighbours``.
    Time: O(N max n_u), n_u being the likes of user u.
    """

    neighbours: int = 20

    space: ClassVar[Space] = {"neighbours": Range(2, 500, log=True)}
    deterministic: ClassVar[bool] = True
    environment: ClassVar[str] = "lenskit"
    requires: ClassVar[tuple[str, ...]] = ("lenskit",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Find the similarity of all items that share users, in one step."""
        use_threads(context.threads)
        self._fit(train.matrix())
        yield

    def _fit(self, history: csr_matrix) -> None:
        from lenskit.knn import ItemKNNScorer

        self._history, rows = history, data(history)
        self._model = ItemKNNScorer(max_nbrs=self.neighbours, feedback="implicit")
        self._model.train(rows)

    def score(self, users: Ids) -> Scores:
        """Return summed similarities (B, I), 0 where an item has no neighbour among the likes."""
        from lenskit.data import ItemList

        every = ItemList(item_nums=np.arange(self._history.shape[1]), vocabulary=self._model.items)
        scores = np.zeros((len(users), len(every)), dtype=np.float32)
        for row, liked in zip(scores, (self._history[user].indices for user in users), strict=True):
            if len(liked):
                row[:] = self._model(ItemList(item_nums=liked, vocabulary=self._model.items), every).scores()
        return np.nan_to_num(scores, copy=False)

    def state(self) -> dict[str, Array]:
        """Return the histories; the similarities are found again."""
        return pack("history", self._history)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the histories, and find the similarities, on one thread."""
        use_threads(1)
        self._fit(unpack("history", state))

    def needs(self, train: Interactions) -> Needs:
        """Return the neighbours of all items."""
        found = 2.0 * sparse_bytes(pairs_together(train))
        return Needs(found, why=f"all similarities of {train.n_items:,} items")
