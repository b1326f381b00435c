"""Factorisation machine beside a perceptron: DeepFM (Guo 2017, arXiv:1703.04247)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch.base import TorchModel
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, Interactions, Range, Space, Use

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from adapters.torch.deepfm_network import DeepFMNetwork, DeepFMScorer


@dataclass
class DeepFm(TorchModel):
    """A factorisation machine and a perceptron over the same vectors, whose scores add up.

    Implicit feedback, by the paper's log loss, with negatives drawn uniformly as for NeuMF, from which
    the defaults come (docs/decisions/0008); the paper's networks for click logs are far larger. Tuned:
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
    uses: ClassVar[tuple[Use, ...]] = ("weights", "negatives")
    from_features: ClassVar[tuple[str, ...]] = ("users", "items")

    def network(self, n_users: int, n_items: int) -> DeepFMScorer:
        """Return what scores, without content."""
        from adapters.torch.deepfm_network import DeepFMScorer

        return DeepFMScorer.empty(n_users, n_items, self.dim, self.layers)

    def untrained(self, train: Interactions, device: str) -> DeepFMNetwork:
        """Return the network over the ids and features of the log."""
        from adapters.torch.deepfm_network import DeepFMNetwork

        return DeepFMNetwork(train, self.dim, self.layers, device)

    def epochs(
        self, network: DeepFMNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of likes."""
        from adapters.torch.losses import dropout_mask, log_loss
        from adapters.torch.training import Options, epochs

        def score(users: Tensor, items: Tensor) -> Tensor:
            keep = dropout_mask((len(users), 2 * self.dim), self.dropout, generator)
            return network(users, items, keep)

        start_epoch = log_loss(score, train, self.negatives, generator)
        options = Options(self.lr, self.l2, self.batch_size, pace)
        return epochs(network.parameters(), len(train), start_epoch, options, generator)

    def keep(self, network: DeepFMNetwork) -> None:
        """Keep the summed vectors of all users and items, and the perceptron."""
        from adapters.torch.deepfm_network import DeepFMScorer

        self._network = DeepFMScorer(network.tables(), network.tower)

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild what scores, on the CPU."""
        from adapters.torch.training import load_state

        self._network = self.network(len(state["users"]), len(state["items"]))
        load_state(self._network, state)
