"""Neural collaborative filtering: NeuMF (He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.torch import open_device
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class NeuMf:
    """A matrix factorisation and a perceptron whose scores add up.

    Feedback: implicit. A pass costs O(N negatives dim^2), a full scoring O(U I dim^2). Tuned is what the
    paper varies (``dim``, ``layers``, ``negatives``) and what regularises.

    Paper: log loss, four uniform negatives, Adam, embeddings of 8 to 64, a tower of three layers. The
    rest had the best validation NDCG@10 within 25 seconds of one core among those tried on 900 users
    of MovieLens-1M (docs/decisions/0008). The paper trains both halves beforehand and joins them; here all is
    trained at once. The paper ranks a user's last item among 99 drawn ones, as ``suites/ncf.yaml`` does
    beside full ranking (docs/benchmarks/ncf).
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
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one epoch per step."""
        from adapters.torch.networks import NeuMF
        from adapters.torch.training import Options, chance, dropout_mask, epochs, log_loss, seeded

        network = seeded(lambda: NeuMF(train.n_users, train.n_items, self.dim, self.layers), context)
        self._network, generator = network, chance(context)

        def score(users: Tensor, items: Tensor) -> Tensor:
            return network(users, items, dropout_mask((len(users), 2 * self.dim), self.dropout, generator))

        begin = log_loss(score, train, self.negatives, generator)
        options = Options(self.lr, self.l2, self.batch_size)
        steps = epochs(network.parameters(), len(train), begin, options, generator)
        for _ in range(self.max_epochs):
            next(steps)
            yield

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        import torch

        with torch.no_grad():
            logits = self._network.score(torch.tensor(users, device=self._network.gmf.device))
        scores: Scores = logits.cpu().numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers."""
        from adapters.torch.training import arrays

        return arrays(self._network)

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network on the CPU."""
        from adapters.torch.networks import NeuMF
        from adapters.torch.training import load_arrays

        self._network = NeuMF(len(state["users.weight"]), len(state["items.weight"]), self.dim, self.layers)
        load_arrays(self._network, state)
