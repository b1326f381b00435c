"""Light graph convolution: LightGCN (He 2020, arXiv:2002.02126)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch.base import TorchDotProduct
from benchmark.hyperparameters import COUNT_OR_NONE, Limits
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Needs, Range, Space

if TYPE_CHECKING:
    from torch import Generator

    from adapters.torch.lightgcn_network import LightGCNNetwork


@dataclass
class LightGcn(TorchDotProduct):
    """Vectors of users and items, averaged over their neighbourhoods in the graph of likes.

    Implicit feedback. The paper's model, with the mean of its layers; the loss is not its BPR but the
    softmax over all items, divided by ``temperature``, which needs far fewer passes and ranks better (Wu
    2022, arXiv:2201.02327, table 4; docs/decisions/0026). Of a catalogue over 32,768 items it draws as many.

    ``dim`` and ``layers``: section 4.1; the initial vectors: its authors' code. ``lr``, ``l2``,
    ``temperature`` and ``batch_size`` (users) had the best validation NDCG@10 on 900 users of MovieLens-1M.
    Tuned: what the two papers tune, and ``layers``, on whose best value they disagree. A pass costs
    O(U I dim) for the softmax and O(N layers dim) for each batch; memory is O((U + I) dim + N).
    """

    dim: int = 64
    layers: int = 3
    lr: float = 0.01
    l2: float = 1e-5
    temperature: float = 0.2
    batch_size: int = 256
    max_epochs: int = 300

    space: ClassVar[Space] = {
        "dim": Range(16, 256, log=True),
        "layers": Range(1, 8),
        "lr": Range(1e-3, 0.3, log=True),
        "l2": Range(1e-7, 1e-3, log=True),
        "temperature": Range(0.05, 1.0, log=True),
    }
    limits: ClassVar[Limits] = {"layers": COUNT_OR_NONE}  # with none it is matrix factorisation

    def needs(self, train: Interactions) -> Needs:
        """Return the vectors with what trains them, and the graph in both directions."""
        n = train.n_users + train.n_items
        trained = 4.0 * n * self.dim * 9 + 56.0 * len(train)
        why = f"{n:,} vectors of {self.dim} and what trains them, {len(train):,} edges"
        return Needs(trained + 4.0 * n * self.dim + 60.0 * len(train), trained, why)

    def untrained(self, train: Interactions, device: str) -> LightGCNNetwork:
        """Return the network over the graph of the log."""
        from adapters.torch.lightgcn_network import LightGCNNetwork

        return LightGCNNetwork(train.matrix(), self.dim, self.layers, device)

    def epochs(
        self, network: LightGCNNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of users."""
        from adapters.torch.losses import Histories, history_loss
        from adapters.torch.training import Options, epochs

        histories = Histories(train, generator.device)

        loss = history_loss(network, histories, generator, self.temperature, liked_only=False)
        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.parameters(), len(histories.active), lambda: loss, options, generator)
