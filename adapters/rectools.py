"""Models of RecTools (MTS, github.com/MobileTeleSystems/RecTools), in an environment of their own.

Implicit feedback, all of them. Its factorisations are implicit's and LightFM's, which are rows of their own.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.footprints import neighbourhood_bytes
from benchmark.modelkit.item_to_item import ItemToItem
from benchmark.protocol import (
    Array,
    Choice,
    FitContext,
    Floats32,
    Ids,
    Interactions,
    Needs,
    Range,
    Scores,
    Space,
    Vectors,
)


class OfRecTools:
    """Where a model runs."""

    environment: ClassVar[str] = "rectools"
    requires: ClassVar[tuple[str, ...]] = ("rectools",)


def data(train: Interactions) -> Any:
    """Return RecTools' data set: a user's rows in the order of time; it knows only who and what has a row."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset

    _, order = train.histories()
    rows = pd.DataFrame(
        {
            Columns.User: train.users[order],
            Columns.Item: train.items[order],
            Columns.Weight: 1.0,
            Columns.Datetime: np.arange(len(order)).astype("datetime64[ns]"),
        }
    )
    return Dataset.construct(rows)


def spread(values: Any, ids: Any, n: int) -> Floats32:
    """Return rows (n, D): those of the ids, and zeros where there is none.

    >>> spread(np.array([[1.0], [2.0]]), np.array([2, 0]), 3).tolist()
    [[2.0], [0.0], [1.0]]
    """
    found = np.zeros((n, values.shape[1]), dtype=np.float32)
    found[ids] = values
    return found


@dataclass
class Ease(OfRecTools, ItemToItem):
    """Linear item-to-item weights in closed form (Steck 2019, WWW).

    Implicit feedback. Default is RecTools'. Tuned: ``l2``. Time: O(I^3); memory: O(I^2).
    """

    l2: float = 500.0

    space: ClassVar[Space] = {"l2": Range(1.0, 10000.0, log=True)}
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Solve for all weights in one step."""
        from rectools.models import EASEModel

        self._history = train.counts()
        rows = data(train)
        ids, model = rows.item_id_map.external_ids, EASEModel(regularization=self.l2).fit(rows)
        self._weights = np.zeros((train.n_items, train.n_items), dtype=np.float32)
        self._weights[np.ix_(ids, ids)] = model.weight
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return the matrices over all pairs of items."""
        n = train.n_items
        return Needs(24.0 * n**2, why=f"matrices of {n:,} x {n:,} items")


@dataclass
class ItemKnn(OfRecTools, ItemToItem):
    """RecTools' neighbours: an item's score is its summed similarity to those of the user's items.

    Implicit feedback (Sarwar 2001, WWW). ``weighting`` names the class of implicit that RecTools wraps;
    defaults are that library's. Tuned: ``neighbours``, ``weighting``. Time: O(N max n_u), n_u being the likes
    of user u.
    """

    neighbours: int = 20
    weighting: str = "cosine"

    space: ClassVar[Space] = {
        "neighbours": Range(5, 1000, log=True),
        "weighting": Choice("cosine", "tfidf", "bm25"),
    }
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Find the neighbours of every item in one step."""
        from implicit import nearest_neighbours as nn
        from rectools.models import ImplicitItemKNNWrapperModel
        from scipy.sparse import csr_matrix

        made = {"cosine": nn.CosineRecommender, "tfidf": nn.TFIDFRecommender, "bm25": nn.BM25Recommender}
        rows, found = data(train), made[self.weighting](K=self.neighbours, num_threads=context.threads)
        pairs = ImplicitItemKNNWrapperModel(found).fit(rows).model.similarity.tocoo()
        ids, shape = rows.item_id_map.external_ids, (train.n_items, train.n_items)
        self._history = train.counts()
        self._weights = csr_matrix((pairs.data.astype(np.float32), (ids[pairs.row], ids[pairs.col])), shape)
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return the neighbours of all items."""
        found = neighbourhood_bytes(train, train.n_items, self.neighbours, transposed=True)
        return Needs(found, why=f"{self.neighbours:,} neighbours of {train.n_items:,} items")


