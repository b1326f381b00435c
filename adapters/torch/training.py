"""The training loop that all PyTorch adapters share: seeds, optimiser, epochs, weights as named arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import torch
import torch._dynamo  # the first optimiser would import it, on the clock
from torch import Tensor, nn

from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, FitContext

Loss: TypeAlias = Callable[[Tensor], Tensor]
"""From a batch of rows (B,) to a scalar."""
Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        l2: weight decay, added to the gradient; of tables with sparse gradients, to the rows in it.
        batch_size: rows per step of the optimiser; more on a large log, see ``Pace.batch_rows``, unless its
            tables have sparse gradients.
        pace: where a pass is cut into steps.
        mixed: on CUDA, let large products use half precision.
        sparse: those parameters whose gradients are sparse, as :func:`sparse_tables` finds them.
    """

    lr: float
    l2: float
    batch_size: int
    pace: Pace
    mixed: bool = False
    sparse: tuple[Tensor, ...] = ()


def sparse_tables(network: nn.Module) -> tuple[Tensor, ...]:
    """Return the tables of a network whose gradients hold the rows that a batch looked up, and no others."""
    embeddings = (module for module in network.modules() if isinstance(module, nn.Embedding))
    return tuple(embedding.weight for embedding in embeddings if embedding.sparse)


def build_seeded(build: Callable[[], Network], context: FitContext) -> Network:
    """Return a network whose initial weights depend on the seed alone, the same on every device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        return build().to(context.device)


def generator(context: FitContext) -> torch.Generator:
    """Return the source of randomness, on the device."""
    return torch.Generator(context.device).manual_seed(context.seed)


class MovingAverage(Generic[Network]):
    """A network whose weights are a moving average of another one's (Polyak & Juditsky 1992, SICON 30(4)).

    It scores better than the weights of any one moment, and its validation curve is less noisy, which early
    stopping needs.
    """

    def __init__(self, network: Network, decay: float = 0.99) -> None:
        """Start from the weights of ``network``."""
        self.network = deepcopy(network).requires_grad_(False)
        self._source, self._decay, self._updates = network, decay, 0

    def update(self) -> None:
        """Move towards the present weights; the first moves are long, so that the start is forgotten."""
        self._updates += 1
        decay = min(self._decay, self._updates / (9 + self._updates))
        for mean, now in zip(self.network.parameters(), self._source.parameters(), strict=True):
            mean.lerp_(now.detach(), 1.0 - decay)


class Optimiser(Generic[Batch]):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), a batch at a time; in half precision on CUDA if asked.

    The rows of a table with sparse gradients are moved when a batch looks them up, and only then. Adam
    proper would go on moving a row by its momentum, about thirty learning rates for one look-up, shrink by
    ``l2`` what no batch looks up, and read and write the whole table for each batch.
    """

    def __init__(self, parameters: Iterable[Tensor], options: Options, device: torch.device) -> None:
        """Take the parameters that Adam changes, and how."""
        self._sparse, self._l2 = options.sparse, options.l2
        dense = [weight for weight in parameters if all(weight is not table for table in self._sparse)]
        self._adams: list[torch.optim.Optimizer] = []
        if dense:  # a network may be tables alone
            self._adams.append(torch.optim.Adam(dense, lr=options.lr, weight_decay=options.l2, fused=True))
        if self._sparse:
            self._adams.append(torch.optim.SparseAdam(self._sparse, lr=options.lr))
        self._device, self._mixed = device, options.mixed and device.type == "cuda"

    def step(self, loss: Callable[[Batch], Tensor], batch: Batch) -> None:
        """Move down the gradient of a batch's loss, a scalar."""
        for adam in self._adams:
            adam.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._mixed):
            value = loss(batch)
        value.backward()
        if self._l2:
            for table in self._sparse:
                self._decay(table)
        for adam in self._adams:
            adam.step()

    def _decay(self, table: Tensor) -> None:
        """Add ``l2`` times each row in the gradient of a table to it."""
        assert table.grad is not None
        gradient = table.grad.coalesce()
        rows = gradient.indices()
        values = gradient.values().add(table.detach()[rows[0]], alpha=self._l2)
        table.grad = torch.sparse_coo_tensor(
            rows, values, table.shape, check_invariants=False, is_coalesced=True
        )

    def wait(self) -> None:
        """Wait until the device is idle, as a yield promises."""
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def epochs(
    parameters: Iterable[Tensor],
    n_rows: int,
    start_epoch: Callable[[], Loss],
    options: Options,
    generator: torch.Generator,
    average: MovingAverage[Any] | None = None,
) -> Iterator[int]:
    """Train on shuffled rows for ever; yield where a step ends, with the rows of the log that it trained.

    Args:
        parameters: what Adam changes.
        n_rows: a row is whatever the loss takes it for, such as a user or an interaction.
        start_epoch: called before each pass, for example to draw negatives; returns the loss of a batch.
        options: how to train.
        generator: the source of randomness; its device is the device.
        average: updated after each batch, if given.
    """
    device = generator.device
    optimiser = Optimiser[Tensor](parameters, options, device)
    size = options.batch_size if options.sparse else options.pace.batch_rows(options.batch_size, n_rows)
    while True:
        loss = start_epoch()
        batches = torch.randperm(n_rows, generator=generator, device=device).split(size)
        ends = options.pace.ends(len(batches))
        for done, batch in enumerate(batches, start=1):
            optimiser.step(loss, batch)
            if average:
                average.update()
            if done in ends:
                optimiser.wait()
                yield ends[done]


def state_arrays(network: nn.Module) -> dict[str, Array]:
    """Return copies of a network's weights by the names of its layers."""
    return {name: weight.cpu().numpy().copy() for name, weight in network.state_dict().items()}


def load_state(network: nn.Module, state: dict[str, Array]) -> None:
    """Give a network the weights that :func:`state_arrays` returned."""
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()})
