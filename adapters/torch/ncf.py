"""Neural collaborative filtering: NeuMF (He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adapters.torch import open_device
from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class Ncf:
    """A matrix factorisation and a perceptron whose scores add up.

    Paper: log loss, four uniform negatives, Adam, embeddings of 8 to 64, a tower of three layers. The
    rest had the best validation NDCG@10 within 25 seconds of one core, among a dozen tried on 900
    users of MovieLens-1M and on MovieLens-100K (docs/decisions/0202).
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
        "layers": Range(1, 3),
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
        import torch

        from adapters.torch.networks import NeuMF
        from adapters.torch.training import Options, epochs

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed)  # the initial weights; drawn on the CPU, the same on every device
            network = NeuMF(train.n_users, train.n_items, self.dim, self.layers)
        self._network = network.to(context.device)
        generator = torch.Generator(context.device).manual_seed(context.seed)
        options = Options(self.lr, self.l2, self.dropout, self.batch_size, self.negatives)
        steps = epochs(self._network, train, options, generator)
        for _ in range(self.max_epochs):
            next(steps)
            yield

    def score(self, users: Ids) -> Scores:
        """Return logits (B, I)."""
        import torch

        device = self._network.gmf.device
        scores: Scores = self._network.score(torch.tensor(users, device=device)).cpu().numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers."""
        return {name: weight.cpu().numpy() for name, weight in self._network.state_dict().items()}

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network on the CPU."""
        import torch

        from adapters.torch.networks import NeuMF

        n_users, n_items = len(state["users.weight"]), len(state["items.weight"])
        self._network = NeuMF(n_users, n_items, self.dim, self.layers)
        self._network.load_state_dict(
            {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        )
