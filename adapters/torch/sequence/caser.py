"""Convolutional sequence embedding: Caser (Tang & Wang 2018, arXiv:1809.07426)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from adapters.torch.sequence.base import NextItem
from benchmark.hyperparameters import COUNT, COUNT_OR_NONE, Limits
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator

    from adapters.torch.sequence.caser_network import CaserNetwork


@dataclass
class Caser(NextItem):
    """Convolutions over the last ``history`` items beside the user's vector; the next ``ahead`` are targets.

    Implicit feedback, ordered. A pass costs O(N dim (history^3 across + down dim + K)), K the
    items that the softmax sums over: ``negatives``, or I where it is 0; a full scoring
    O(U dim (history^3 across + down dim + I)).
    A new user is served with the mean of the users' vectors.

    Network and targets are the paper's (section 3), with its settings for MovieLens: five items, the
    next three, dropout 0.5, 16 horizontal filters of each height, 4 vertical ones and a penalty of 1e-6
    (the defaults of the authors' code, github.com/graytowne/caser_pytorch). The loss is the softmax where
    the paper has log loss with three negatives, for the reason given at ``torch/sasrec``. Other defaults:
    docs/decisions/0027.
    """

    dim: int = 64
    history: int = 5
    ahead: int = 3
    across: int = 16
    down: int = 4
    lr: float = 2e-3
    l2: float = 1e-6
    dropout: float = 0.5
    negatives: int = 512
    batch_size: int = 1024
    max_epochs: int = 200

    space: ClassVar[Space] = {
        "dim": Range(20, 128, log=True),
        "history": Range(3, 10),
        "ahead": Range(1, 4),
        "lr": Range(3e-4, 1e-2, log=True),
        "l2": Range(1e-8, 1e-4, log=True),
        "dropout": Range(0.0, 0.7),
    }
    limits: ClassVar[Limits] = {
        "negatives": COUNT_OR_NONE,
        **dict.fromkeys(("ahead", "across", "down"), COUNT),
    }

    def network(self, n_users: int, n_items: int) -> CaserNetwork:
        """Return a network with its initial weights."""
        from adapters.torch.sequence.caser_network import CaserNetwork

        return CaserNetwork(n_users, n_items, self.dim, self.history, (self.across, self.down))

    def epochs(
        self, network: CaserNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on every position of every history but the first."""
        from adapters.torch.sequence.layers import Dropout, with_bias
        from adapters.torch.sequence.losses import Proposal, Targets, softmax_loss
        from adapters.torch.sequence.training import Positions, epochs
        from adapters.torch.training import Options

        positions, drop = Positions(train, generator.device), Dropout(self.dropout, generator)
        proposal = Proposal(train, generator)

        def loss(batch: tuple[Any, ...]) -> Any:
            users, items, present = positions.around(batch[0], self.history, self.ahead)
            before, after = slice(self.history), slice(self.history, None)
            state = network(items[:, before], present[:, before], network.users(users), drop)
            targets = Targets(items[:, after], present[:, after])
            hidden, table = with_bias(state, network.output.weight, network.bias)
            return softmax_loss(hidden, table, targets, self.negatives, proposal)

        return epochs(
            network.parameters(),
            lambda: positions.batches(self.batch_size, generator),
            loss,
            Options(self.lr, self.l2, self.batch_size, pace, mixed=True),
            generator,
        )
