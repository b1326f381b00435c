"""Intents behind interactions, from a knowledge graph: KGIN (Wang 2021, arXiv:2102.07057)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from adapters.torch.base import TorchDotProduct
from benchmark.errors import AdapterError
from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from adapters.torch.kgin_network import KginNetwork


@dataclass
class Kgin(TorchDotProduct):
    """Vectors of items are averages over what they are related to, those of users over what they like.

    Implicit feedback. Items without a row are ranked by their triples alone. ``graph: false`` is the ablation:
    the same network without a triple. The paper's network without dropout; its loss is not BPR but the
    softmax over all items that have a like, divided by ``temperature``, as for torch/lightgcn, whose ``lr``,
    ``l2``, ``temperature`` and ``batch_size`` (users) are taken. ``dim`` and ``intents``: section 4.1.4.
    Tuned: what the paper tunes. A pass costs O(U I dim) for the softmax and O((N + T) layers dim) for each
    batch, T triples; memory is O((U + E + T) dim).
    """

    dim: int = 64
    layers: int = 2
    intents: int = 4
    lr: float = 0.01
    l2: float = 1e-5
    temperature: float = 0.2
    independence: float = 1e-4
    batch_size: int = 256
    max_epochs: int = 300
    graph: bool = True

    space: ClassVar[Space] = {
        "dim": Range(16, 128, log=True),
        "layers": Range(1, 3),
        "lr": Range(1e-3, 0.1, log=True),
        "l2": Range(1e-7, 1e-3, log=True),
        "temperature": Range(0.05, 1.0, log=True),
    }
    limits: ClassVar[Limits] = {"intents": COUNT}
    needs_graph: ClassVar[bool] = True
    from_graph: ClassVar[bool] = True

    def untrained(self, train: Interactions, device: str) -> KginNetwork:
        """Return the network over the log and its graph."""
        from adapters.torch.kgin_network import KginNetwork

        graph = train.graph
        if graph is None:
            raise AdapterError("torch/kgin needs a knowledge graph, and the data set has none")
        if not self.graph:
            nothing = graph.heads[:0]
            graph = replace(graph, heads=nothing, relations=nothing, tails=nothing)
        return KginNetwork(train, graph, (self.dim, self.layers, self.intents), device)

    def epochs(
        self, network: KginNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of users."""
        from adapters.torch.losses import Histories, softmax_of_products
        from adapters.torch.training import Options, epochs

        histories = Histories(train, generator.device)

        def loss(batch: Tensor) -> Tensor:
            users, items = network()
            chosen = histories.active[batch]
            positives = histories.select(chosen, histories.indices)  # only items with a like are candidates
            total = softmax_of_products(
                users[chosen] / self.temperature, items[histories.pool], positives, generator
            )
            return total / len(positives[1]) + self.independence * network.likeness()

        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.parameters(), len(histories.active), lambda: loss, options, generator)
