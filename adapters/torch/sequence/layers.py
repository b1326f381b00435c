"""Parts that networks over histories share. Letters: I items, B rows, P targets, T items read, D dim."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

Drop: TypeAlias = Callable[[Tensor], Tensor]
"""What dropout looks like to a network."""


def no_dropout(x: Tensor) -> Tensor:
    """Return ``x``: stands in for dropout outside training."""
    return x


class Dropout:
    """Zeros at random, their share in steps of 1/256: eight random bits per number are cheap."""

    def __init__(self, rate: float, generator: torch.Generator) -> None:
        """Take the share of zeros and the source of randomness."""
        self._zeros, self._generator = round(256 * min(rate, 255 / 256)), generator

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x`` with zeros, the rest scaled so that the mean stays."""
        if not self._zeros:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None, generator=self._generator)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self._zeros
        return x * kept * (256 / (256 - self._zeros))


def last_state(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Return the state (B, D) after the last item of each history, from those after every item (B, T, D)."""
    return hidden[torch.arange(len(hidden), device=hidden.device), (lengths - 1).clamp(min=0)]


def with_bias(hidden: Tensor, table: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return (P, D + 1) and (I, D + 1) whose products are those of ``hidden`` and ``table`` plus the bias."""
    return torch.cat([hidden, torch.ones_like(hidden[:, :1])], 1), torch.cat([table, bias[:, None]], 1)
