"""Factorisation machine with features: FM (Rendle 2010, ICDM)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch.base import TorchDotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator

    from adapters.torch.fm_network import FMNetwork


@dataclass
class Fm(TorchDotProduct):
    """A factorisation machine: all products of pairs of the fields of a user and an item, summed.

    Implicit feedback. The fields are the ids and all features of users and items in the data set; without
    features it is a matrix factorisation. What it scores with is a vector for each user and item. Users
    and items without a row have no vector of their own and are ranked by their features.

    Rendle 2010 ranks by a loss over pairs of items (section III-C); here it is its limit over all items,
    the softmax of Wu 2022 (arXiv:2201.02327), trained like LightGCN's, whose defaults were adopted unchanged
    and confirmed on 900 users of MovieLens-1M (docs/decisions/0026). Tuned: ``dim``, ``lr`` and ``l2``, which
    Rendle 2010 and 2020 (arXiv:2005.09683) found decisive. A pass costs O(U I dim), with at most 32,768
    items drawn for I; memory is O((U + I + features) dim).
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
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")

    def untrained(self, train: Interactions, device: str) -> FMNetwork:
        """Return the network over the ids and features of the log."""
        from adapters.torch.fm_network import FMNetwork

        return FMNetwork(train, self.dim, device)

    def epochs(
        self, network: FMNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of users."""
        from adapters.torch.losses import Histories, history_loss
        from adapters.torch.training import Options, epochs

        histories = Histories(train, generator.device)

        loss = history_loss(lambda: network.tables()[:2], histories, generator)
        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.parameters(), len(histories.active), lambda: loss, options, generator)

    def keep(self, network: FMNetwork) -> None:
        """Keep the summed vectors of all users and items, and the items' biases."""
        users, items = (table.cpu().numpy() for table in network.tables()[:2])
        self._users, self._items, self._bias = users[:, :-1], items[:, :-1], items[:, -1]
