"""The tiny framework's counting model; nothing here imports the framework before a model is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.modelkit.dot_product import DotProduct
from benchmark.protocol import FitContext, Interactions, Range, Space


@dataclass
class Counting(DotProduct):
    """Popularity as the tiny framework counts it.

    Implicit feedback. Tuned: ``decay``, what is left of earlier counts after an epoch. A fit costs O(N) an
    epoch, a score of one user O(I). Its scores are dot products of stored arrays, so a bundle is served
    without the framework.
    """

    decay: float = 0.5
    max_epochs: int = 3

    space: ClassVar[Space] = {"decay": Range(0.1, 1.0)}
    deterministic: ClassVar[bool] = True
    environment: ClassVar[str] = "tiny"
    requires: ClassVar[tuple[str, ...]] = ("tinyframework",)

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Train one epoch per step."""
        import tinyframework

        model = tinyframework.CountingModel(train.n_items, self.decay)
        self._users = np.ones((train.n_users, 1), dtype=np.float32)
        for _ in range(self.max_epochs):
            model.fit_epoch(train.items.tolist())
            self._items = np.array(model.weights, dtype=np.float32)[:, None]
            yield
