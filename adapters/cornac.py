"""Models of Cornac 3 (Salah 2020, JMLR 21(95)), in an environment of their own.

Cornac trains in one call and shows its passes by tqdm's ``trange``; :func:`held` makes that wait after each.
Its neighbours predict ratings by a weighted mean, which is 1 for every item where all values are 1: they are
here as a rating model.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmark.hyperparameters import AT_LEAST_0, COUNT, Limits
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.item_to_item import ItemToItem
from benchmark.modelkit.passes import passes, passes_a_step
from benchmark.modelkit.ratings import at_pairs, rating_matrix, rating_scale
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
    Values,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class OfCornac:
    """Where a model runs."""

    environment: ClassVar[str] = "cornac"
    requires: ClassVar[tuple[str, ...]] = ("cornac",)


def data(matrix: csr_matrix, seed: int) -> Any:
    """Return Cornac's data set of a matrix (U, I) of likes or ratings; ids are those of the matrix."""
    from cornac.data import Dataset

    pairs, (n_users, n_items) = matrix.tocoo(), matrix.shape
    ids = (pairs.row.astype(np.int64), pairs.col.astype(np.int64))
    named = {n: dict(zip(range(n), range(n), strict=True)) for n in (n_users, n_items)}
    rows = (*ids, pairs.data.astype(np.float64))
    return Dataset(n_users, n_items, named[n_users], named[n_items], rows, seed=seed)


def held(module: str, model: Any, rows: Any, every: int = 1) -> Iterator[None]:
    """Fit a model of Cornac's and yield after so many passes, which ``trange`` of its module counts."""
    of: Any = importlib.import_module(module)

    def train(after_pass: Any) -> None:
        from tqdm.auto import tqdm

        class Waiting(tqdm):
            def __iter__(self) -> Iterator[int]:
                for number in super().__iter__():
                    yield number
                    after_pass()

        of.trange = lambda *ends, **options: Waiting(range(*ends), **options)
        model.fit(rows)

    return passes(train, every)


@dataclass
class Bpr(OfCornac, DotProduct):
    """Bayesian personalised ranking by stochastic gradient ascent (Rendle 2009, UAI), with an item bias.

    Implicit feedback. A like and an item at random are drawn N times a pass; where the user likes the item as
    well, the draw is dropped. With a seed Cornac trains on one thread. Defaults are Cornac's but for its rate
    of 0.001, with which 100 passes learn hardly more than popularity. Tuned: ``dim``, ``lr``, ``l2``. A pass
    costs O(N ``dim``).
    """

    dim: int = 10
    lr: float = 0.01
    l2: float = 0.01
    max_epochs: int = 100

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "lr": Range(1e-3, 0.3, log=True),
        "l2": Range(1e-4, 0.1, log=True),
    }

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass a step, on a small log a few."""
        from cornac.models import BPR

        settings = {"k": self.dim, "learning_rate": self.lr, "lambda_reg": self.l2}
        model = BPR(max_iter=self.max_epochs, seed=context.seed, **settings)
        rows, every = data(train.matrix(), context.seed), passes_a_step(len(train))
        for _ in held("cornac.models.bpr.recom_bpr", model, rows, every):
            self._users, self._items = model.u_factors, model.i_factors
            self._bias = model.i_biases
            yield


@dataclass
class Ease(OfCornac, ItemToItem):
    """Linear item-to-item weights in closed form (Steck 2019, WWW).

    Implicit feedback. ``positive`` keeps weights above 0 alone, as Cornac does unless told otherwise.
    Defaults are Cornac's. Tuned: ``l2``, ``positive``. Time: O(I^3); memory: O(I^2).
    """

    l2: float = 500.0
    positive: str = "yes"

    space: ClassVar[Space] = {"l2": Range(1.0, 10000.0, log=True), "positive": Choice("yes", "no")}
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Solve for all weights in one step."""
        from cornac.models import EASE

        self._history = train.matrix()
        model = EASE(lamb=self.l2, posB=self.positive == "yes", verbose=False)
        model.fit(data(self._history, context.seed))
        self._weights = model.B.astype(np.float32)
        yield

    def needs(self, train: Interactions) -> Needs:
        """Return the matrices over all pairs of items."""
        n = train.n_items
        return Needs(
            36.0 * n**2, why=f"four matrices of float64 of {n:,} x {n:,} items and a copy in float32"
        )


