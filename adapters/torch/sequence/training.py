"""Training on sequences: windows packed by length, positions with what surrounds them, the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from adapters.torch.training import Optimiser, Options
from benchmark.protocol import Interactions

Batch: TypeAlias = tuple[Tensor, ...]


class Sequences:
    """All histories on the device, one after another.

    Attributes:
        items: (N,) user after user.
        starts: (U + 1,) where each user's items start.
    """

    def __init__(self, train: Interactions, device: torch.device) -> None:
        """Take the rows of each user in the order of time."""
        starts, rows = train.histories()
        self.items = torch.from_numpy(train.items[rows].astype(np.int64)).to(device)
        self.starts = torch.from_numpy(starts).to(device)

    def windows(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return windows that hold each transition once: first position (W,) and transitions (W,) of each.

        A history with more than ``size`` transitions is cut at positions that are drawn anew in each call, so
        no transition is always read without what came before.
        """
        device = self.items.device
        transitions = (self.starts.diff() - 1).clamp_(min=0)
        drawn = torch.randint(1, size + 1, transitions.shape, generator=generator, device=device)
        head = torch.where(transitions > size, drawn, transitions)
        blocks = (transitions > 0) + (transitions - head + size - 1).div(size, rounding_mode="floor")
        users = torch.arange(len(blocks), device=device).repeat_interleave(blocks)
        nth = torch.arange(len(users), device=device) - (blocks.cumsum(0) - blocks)[users]
        skipped = torch.where(nth > 0, head[users] + (nth - 1) * size, 0)
        lengths = torch.where(nth > 0, (transitions[users] - skipped).clamp(max=size), head[users])
        return self.starts[users] + skipped, lengths

    def packed(self, size: int, batch_size: int, generator: torch.Generator) -> list[Batch]:
        """Return windows in batches of about equal length: first positions (B,) and transitions (B,).

        A batch holds as many transitions as ``batch_size`` windows of full length: more windows if shorter.
        """
        first, lengths = self.windows(size, generator)
        order = torch.randperm(len(first), generator=generator, device=first.device)
        order = order[lengths[order].argsort(stable=True, descending=True)]
        first, lengths = first[order], lengths[order]
        longest, batches, start = lengths.tolist(), [], 0
        while start < len(longest):
            end = start + max(1, batch_size * size // longest[start])
            batches.append((first[start:end], lengths[start:end]))
            start = end
        return shuffled(batches, generator)

    def inputs_and_targets(self, first: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the items (B, T) read in windows, the items (B, T) that follow, and which of them count."""
        steps = torch.arange(int(lengths.max()), device=first.device)
        positions = (first[:, None] + steps).clamp_(max=len(self.items) - 2)
        return self.items[positions], self.items[positions + 1], steps < lengths[:, None]


class Positions:
    """All positions of all histories but the first of each."""

    def __init__(self, train: Interactions, device: torch.device) -> None:
        """Take the rows of each user in the order of time."""
        sequences = Sequences(train, device)
        self._items, lengths = sequences.items, sequences.starts.diff()
        self._users = torch.arange(len(lengths), device=device).repeat_interleave(lengths)
        self._starts, self._ends = sequences.starts[:-1], sequences.starts[1:]
        everywhere = torch.arange(len(self._items), device=device)
        self._positions = everywhere[everywhere > self._starts[self._users]]

    def batches(self, batch_size: int, generator: torch.Generator) -> list[Batch]:
        """Return all positions in a random order, in batches."""
        order = torch.randperm(len(self._positions), generator=generator, device=generator.device)
        return [(part,) for part in self._positions[order].split(batch_size) if len(part)]

    def around(self, positions: Tensor, before: int, ahead: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the users (B,) of positions, the items (B, before + ahead) around, and which of them exist.

        The item at the position itself is the first of those ahead.
        """
        users = self._users[positions]
        around = positions[:, None] + torch.arange(-before, ahead, device=positions.device)
        present = (around >= self._starts[users, None]) & (around < self._ends[users, None])
        return users, self._items[around.clamp_(min=0, max=len(self._items) - 1)], present


def shuffled(batches: list[Batch], generator: torch.Generator) -> list[Batch]:
    """Return the batches in a random order."""
    order = torch.randperm(len(batches), generator=generator, device=generator.device)
    return [batches[index] for index in order.tolist()]


def epochs(
    parameters: Iterable[Tensor],
    start_epoch: Callable[[], list[Batch]],
    loss: Callable[[Batch], Tensor],
    options: Options,
    generator: torch.Generator,
) -> Iterator[int]:
    """Train for ever; yield where a step ends, with the rows of the log that it trained.

    Args:
        parameters: what Adam changes.
        start_epoch: returns the batches of a pass, each of about ``options.batch_size`` transitions.
        loss: of a batch, a scalar.
        options: how to train.
        generator: the source of randomness; its device is the device.
    """
    optimiser = Optimiser[Batch](parameters, options, generator.device)
    while True:
        batches = start_epoch()
        ends = options.pace.ends(len(batches))
        for done, batch in enumerate(batches, start=1):
            optimiser.step(loss, batch)
            if done in ends:
                optimiser.wait()
                yield ends[done]
        if not batches:  # nobody has two items: there is nothing to learn
            yield options.pace.rows
