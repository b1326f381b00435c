"""Matrix factorisation by Bayesian personalised ranking: BPR-MF (Rendle 2009, arXiv:1205.2618)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.modelkit.confidence import relative_weights
from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import FitContext, Floats32, Interactions, Range, Space, Use


@dataclass
class Bpr(DotProduct):
    """Vectors of users and items, and item biases, such that likes score above the rest.

    Implicit feedback. Each step takes one like drawn at random, as in the paper's figure 4. Steps depend on
    each other, so they are compiled and stay on the CPU. ``negatives`` items are drawn for each and the
    one with the highest score is used (Zhang 2013, SIGIR, "dynamic negative sampling"); 1 is the paper's
    uniform draw. Where the suite names confidences, likes are drawn in proportion to them. A pass costs O(N
    negatives dim), a full scoring O(U I dim). Threads share the vectors without locks: with more than one,
    two runs of one seed differ a little.

    Tuned: size, step, penalty and ``negatives``. Defaults had the best validation NDCG@10 on 900 users of
    MovieLens-1M among 16 tried (docs/decisions/0026); the ranges go from implicit's defaults (lr 0.01, l2
    0.01) to what suits sparse logs: on Last.fm a lower l2 and a higher lr were better.
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
    uses: ClassVar[tuple[Use, ...]] = ("weights",)
    streams: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train passes: as many stochastic steps as there are likes."""
        from adapters.native.kernels.bpr import Positives, Tables, bpr_walk

        rng = np.random.default_rng(context.seed)
        self._users, self._items = (
            0.1 * rng.standard_normal((rows, self.dim), dtype=np.float32)
            for rows in (train.n_users, train.n_items)
        )
        self._bias: Floats32 = np.zeros(train.n_items, dtype=np.float32)
        positives, tables = Positives.from_log(train), Tables(self._users, self._items, self._bias)
        shares = relative_weights(train) / np.float64(len(train)) if len(train.weights) else None
        ends = Pace.of(train, context).ends(len(train))
        for _ in range(self.max_epochs):
            states = rng.integers(1, 2**63, size=context.threads).tolist()
            drawn = positives if shares is None else positives.drawn(shares, rng)
            for likes in ends.values():
                states = bpr_walk(drawn, tables, (self.lr, self.l2), (likes, self.negatives), states)
                yield likes