@dataclass
class Vaecf(OfCornac):
    """A variational autoencoder of histories with a multinomial likelihood (Liang 2018, WWW), in PyTorch.

    Implicit feedback. Nothing is dropped out, and batches keep the order of users. Defaults are Cornac's
    but for its sizes of 10 and 20, which are toys. Tuned: ``dim``, ``hidden``, ``lr``, ``beta``. A pass costs
    O(U I ``hidden``); scores are the network's.
    """

    dim: int = 64
    hidden: int = 256
    lr: float = 1e-3
    beta: float = 0.2
    batch_size: int = 100
    max_epochs: int = 100

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "hidden": Range(16, 1024, log=True),
        "lr": Range(1e-4, 1e-2, log=True),
        "beta": Range(0.01, 1.0, log=True),
    }
    limits: ClassVar[Limits] = {"hidden": COUNT, "beta": AT_LEAST_0}
    requires: ClassVar[tuple[str, ...]] = ("torch", "cornac")

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass a step."""
        from cornac.models import VAECF

        self._history = train.matrix()
        settings = {"k": self.dim, "autoencoder_structure": [self.hidden], "learning_rate": self.lr}
        model = VAECF(
            n_epochs=self.max_epochs,
            batch_size=self.batch_size,
            beta=self.beta,
            seed=context.seed,
            **settings,
        )
        for _ in held("cornac.models.vaecf.vaecf", model, data(self._history, context.seed)):
            self._weights = {name: array.numpy().copy() for name, array in model.vae.state_dict().items()}
            yield

    def score(self, users: Ids) -> Scores:
        """Return the logarithm (B, I) of the probabilities that the decoder gives, but for a constant."""
        hidden = self._layer("encoder.fc0", self._history[users])
        latent = self._layer("enc_mu", np.tanh(hidden))
        return self._layer("decoder.fc1", np.tanh(self._layer("decoder.fc0", latent)))

    def _layer(self, name: str, inputs: Any) -> Scores:
        found: Scores = inputs @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return found

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of Cornac's layers, and the histories."""
        return self._weights | pack("history", self._history)

    def restore(self, state: dict[str, Array]) -> None:
        """Take back what ``state`` returned."""
        self._history = unpack("history", state)
        self._weights = {name: array for name, array in state.items() if name.endswith(("weight", "bias"))}


@dataclass
class ItemKnn(OfCornac):
    """A rating is the user's mean plus the mean deviation of similar items, weighted (Sarwar 2001, WWW).

    Explicit feedback. Ratings are centred by users; ``neighbours`` are those of a candidate among what the
    user rated. Defaults are Cornac's. Tuned: ``neighbours``, ``similarity``, ``weighting``. Time:
    O(N max n_u), n_u being the ratings of user u. Only Cornac itself can score with it.
    """

    neighbours: int = 20
    similarity: str = "cosine"
    weighting: str = "none"

    space: ClassVar[Space] = {
        "neighbours": Range(5, 500, log=True),
        "similarity": Choice("cosine", "pearson"),
        "weighting": Choice("none", "idf", "bm25"),
    }
    feedback: ClassVar[Feedback] = "explicit"
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Find the neighbours of every item in one step."""
        self._ratings, self._scale = rating_matrix(train), np.array(rating_scale(train))
        self._fit()
        yield

    def _fit(self) -> None:
        from cornac.models import ItemKNN

        weighting = None if self.weighting == "none" else self.weighting
        settings = {"similarity": self.similarity, "weighting": weighting, "num_threads": 1}
        self._model = ItemKNN(k=self.neighbours, seed=0, verbose=False, **settings)
        self._model.fit(data(self._ratings, 0))

    def score(self, users: Ids) -> Scores:
        """Return predicted ratings (B, I), not clipped: clipping would tie the best items."""
        return self._predicted(users).astype(np.float32)

    def _predicted(self, users: Ids) -> Values:
        rows = np.empty((len(users), self._ratings.shape[1]))
        for row, user in zip(rows, users.tolist(), strict=True):
            row[:] = self._model.score(user)
        return np.nan_to_num(rows, copy=False, nan=self._model.global_mean)  # of a user without ratings

    def rate(self, users: Ids, items: Ids) -> Values:
        """Return predicted ratings (N,), clipped to the data's scale."""
        return at_pairs(self._predicted, users, items).clip(*self._scale)

    def state(self) -> dict[str, Array]:
        """Return the ratings and their scale; the neighbours are found again."""
        return pack("ratings", self._ratings) | {"scale": self._scale}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the ratings, and find the neighbours."""
        self._ratings, self._scale = unpack("ratings", state), state["scale"]
        self._fit()
