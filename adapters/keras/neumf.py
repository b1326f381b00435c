"""Neural collaborative filtering: NeuMF, in Keras (He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.keras.pairs import Pairs

if TYPE_CHECKING:
    from adapters.keras.neumf_network import NeuMFNetwork


@dataclass
class NeuMf(Pairs):
    """A matrix factorisation and a perceptron whose scores add up.

    Implicit feedback. A pass costs O(N negatives dim^2), a full scoring O(U I dim^2). Tuned: all that
    shapes the network, the step, both penalties and the number of negatives.

    Paper: log loss, uniform negatives, Adam, embeddings of 8 to 64, a tower of three layers. The rest is
    what suited the same network in PyTorch best on other data (docs/decisions/0008).
    """

    l2: float = 3e-6
    dropout: float = 0.5
    negatives: int = 3
    batch_size: int = 1024

    def network(self, n_users: int, n_items: int, seed: int) -> NeuMFNetwork:
        """Return the network with its initial weights."""
        from adapters.keras.neumf_network import NeuMFNetwork

        return NeuMFNetwork(n_users, n_items, self.dim, self.layers, self.dropout, seed)
