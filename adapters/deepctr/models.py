"""Click models of DeepCTR, as rankers: DeepFM, xDeepFM and Deep & Cross."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from adapters.deepctr import open_device
from adapters.deepctr.fields import Field, fields
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from adapters.deepctr.networks import Network

WIDTHS: Space = {
    "dim": Range(4, 64, log=True),
    "layers": Range(1, 3),
    "lr": Range(5e-4, 3e-2, log=True),
    "l2": Range(1e-8, 1e-4, log=True),
    "dropout": Range(0.0, 0.8),
    "negatives": Range(2, 8),
}


@dataclass
class ClickModel:
    """A network over the fields of a pair; its fields are what all of them have."""

    dim: int = 16
    layers: int = 2
    lr: float = 6e-3
    l2: float = 3e-6
    dropout: float = 0.3
    negatives: int = 3
    batch_size: int = 2048
    max_epochs: int = 60

    space: ClassVar[Space] = WIDTHS
    kind: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ("tensorflow", "keras", "deepctr")
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the likes per step."""
        from adapters.deepctr.training import Options, passes

        self._users = fields(train.users, train.n_users, train.user_features)
        self._items = fields(train.items, train.n_items, train.item_features)
        self._network = self._built(context.seed)
        options = Options(self.lr, self.negatives, self.batch_size)
        steps = passes(self._network, self._network.model, train, options, context.seed)
        for _ in range(self.max_epochs):
            next(steps)
            yield

    def _built(self, seed: int) -> Network:
        """Return the untrained network; its layers halve in width, as DeepCTR's own do."""
        from adapters.deepctr.networks import Network

        options: dict[str, Any] = {
            "dnn_hidden_units": tuple(4 * self.dim >> level for level in range(self.layers)),
            "dnn_dropout": self.dropout,
            "l2_reg_embedding": self.l2,
            "l2_reg_linear": self.l2,
            "seed": seed,
        }
        return Network(self.kind, self._users, self._items, self.dim, options | self._more())

    def _more(self) -> dict[str, Any]:
        """Return what DeepCTR is told of this model alone."""
        return {}

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        scores: Scores = self._network.score(users).numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by their layers, and the fields of all users and items."""
        found = {name: weight.numpy() for name, weight in self._network.weights().items()}
        return found | packed("users", self._users) | packed("items", self._items)

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network."""
        self._users, self._items = unpacked("users", state), unpacked("items", state)
        self._network = self._built(seed=0)
        self._network.load(state)


@dataclass
class DeepFm(ClickModel):
    """A factorisation machine and a perceptron over the same vectors, whose scores add up (Guo 2017).

    Implicit feedback, by the log loss of likes and of negatives drawn uniformly. The fields are the ids and
    one for each column of user and item features, of a list at most its 20 most frequent values. Users and
    items without a row are ranked by their features.

    Tuned: what Guo 2017 (arXiv:1703.04247) studies in section 3.3, the ``layers``, their width (by ``dim``)
    and ``dropout``; the step ``lr``, the penalty ``l2`` that DeepCTR puts on embeddings, and ``negatives``.
    Defaults: ``dropout`` lies in the .1 to .4 that section 3.3 finds best; ``l2`` and ``negatives`` are
    NeuMF's (docs/decisions/0008); ``lr`` and ``batch_size``, likes and negatives together, were chosen on 900
    users of MovieLens-1M (docs/decisions/0029); ``dim`` is near the paper's 10. With F fields and W = 4 dim,
    the width of the first layer, a pass costs O(N negatives W (F dim + W)), a full scoring O(U I) times what
    stands after N negatives.
    """

    kind: ClassVar[str] = "DeepFM"


@dataclass
class XDeepFm(ClickModel):
    """A linear model, a perceptron, and two layers of compressed interactions of fields (Lian 2018).

    Implicit feedback; loss, fields, users and items without a row as ``deepctr/deepfm``. Tuned beside what is
    tuned there: ``maps``, the interactions that each layer keeps. Lian 2018 (arXiv:1803.05170, section 4.4)
    finds no gain beyond three such layers; here they are two. The paper keeps 100 or 200 maps of 10
    dimensions; the defaults are what one core trains in seconds a pass, untuned. With F fields, M maps and
    W = 4 dim, a pass costs O(N negatives (dim F M (F + M) + W (F dim + W))), a full scoring O(U I) times
    what stands in the brackets.
    """

    dim: int = 8
    maps: int = 16

    space: ClassVar[Space] = {**WIDTHS, "maps": Range(8, 128, log=True)}
    kind: ClassVar[str] = "xDeepFM"

    def _more(self) -> dict[str, Any]:
        return {"cin_layer_size": (self.maps // 2 * 2, self.maps // 2 * 2)}  # DeepCTR halves them


@dataclass
class Dcn(ClickModel):
    """Cross layers, whose degree grows by one each, beside a perceptron (Deep & Cross, Wang 2017).

    Implicit feedback; loss, fields, users and items without a row as ``deepctr/deepfm``. Tuned beside what is
    tuned there: ``crosses``, the number of cross layers, in the 1 to 6 of Wang 2017 (arXiv:1708.05123,
    section 4.2); the default is DeepCTR's, which adds a linear part. With F fields and W = 4 dim, a pass
    costs O(N negatives (crosses F dim + W (F dim + W))), a full scoring O(U I) times what stands in the
    brackets.
    """

    crosses: int = 2

    space: ClassVar[Space] = {**WIDTHS, "crosses": Range(1, 6)}
    kind: ClassVar[str] = "DCN"

    def _more(self) -> dict[str, Any]:
        return {"cross_num": self.crosses, "l2_reg_cross": self.l2}


def packed(side: str, found: Sequence[Field]) -> dict[str, Array]:
    """Return the fields of users or items as named arrays."""
    state: dict[str, Array] = {}
    for place, field in enumerate(found):
        state[f"{side}.{place}.ids"] = field.ids
        state[f"{side}.{place}.size"] = np.array([field.size])
        if field.weights is not None:
            state[f"{side}.{place}.weights"] = field.weights
    return state


def unpacked(side: str, state: dict[str, Array]) -> list[Field]:
    """Return the fields of users or items from named arrays."""
    count = sum(name.startswith(f"{side}.") and name.endswith(".ids") for name in state)
    found = []
    for place in range(count):
        own = f"{side}.{place}"
        found.append(Field(state[f"{own}.ids"], int(state[f"{own}.size"][0]), state.get(f"{own}.weights")))
    return found
