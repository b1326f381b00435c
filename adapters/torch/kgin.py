"""Intents behind interactions, from a knowledge graph: KGIN (Wang 2021, arXiv:2102.07057)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from adapters.torch.base import TorchDotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator

    from adapters.torch.kgin_network import KginNetwork


@dataclass
class Kgin(TorchDotProduct):
    """Vectors of items are averages over what they are related to, those of users over what they like.

    Implicit feedback. Items without a row are ranked by their triples alone; ``graph: false``, the ablation,
    takes all triples away. The paper's network with four intents, without dropout and without a penalty on
    intents that are alike; its loss is not BPR but the softmax over all items with a like, divided by
    ``temperature``, as for torch/lightgcn, which lent ``lr``, ``temperature`` and ``batch_size`` (users).
    ``l2`` was chosen on validation of MovieLens-100K, where a hundredth of it learns the log by heart. Tuned:
    what the paper tunes, and ``temperature``. A pass costs O(U I dim) and O((N + T) layers dim) a batch, T
    triples; memory is O((U + E + T) dim).
    """

    dim: int = 64
    layers: int = 2
    lr: float = 0.01
    l2: float = 1e-3
    temperature: float = 0.2
    batch_size: int = 256
    max_epochs: int = 300
    graph: bool = True

    space: ClassVar[Space] = {
        "dim": Range(16, 128, log=True),
        "layers": Range(1, 3),
        "lr": Range(1e-3, 0.1, log=True),
        "l2": Range(1e-5, 1e-1, log=True),
        "temperature": Range(0.05, 1.0, log=True),
    }
    needs_graph: ClassVar[bool] = True
    from_graph: ClassVar[bool] = True

    def untrained(self, train: Interactions, device: str) -> KginNetwork:
        """Return the network over the log and its graph."""
        from adapters.torch.kgin_network import KginNetwork

        graph = train.graph
        assert graph is not None, "needs_graph"
        if not self.graph:
            graph = replace(graph, heads=graph.heads[:0], relations=graph.heads[:0], tails=graph.heads[:0])
        return KginNetwork(train, graph, self.dim, self.layers, device)

    def epochs(
        self, network: KginNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of users."""
        from adapters.torch.losses import Histories, history_loss
        from adapters.torch.training import Options, epochs

        histories = Histories(train, generator.device)

        loss = history_loss(network, histories, generator, self.temperature)
        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.parameters(), len(histories.active), lambda: loss, options, generator)
