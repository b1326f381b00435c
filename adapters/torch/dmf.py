"""Deep matrix factorisation: DMF (Xue 2017, IJCAI, doi:10.24963/ijcai.2017/447)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from adapters.torch.base import TorchDotProduct
from benchmark.hyperparameters import COUNT, Limits
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space, Use

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from adapters.torch.dmf_network import DMFNetwork


def rating_shares(train: Interactions) -> csr_matrix:
    """Return the log as a matrix (U, I) of ratings over the highest one; ones where values are no ratings.

    Several rows of a pair count as their mean.
    """
    highest = train.scale[1] if train.scale else 0.0
    values = train.values / highest if highest > 0 else np.ones(len(train), dtype=np.float32)
    matrix = csr_matrix((values, (train.users, train.items)), shape=(train.n_users, train.n_items))
    rows = train.counts()
    matrix.sum_duplicates()
    matrix.data /= rows.data
    return matrix.minimum(1.0).maximum(0.0).astype(np.float32)


@dataclass
class Dmf(TorchDotProduct):
    """The cosine of two perceptrons: one sees a user's row of the log, one an item's column.

    Implicit feedback, by the paper's normalised cross entropy: a like counts as its rating over the
    highest one, so the values of the likes matter; where values are no ratings, all count the same.

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
    limits: ClassVar[Limits] = {"hidden": COUNT}
    uses: ClassVar[tuple[Use, ...]] = ("negatives",)

    def untrained(self, train: Interactions, device: str) -> DMFNetwork:
        """Return the network over the rows and columns of the log."""
        from adapters.torch.dmf_network import DMFNetwork

        return DMFNetwork(rating_shares(train), self.dim, self.hidden, device)

    def epochs(
        self, network: DMFNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on batches of likes."""
        import torch

        from adapters.torch.losses import Negatives, pair_tensors
        from adapters.torch.training import Options, epochs

        users, positives = pair_tensors(train, generator.device)
        own = rating_shares(train)[train.users, train.items]
        shares = torch.from_numpy(np.asarray(own).ravel()).to(generator.device)
        sampler = Negatives(train, users)

        def start_epoch() -> Callable[[Tensor], Tensor]:
            items = torch.cat([positives[:, None], sampler.draw(self.negatives, generator)], dim=1)
            return lambda batch: network.loss(users[batch], items[batch], shares[batch])

        options = Options(self.lr, 0.0, self.batch_size, pace)
        return epochs(network.parameters(), len(train), start_epoch, options, generator)
