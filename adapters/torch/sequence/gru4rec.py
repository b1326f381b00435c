"""Recurrent network over sequences: GRU4Rec (Hidasi 2016, arXiv:1511.06939; 2018, arXiv:1706.03847)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from adapters.torch.sequence.base import NextItem
from benchmark.hyperparameters import AT_LEAST_0, COUNT_OR_NONE, Limits
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Choice, Interactions, Range, Space

if TYPE_CHECKING:
    from torch import Generator

    from adapters.torch.sequence.gru4rec_network import GRU4RecNetwork


@dataclass
class Gru4Rec(NextItem):
    """Reads the last items one after the other; each time step ranks its target above samples.

    Implicit feedback, ordered. A pass costs O(N (dim^2 layers + dim (B + negatives))), B the targets
    of a mini-batch, at most batch_size history; a full
    scoring O(U (history dim^2 layers + I dim)). As its authors publish it (papers above, and the code at
    github.com/hidasib/GRU4Rec_PyTorch_Official, whose names are in brackets):

    - Mini-batches of parallel sequences, the state reset to zero where one starts (2016, section 3.1.1).
    - Negatives of a time step: the targets of the other sequences of the mini-batch (2016, 3.1.2), and
      ``negatives`` items drawn anew, shared by the mini-batch, with a chance that is proportional to
      popularity to the power ``alpha`` (2018, additional samples; [n_sample], [sample_alpha]).
    - ``loss`` "cross-entropy": softmax of target and negatives (2018). ``logq`` times the log
      of the popularity, for samples to the power ``alpha``, is taken off the scores first ([logq]).
    - ``loss`` "bpr-max": softmax-weighted pairs plus ``l2`` times softmax-weighted squared scores (2018,
      BPR-max with score regularization; [bpreg]), scores through an exponential linear unit ([elu_param]).
    - One table of items for input and output ([constrained_embedding]), biases of items,
      dropout of embeddings and states, linear scores with the cross-entropy.

    Where it departs: Adam for Adagrad with momentum; gradients flow through the whole window where the
    authors' stop after one step; windows of at most ``history`` items count as sequences, since here they
    are whole lives of users and not sessions, and where they are short a mini-batch holds more of them, so
    more negatives; one ``dropout``, of what goes in and what comes out but not of the state that is
    carried on. Ranges of ``alpha`` and ``l2`` are those of the authors' [paramspaces]; that of ``dim`` goes
    below their 64, for short logs. Tuned beside them: what is ours, and ``lr``, which belongs to the
    optimiser. Defaults: docs/decisions/0027.
    """

    dim: int = 64
    layers: int = 1
    history: int = 50
    lr: float = 3e-3
    l2: float = 1.0
    dropout: float = 0.1
    negatives: int = 512
    alpha: float = 0.5
    logq: float = 1.0
    loss: str = "cross-entropy"
    batch_size: int = 64
    max_epochs: int = 200

    space: ClassVar[Space] = {
        "dim": Range(16, 512, log=True),
        "history": Range(20, 200, log=True),
        "lr": Range(3e-4, 2e-2, log=True),
        "l2": Range(0.0, 2.0),
        "dropout": Range(0.0, 0.6),
        "alpha": Range(0.0, 1.0),
        "loss": Choice("cross-entropy", "bpr-max"),
    }
    limits: ClassVar[Limits] = {"negatives": COUNT_OR_NONE, "alpha": AT_LEAST_0, "logq": AT_LEAST_0}

    def network(self, n_users: int, n_items: int) -> GRU4RecNetwork:  # noqa: ARG002 - users have no vectors
        """Return a network with its initial weights."""
        from adapters.torch.sequence.gru4rec_network import GRU4RecNetwork

        return GRU4RecNetwork(n_items, self.dim, self.layers)

    def epochs(
        self, network: GRU4RecNetwork, train: Interactions, generator: Generator, pace: Pace
    ) -> Iterator[int]:
        """Train on every transition of every history, packed in windows."""
        from adapters.torch.sequence.layers import Dropout
        from adapters.torch.sequence.losses import PopularityNegatives, top_gains
        from adapters.torch.sequence.training import Sequences, epochs
        from adapters.torch.training import Options

        sequences, drop = Sequences(train, generator.device), Dropout(self.dropout, generator)
        logq = self.logq if self.loss == "cross-entropy" else 0.0
        negatives = PopularityNegatives(train, self.alpha, logq, generator)

        def loss(batch: tuple[Any, ...]) -> Any:
            items, targets, counts = (part.T for part in sequences.inputs_and_targets(*batch))
            sampled, penalty = negatives.sample(targets, self.negatives)
            table = network.items(sampled), network.bias[sampled]
            scores = (network(items, drop) @ table[0].transpose(1, 2) + table[1][:, None]).float()
            return top_gains(scores - penalty[:, None], counts, self.loss, self.l2)

        return epochs(
            network.parameters(),
            lambda: sequences.packed(self.history, self.batch_size, generator),
            loss,
            Options(self.lr, 0.0, self.batch_size * self.history, pace, mixed=True),
            generator,
        )
