"""Neural collaborative filtering: NeuMF (He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch.base import TorchModel
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space, Use

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from adapters.torch.neumf_network import NeuMFNetwork


@dataclass
class NeuMf(TorchModel):
    """A matrix factorisation and a perceptron whose scores add up.

    Implicit feedback. A pass costs O(N negatives dim^2), a full scoring O(U I dim^2). Tuned: what the
    paper varies (``dim``, ``layers``, ``negatives``) and what regularises.

    Paper: log loss, four uniform negatives, Adam, embeddings of 8 to 64, a tower of three layers. The
    rest had the best validation NDCG@10 within 25 seconds of one core among those tried on 900 users
    of MovieLens-1M (docs/decisions/0008). The paper trains both halves beforehand and joins them; here all is
    trained at once. The paper ranks a user's last item among 99 sampled ones, as ``suites/ncf.yaml`` does
    beside full ranking (docs/decisions/0031).
    """

    dim: int = 32
    layers: int = 3
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

    def network(self, n_users: int, n_items: int) -> NeuMFNetwork:
        """Return the network with its initial weights."""
        from adapters.torch.neumf_network import NeuMFNetwork

        return NeuMFNetwork(n_users, n_items, self.dim, self.layers)

    def epochs(
        self, network: NeuMFNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of likes."""
        from adapters.torch.losses import dropout_mask, log_loss
        from adapters.torch.training import Options, epochs, sparse_tables

        def score(users: Tensor, items: Tensor) -> Tensor:
            return network(users, items, dropout_mask((len(users), 2 * self.dim), self.dropout, generator))

        start_epoch = log_loss(score, train, self.negatives, generator)
        options = Options(self.lr, self.l2, self.batch_size, pace, sparse=sparse_tables(network))
        return epochs(network.parameters(), len(train), start_epoch, options, generator)
