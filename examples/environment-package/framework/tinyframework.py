"""A framework as small as one can be; it stands for one that cannot be installed beside bench."""

from __future__ import annotations

from collections.abc import Sequence

VERSION = "1.0"


class CountingModel:
    """Recommends what is popular, and forgets: each epoch weighs what was counted before by ``decay``."""

    def __init__(self, n_items: int, decay: float) -> None:
        self.decay = decay
        self.weights = [0.0] * n_items

    def fit_epoch(self, items: Sequence[int]) -> None:
        """Count once more."""
        self.weights = [self.decay * weight for weight in self.weights]
        for item in items:
            self.weights[item] += 1.0
