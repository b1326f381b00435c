"""Matrix factorisation by Bayesian personalised ranking: BPR-MF (Rendle 2009, arXiv:1205.2618)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.modelkit.dot_product import Factors
from benchmark.protocol import FitContext, Interactions, Range, Space


@dataclass
class Bpr(Factors):
    """Vectors of users and items, and item biases, such that likes score above the rest.

    Feedback: implicit. Steps on single likes drawn at random, as in the paper's figure 4, compiled; they
    depend on each other, so they stay on the processor. ``negatives`` items are drawn for each and the
    one with the highest score is used (Zhang 2013, SIGIR, "dynamic negative sampling"); 1 is the paper's
    uniform draw. A pass costs O(N negatives dim), a full scoring O(U I dim).

    Tuned: size, step, penalty and ``negatives``. Defaults had the best validation NDCG@10 on 900 users of
    MovieLens-1M among 16 tried (docs/decisions/0026); ranges reach from implicit's defaults (lr .01, l2 .01)
    to what sparse logs want: on Last.fm less l2 and a higher lr were better.
    """

    dim: int = 64
    lr: float = 0.03
    l2: float = 0.03
    negatives: int = 8
    max_epochs: int = 200

    space: ClassVar[Space] = {
        "dim": Range(16, 256, log=True),
        "lr": Range(5e-3, 0.2, log=True),
        "l2": Range(1e-3, 0.3, log=True),
        "negatives": Range(1, 32, log=True),
    }

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Take as many stochastic steps as there are likes in each step."""
        from adapters.native.kernels.bpr import Tables, descend, likes_of

        rng = np.random.default_rng(context.seed)
        self._users, self._items = (
            0.1 * rng.standard_normal((rows, self.dim), dtype=np.float32)
            for rows in (train.n_users, train.n_items)
        )
        self._bias = np.zeros(train.n_items, dtype=np.float32)
        likes, tables = likes_of(train), Tables(self._users, self._items, self._bias)
        for _ in range(self.max_epochs):
            descend(likes, tables, (self.lr, self.l2), self.negatives, int(rng.integers(1, 2**63)))
            yield
