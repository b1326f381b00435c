"""Self-attentive sequential recommendation: SASRec (Kang & McAuley 2018, arXiv:1808.09781)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from adapters.torch.sequence.base import NextItem
from benchmark.hyperparameters import COUNT_OR_NONE, Limits
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator

    from adapters.torch.sequence.sasrec_network import SASRecNetwork


@dataclass
class SasRec(NextItem):
    """Reads the last items by causal self-attention; the softmax over items is the loss.

    Implicit feedback, ordered. A pass costs O(N (dim^2 layers + dim history + dim K)), K the items that
    the softmax sums over: ``negatives``, or I where it is 0; a full scoring
    O(U (layers history dim (dim + history) + I dim)).

    The paper's loss, log loss with one negative, is overconfident and ranks far worse (Petrov &
    Macdonald 2023, arXiv:2308.07192); the softmax, in full or over many negatives, corrects it (Klenitskiy
    & Vasilev 2023, arXiv:2309.07602). ``dim``, ``layers`` and ``dropout`` are those of the latter for
    MovieLens-1M; ``history``, ``negatives``, ``lr`` and ``batch_size`` are set for one core
    (docs/decisions/0027).
    """

    dim: int = 64
    layers: int = 2
    history: int = 50
    lr: float = 2e-3
    dropout: float = 0.1
    negatives: int = 512
    batch_size: int = 64
    max_epochs: int = 200

    space: ClassVar[Space] = {
        "dim": Range(32, 256, log=True),
        "layers": Range(1, 3),
        "history": Range(20, 200, log=True),
        "lr": Range(3e-4, 1e-2, log=True),
        "dropout": Range(0.0, 0.6),
    }
    limits: ClassVar[Limits] = {"negatives": COUNT_OR_NONE}

    def network(self, n_users: int, n_items: int) -> SASRecNetwork:  # noqa: ARG002 - users have no vectors
        """Return a network with its initial weights."""
        from adapters.torch.layers import LARGE_TABLE
        from adapters.torch.sequence.sasrec_network import SASRecNetwork

        sparse = self.negatives > 0 and n_items > max(self.negatives, LARGE_TABLE)
        return SASRecNetwork(n_items, self.dim, self.layers, self.history, sparse=sparse)

    def epochs(
        self, network: SASRecNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on every transition of every history, packed in windows."""
        from adapters.torch.sequence.layers import Dropout
        from adapters.torch.sequence.losses import Proposal, Targets, softmax_loss
        from adapters.torch.sequence.training import Sequences, epochs
        from adapters.torch.training import Options, sparse_tables

        sequences, drop = Sequences(train, generator.device), Dropout(self.dropout, generator)
        table, proposal = network.items, Proposal(train, generator)

        def loss(batch: tuple[Any, ...]) -> Any:
            items, following, counts = sequences.inputs_and_targets(*batch)
            targets = Targets(following[counts][:, None], counts[counts][:, None])
            hidden = network(items, drop)[counts]
            return softmax_loss(hidden, table.weight, targets, self.negatives, proposal, sparse=table.sparse)

        return epochs(
            network.parameters(),
            lambda: sequences.packed(self.history, self.batch_size, generator),
            loss,
            Options(
                self.lr, 0.0, self.batch_size * self.history, pace, mixed=True, sparse=sparse_tables(network)
            ),
            generator,
        )
