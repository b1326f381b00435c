"""Light graph convolution: LightGCN (He 2020, arXiv:2002.02126)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch import open_device
from benchmark.modelkit.dot_product import Factors
from benchmark.protocol import FitContext, Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class LightGcn(Factors):
    """Vectors of users and items, averaged over their neighbourhoods in the graph of likes.

    Feedback: implicit. The paper's model, with the mean of its layers; the loss is not its BPR but the
    softmax over all items, divided by ``temperature``, which needs far fewer passes and ranks better (Wu
    2022, arXiv:2201.02327, table 4; docs/decisions/0026). Of a catalogue over 32,768 items it draws as many.

    ``dim`` and ``layers``: section 4.1; the initial vectors: its authors' code. ``lr``, ``l2``,
    ``temperature`` and ``batch_size`` (users) had the best validation NDCG@10 on 900 users of MovieLens-1M.
    Tuned is what the two papers tune, and ``layers``, which their best values differ in. A pass costs
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
        "lr": Range(1e-3, 0.1, log=True),
        "l2": Range(1e-7, 1e-3, log=True),
        "temperature": Range(0.05, 1.0, log=True),
    }
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the users per step."""
        import torch

        from adapters.torch.networks import LightGCN
        from adapters.torch.training import Histories, Options, chance, epochs, seeded, softmax_of_products

        shape = (self.dim, self.layers)
        network = seeded(lambda: LightGCN(train.matrix(), *shape, context.device), context)
        generator = chance(context)
        histories = Histories(train, generator.device)

        def loss(batch: Tensor) -> Tensor:
            users, items = network()
            chosen = histories.active[batch]
            likes = histories.of(chosen)
            total = softmax_of_products(users[chosen] / self.temperature, items, likes, generator)
            return total / len(likes[1])

        options = Options(self.lr, self.l2, self.batch_size)
        steps = epochs(network.parameters(), len(histories.active), lambda: loss, options, generator)
        for _ in range(self.max_epochs):
            next(steps)
            with torch.no_grad():
                self._users, self._items = (vectors.cpu().numpy() for vectors in network())
            yield