@dataclass
class PureSvd(OfRecTools, DotProduct):
    """The largest singular vectors of the matrix of likes (Cremonesi 2010, RecSys).

    Implicit feedback. Default is RecTools'. Tuned: ``dim``. Time: O(N ``dim`` + U ``dim``^2) for each round
    of SciPy's ARPACK.
    """

    dim: int = 10

    space: ClassVar[Space] = {"dim": Range(4, 512, log=True)}

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Find all vectors in one step."""
        from rectools.models import PureSVDModel

        rows = data(train)
        ids = rows.user_id_map.external_ids, rows.item_id_map.external_ids
        dim = min(self.dim, *(len(some) - 1 for some in ids))
        users, items = PureSVDModel(factors=dim, random_state=context.seed).fit(rows).get_vectors()
        self._users, self._items = spread(users, ids[0], train.n_users), spread(items, ids[1], train.n_items)
        yield


def trainer() -> Any:
    """Return a Lightning trainer that writes nothing; RecTools makes it by the name of this function."""
    from pytorch_lightning import Trainer

    silent = dict.fromkeys(
        ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False
    )
    return Trainer(accelerator="cpu", devices=1, max_epochs=1, **silent)


class SaidOfHistories(OfRecTools, DotProduct):
    """Vectors that a network of RecTools makes of histories, when they are first asked for after an epoch.

    A user without an item that was trained gets zeros.

    Attributes:
        _model: RecTools' model, if it was trained since; else None.
        _rows: its data set.
        _shape: numbers of users and items of the log.
    """

    _model: Any = None
    _rows: Any
    _shape: tuple[int, int]

    def _make_vectors(self) -> None:
        """Make the vectors of all users and items, if the model was trained since."""
        if self._model is None:
            return
        preparator, everybody = self._model.data_preparator, self._rows.user_id_map.external_ids
        known = preparator.transform_dataset_u2i(self._rows, everybody)
        batches = preparator.get_dataloader_recommend(known, self._model.recommend_batch_size)
        network = self._model.lightning_model
        users, items = network._get_user_item_embeddings(batches, None)  # noqa: SLF001 (the only way)
        first = preparator.n_item_extra_tokens
        named = preparator.item_id_map.external_ids[first:].astype(np.int64)
        self._users = spread(users.numpy(), known.user_id_map.external_ids, self._shape[0])
        self._items = spread(items.cpu().numpy()[first:], named, self._shape[1])
        self._model = None

    def score(self, users: Ids) -> Scores:
        """Return dot products (B, I)."""
        self._make_vectors()
        return super().score(users)

    def vectors(self) -> Vectors:
        """Return the vectors whose products :meth:`score` returns."""
        self._make_vectors()
        return super().vectors()

    def state(self) -> dict[str, Array]:
        """Return the vectors."""
        self._make_vectors()
        return super().state()


@dataclass
class Transformer(SaidOfHistories, ABC):
    """A transformer of histories: what it says after the last item of a user, times the vector of each item.

    Defaults are RecTools' but for its size of 256 and its 3 epochs.
    """

    dim: int = 64
    layers: int = 2
    heads: int = 4
    history: int = 100
    dropout: float = 0.2
    lr: float = 1e-3
    batch_size: int = 128
    max_epochs: int = 100

    space: ClassVar[Space] = {
        "dim": Range(32, 256, log=True),
        "layers": Range(1, 3),
        "history": Range(20, 200, log=True),
        "dropout": Range(0.0, 0.6),
        "lr": Range(3e-4, 1e-2, log=True),
    }
    limits: ClassVar[Limits] = {"heads": COUNT}
    requires: ClassVar[tuple[str, ...]] = ("torch", "pytorch_lightning", "rectools")
    library: ClassVar[str]

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch a step."""
        import rectools.models as library
        from pytorch_lightning import seed_everything

        seed_everything(context.seed, verbose=False)
        settings = {"n_blocks": self.layers, "n_heads": self.heads, "session_max_len": self.history}
        model = getattr(library, self.library)(
            n_factors=self.dim - self.dim % self.heads,
            dropout_rate=self.dropout,
            lr=self.lr,
            batch_size=self.batch_size,
            get_trainer_func=trainer,
            **settings,
        )
        rows = data(train)
        for _ in range(self.max_epochs):
            model.fit_partial(rows, min_epochs=1, max_epochs=1)
            self._model, self._rows, self._shape = model, rows, (train.n_users, train.n_items)
            yield


@dataclass
class SasRec(Transformer):
    """Self-attention over a user's latest items, trained to name the next one (Kang & McAuley 2018, ICDM).

    Implicit feedback; uses times. The loss is the softmax over all items, RecTools' own choice. Tuned:
    ``dim``, ``layers``, ``history``, ``dropout``, ``lr``. A pass costs
    O(U ``history`` (``dim``^2 ``layers`` + I ``dim``)).
    """

    library: ClassVar[str] = "SASRecModel"


@dataclass
class Bert4Rec(Transformer):
    """Attention to both sides, trained to name items that are masked (Sun 2019, CIKM).

    Implicit feedback; uses times. The loss is the softmax over all items, RecTools' own choice; 0.15 of the
    items are masked. Tuned: ``dim``, ``layers``, ``history``, ``dropout``, ``lr``. A pass costs
    O(U ``history`` (``dim``^2 ``layers`` + I ``dim``)).
    """

    library: ClassVar[str] = "BERT4RecModel"
