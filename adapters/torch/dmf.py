"""Deep matrix factorisation: DMF (Xue 2017, IJCAI, doi:10.24963/ijcai.2017/447)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from adapters.torch import open_device
from benchmark.modelkit.dot_product import Factors
from benchmark.protocol import FitContext, Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Tensor


def shares(train: Interactions) -> csr_matrix:
    """Return the log as a matrix (U, I) of ratings over the highest one; ones where values are no ratings."""
    highest = train.scale[1] if train.scale else 0.0
    values = train.values / highest if highest > 0 else np.ones(len(train), dtype=np.float32)
    matrix = csr_matrix((values, (train.users, train.items)), shape=(train.n_users, train.n_items))
    return matrix.minimum(1.0).maximum(0.0).astype(np.float32)


@dataclass
class Dmf(Factors):
    """The cosine of two perceptrons: one sees a user's row of the log, one an item's column.

    Feedback: implicit, by the paper's normalised cross entropy: a like counts as its rating over the
    highest one, so the values of the likes matter; where values are no ratings, all count alike.

    ``dim`` and the two layers with ReLU: section 4.1. Tuned: these sizes, the step, and ``negatives``, which
    with ``hidden`` is what its sections 4.4 and 4.5 vary. Batches are larger and ``lr`` higher than the
    paper's, because both towers are computed for all users and items at once: on one core the paper's 256
    pairs would take hours. A batch costs O(N hidden + (U + I) hidden dim), a full scoring O(U I dim); memory
    is O((U + I) hidden + N).
    """

    dim: int = 64
    hidden: int = 128
    lr: float = 3e-3
    negatives: int = 3
    batch_size: int = 4096
    max_epochs: int = 60

    space: ClassVar[Space] = {
        "dim": Range(16, 128, log=True),
        "hidden": Range(64, 512, log=True),
        "lr": Range(3e-4, 3e-2, log=True),
        "negatives": Range(1, 10),
    }
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    open_device: ClassVar[Callable[[FitContext], None]] = staticmethod(open_device)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Train one pass over the likes per step."""
        import torch

        from adapters.torch.networks import DeepFactors
        from adapters.torch.training import Negatives, Options, chance, epochs, pairs_of, seeded

        log = shares(train)
        network = seeded(lambda: DeepFactors(log, self.dim, self.hidden, context.device), context)
        generator = chance(context)
        users, likes = pairs_of(train, generator.device)
        own = torch.from_numpy(np.asarray(log[train.users, train.items]).ravel()).to(context.device)
        sampler = Negatives(users, likes)

        def begin() -> Callable[[Tensor], Tensor]:
            items = torch.cat([likes[:, None], sampler.draw(self.negatives, generator)], dim=1)
            return lambda batch: network.loss(users[batch], items[batch], own[batch])

        options = Options(self.lr, 0.0, self.batch_size)
        steps = epochs(network.parameters(), len(train), begin, options, generator)
        for _ in range(self.max_epochs):
            next(steps)
            with torch.no_grad():
                self._users, self._items = (vectors.cpu().numpy() for vectors in network())
            yield
