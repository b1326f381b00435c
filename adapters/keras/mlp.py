"""A multilayer perceptron over user and item embeddings, in Keras (the MLP of He 2017, arXiv:1708.05031)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.keras.pairs import Pairs

if TYPE_CHECKING:
    from adapters.keras.mlp_network import MLPNetwork


@dataclass
class Mlp(Pairs):
    """Concatenated embeddings, dense layers that halve in width, one logit.

    Implicit feedback. A pass costs O(N negatives dim^2), a full scoring O(U I dim^2). Tuned: all that
    shapes the network, the step, both penalties and the number of negatives.

    Paper: log loss, four uniform negatives, Adam, a tower of three layers. The rest had the best validation
    NDCG@10 within 25 seconds of one core among those tried on 900 users of MovieLens-1M
    (docs/decisions/0008).
    """

    def network(self, n_users: int, n_items: int, seed: int) -> MLPNetwork:
        """Return the network with its initial weights."""
        from adapters.keras.mlp_network import MLPNetwork

        return MLPNetwork(n_users, n_items, self.dim, self.layers, self.dropout, seed)
