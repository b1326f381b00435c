"""What models of user-item pairs share: log loss on likes and sampled negatives, a compiled scoring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from adapters.keras.base import KerasModel
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space

if TYPE_CHECKING:
    from adapters.keras.layers import NamedNetwork


@dataclass
class Pairs(KerasModel):
    """A network over pairs; its fields are what all of them have."""

    dim: int = 32
    layers: int = 3
    lr: float = 3e-3
    l2: float = 1e-6
    dropout: float = 0.3
    negatives: int = 4
    batch_size: int = 2048
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(8, 64, log=True),
        "layers": Range(1, 4),
        "lr": Range(5e-4, 1e-2, log=True),
        "l2": Range(1e-8, 1e-3, log=True),
        "dropout": Range(0.0, 0.8),
        "negatives": Range(2, 8),
    }

    def epochs(self, network: NamedNetwork, train: Interactions, generator: Any, pace: Pace) -> Iterator[int]:
        """Train on batches of likes."""
        from adapters.keras.losses import log_loss
        from adapters.keras.training import Options, epochs

        draw, loss = log_loss(network, train, self.negatives, generator)
        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.trainable_variables, len(train), draw, loss, options, generator)
