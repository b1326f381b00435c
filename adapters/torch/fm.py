"""Factorisation machines with features: FM (Rendle 2010, ICDM) and DeepFM (Guo 2017, arXiv:1703.04247)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch import open_device
from benchmark.modelkit.dot_product import Factors
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Fm(Factors):
    """A factorisation machine: all products of pairs of the fields of a user and an item, summed.

    Feedback: implicit. The fields are the ids and whatever the data set knows of users and items; without
    features it is a matrix factorisation. What it scores with is a vector for each user and item. Users
    and items without a row have no vector of their own and are ranked by their features.

    Rendle 2010 ranks by a loss over pairs of items (section III-C); here it is its limit over all items,
    the softmax of Wu 2022 (arXiv:2201.02327), trained like LightGCN's, from which the defaults were taken
    as they were and confirmed on 900 users of MovieLens-1M (docs/decisions/0026). ``dim``, ``lr`` and
    ``l2`` are tuned: what Rendle 2010 and 2020 (arXiv:2005.09683) found to decide. A pass costs
    O(U I dim), with at most 32,768 items drawn for I; memory is O((U + I + features) dim).
    """

    dim: int = 64
    lr: float = 0.01
    l2: float = 1e-5
    batch_size: int = 256
    max_epochs: int = 300

    space: ClassVar[Space] = {
        "dim": Range(8, 256, log=True),
        "lr": Range(1e-3, 0.1, log=True),
        "l2": Range(1e-7, 1e-2, log=True),
    }
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the users per step."""
        import torch

        from adapters.torch.networks import FactorisationMachine
        from adapters.torch.training import Histories, Options, chance, epochs, seeded, softmax_of_products

        network = seeded(lambda: FactorisationMachine(train, self.dim, 0, context.device), context)
        generator = chance(context)
        histories = Histories(train, generator.device)

        def loss(batch: Tensor) -> Tensor:
            chosen = histories.active[batch]
            users, items, *_ = network.tables()
            likes = histories.of(chosen, histories.places)  # items without a like are no candidates
            total = softmax_of_products(users[chosen], items[histories.liked], likes, generator)
            return total / len(likes[1])

        options = Options(self.lr, self.l2, self.batch_size)
        steps = epochs(network.parameters(), len(histories.active), lambda: loss, options, generator)
        for _ in range(self.max_epochs):
            next(steps)
            with torch.no_grad():
                users, items = (table.cpu().numpy() for table in network.tables()[:2])
            self._users, self._items, self._bias = users[:, :-1], items[:, :-1], items[:, -1]
            yield


@dataclass
class DeepFm:
    """A factorisation machine and a perceptron over the same vectors, whose scores add up.

    Feedback: implicit, by the paper's log loss, with negatives drawn uniformly as for NeuMF, from which
    the defaults come (docs/decisions/0008); the paper's networks for click logs are far larger. Tuned are
    the widths that Guo 2017 studies in section 3.3 (``dim``, ``layers``, ``dropout``), the optimiser's
    ``lr`` and ``l2``, and ``negatives``. Users and items without a row are ranked by their features. A
    pass costs O(N negatives dim^2), a full scoring O(U I dim^2).
    """

    dim: int = 32
    layers: int = 2
    lr: float = 3e-3
    l2: float = 3e-6
    dropout: float = 0.5
    negatives: int = 3
    batch_size: int = 1024
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(8, 64, log=True),
        "layers": Range(1, 4),
        "lr": Range(5e-4, 1e-2, log=True),
        "l2": Range(1e-8, 1e-4, log=True),
        "dropout": Range(0.0, 0.8),
        "negatives": Range(2, 8),
    }
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the likes per step."""
        from adapters.torch.networks import FactorisationMachine, deep_pairs
        from adapters.torch.training import Options, chance, dropout_mask, epochs, log_loss, seeded

        network = seeded(lambda: FactorisationMachine(train, self.dim, self.layers, context.device), context)
        generator = chance(context)

        def score(users: Tensor, items: Tensor) -> Tensor:
            keep = dropout_mask((len(users), 2 * self.dim), self.dropout, generator)
            return network(users, items, keep)

        begin = log_loss(score, train, self.negatives, generator)
        options = Options(self.lr, self.l2, self.batch_size)
        steps = epochs(network.parameters(), len(train), begin, options, generator)
        for _ in range(self.max_epochs):
            next(steps)
            self._served = deep_pairs(network)
            yield

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I), up to a constant for each user."""
        import torch

        with torch.no_grad():
            logits = self._served.score(torch.tensor(users, device=self._served.users.device))
        scores: Scores = logits.cpu().numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the tables of users and items, and the weights of the perceptron."""
        from adapters.torch.training import arrays

        return arrays(self._served)

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network on the CPU."""
        from adapters.torch.networks import empty_deep_pairs
        from adapters.torch.training import load_arrays

        names = ("users", "items", "deep_users", "deep_items")
        self._served = empty_deep_pairs([state[name].shape for name in names], self.layers)
        load_arrays(self._served, state)
