"""The shared training loop, and what losses need, in bulk on the device."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import torch
import torch._dynamo  # the first optimiser would import it, on the clock
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from benchmark.protocol import Array, FitContext, Interactions

REDRAWS = 3  # a like that is drawn as a negative is drawn again, this often
CANDIDATES = 1 << 15  # items a softmax sums over; of a larger catalogue it draws as many

Loss: TypeAlias = Callable[[Tensor], Tensor]
Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        lr: learning rate of Adam.
        l2: weight decay, added to the gradient.
        batch_size: rows a step of the optimiser.
        mixed: on CUDA, let large products use half precision.
    """

    lr: float
    l2: float
    batch_size: int
    mixed: bool = False


def seeded(build: Callable[[], Network], context: FitContext) -> Network:
    """Return a network with initial weights of the seed, the same on every device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        return build().to(context.device)


def chance(context: FitContext) -> torch.Generator:
    """Return a source of chance on the device."""
    return torch.Generator(context.device).manual_seed(context.seed)


class Average(Generic[Network]):
    """A network whose weights are a moving average of another one's (Polyak & Juditsky 1992, SICON 30(4)).

    It scores better than the weights of any one moment, and its validation curve has less noise for early
    stopping to trip over.
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


class Adam(Generic[Batch]):
    """Kingma & Ba 2015 (arXiv:1412.6980), a batch at a time; on CUDA in half precision if wanted."""

    def __init__(self, parameters: Iterable[Tensor], options: Options, device: torch.device) -> None:
        """Take what Adam changes, and how."""
        self._adam = torch.optim.Adam(list(parameters), lr=options.lr, weight_decay=options.l2, fused=True)
        self._device, self._mixed = device, options.mixed and device.type == "cuda"

    def step(self, loss: Callable[[Batch], Tensor], batch: Batch) -> None:
        """Move down the gradient of a batch's loss, a scalar."""
        self._adam.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._mixed):
            value = loss(batch)
        value.backward()
        self._adam.step()

    def settle(self) -> None:
        """Wait until the device is idle, as a yield promises."""
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def epochs(
    parameters: Iterable[Tensor],
    rows: int,
    begin: Callable[[], Loss],
    options: Options,
    generator: torch.Generator,
    average: Average[Any] | None = None,
) -> Iterator[None]:
    """Train one pass over shuffled rows before each yield, for ever.

    Args:
        parameters: what Adam changes.
        rows: n; a row is whatever the loss takes it for, such as a user or an interaction.
        begin: called before each pass, to draw negatives, say; returns the loss of a batch of
            rows (B,), a scalar.
        options: how to train.
        generator: the source of chance; its device is the device.
        average: updated after each batch, where one is wanted.
    """
    device = generator.device
    adam = Adam[Tensor](parameters, options, device)
    while True:
        loss = begin()
        for batch in torch.randperm(rows, generator=generator, device=device).split(options.batch_size):
            adam.step(loss, batch)
            if average:
                average.update()
        adam.settle()
        yield


def arrays(network: nn.Module) -> dict[str, Array]:
    """Return copies of a network's weights by the names of its layers."""
    return {name: weight.cpu().numpy().copy() for name, weight in network.state_dict().items()}


def load_arrays(network: nn.Module, weights: dict[str, Array]) -> None:
    """Give a network the weights that :func:`arrays` returned."""
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})


def pairs_of(train: Interactions, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return users (N,) and items (N,) of all rows, int64, on the device."""
    users, items = (torch.from_numpy(ids.astype(np.int64)) for ids in (train.users, train.items))
    return users.to(device), items.to(device)


class Negatives:
    """Draws items that a user did not like, for all rows of a log at once."""

    def __init__(self, users: Tensor, items: Tensor) -> None:
        """Take the log: users (N,) and items (N,)."""
        self._users = users
        self._liked, places = items.unique(return_inverse=True)
        self._known = (users * len(self._liked) + places).sort().values

    def draw(self, k: int, generator: torch.Generator) -> Tensor:
        """Return k items for each row, (N, k), hardly any of them liked by the row's user.

        They are uniform among the items that somebody liked: of the others the log says nothing.
        """
        return self._liked[unseen(self._users, self._known, len(self._liked), k, generator)]


def unseen(users: Tensor, known: Tensor, n_items: int, k: int, generator: torch.Generator) -> Tensor:
    """Return k uniform items for each row's user, (N, k), hardly any of them liked by that user.

    Args:
        users: (N,) the user of each row.
        known: (N,) sorted codes ``user * n_items + item`` of all likes.
        n_items: I.
        k: negatives a row.
        generator: the source of chance, on the device of the tensors.
    """
    device = users.device
    first = users.repeat_interleave(k) * n_items
    drawn = torch.randint(n_items, first.shape, generator=generator, device=device)
    again = torch.arange(len(drawn), device=device)
    for _ in range(REDRAWS):
        codes = first[again] + drawn[again]
        found = torch.searchsorted(known, codes).clamp_(max=len(known) - 1)
        again = again[known[found] == codes]
        drawn[again] = torch.randint(n_items, again.shape, generator=generator, device=device)
    return drawn.view(-1, k)


class Histories:
    """The likes of each user, on the device."""

    def __init__(self, train: Interactions, device: torch.device) -> None:
        """Take each distinct pair of the log once."""
        matrix = train.matrix()
        self._ends = torch.from_numpy(matrix.indptr.astype(np.int64)).to(device)
        self._items = torch.from_numpy(matrix.indices.astype(np.int64)).to(device)
        self.active = (self._ends.diff() > 0).nonzero()[:, 0]
        """Users with a like, ascending."""
        self.liked, self.places = self._items.unique(return_inverse=True)
        """Items with a like, ascending, and the place among them of each like."""

    def of(self, users: Tensor, column: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the likes of users (B,): counts (B,), then place in the batch (n,) and item (n,) of each.

        ``column`` (N,), such as ``places``, stands for the items where it is given.
        """
        starts = self._ends[users]
        counts = self._ends[users + 1] - starts
        rows = torch.arange(len(users), device=users.device).repeat_interleave(counts)
        before = (starts - (counts.cumsum(0) - counts))[rows]
        column = self._items if column is None else column
        return counts, rows, column[before + torch.arange(len(rows), device=users.device)]


class _Multinomial(torch.autograd.Function):
    """Its gradient is the softmax of each row, times its likes, less a one at each like."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, counts: Tensor, rows: Tensor, items: Tensor) -> Tensor:
        total = logits.logsumexp(1, keepdim=True)  # (B, 1)
        gradient = (logits - total).exp_().mul_(counts[:, None])
        gradient.view(-1).index_add_(0, rows * logits.shape[1] + items, logits.new_full((len(rows),), -1.0))
        ctx.save_for_backward(gradient)
        return total[:, 0] @ counts.to(logits.dtype) - logits[rows, items].sum()

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * slope[0], None, None, None


def multinomial(logits: Tensor, likes: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return minus the log likelihood of all likes under a softmax of each row, a scalar.

    Liang 2018, equation 2. Each of a user's likes is an independent draw from the softmax.

    Args:
        logits: (B, I).
        likes: counts (B,), places in the batch (n,) and items (n,), as :class:`Histories` returns them.
    """
    counts, rows, items = likes
    return _Multinomial.apply(logits.float(), counts, rows, items)


def softmax_of_products(
    users: Tensor, items: Tensor, likes: tuple[Tensor, Tensor, Tensor], generator: torch.Generator
) -> Tensor:
    """Return minus the log likelihood of all likes under a softmax over dot products, a scalar.

    Over a catalogue of more than ``CANDIDATES`` items, the sum of the softmax is estimated from as many
    drawn uniformly, the like itself counted besides (sampled softmax: Jean 2015, arXiv:1412.2007; for
    recommenders Wu 2022, arXiv:2201.02327).

    Args:
        users: (B, D).
        items: (I, D).
        likes: as for :func:`multinomial`.
        generator: the source of chance.
    """
    if len(items) <= CANDIDATES:
        return multinomial(users @ items.T, likes)
    _, rows, columns = likes
    drawn = torch.randint(len(items), (CANDIDATES,), generator=generator, device=items.device)
    others = (users @ items[drawn].T).logsumexp(1) + math.log(len(items) / CANDIDATES)
    own = (users[rows] * items[columns]).sum(1)
    return softplus(others[rows] - own).sum()


def log_loss(
    score: Callable[[Tensor, Tensor], Tensor], train: Interactions, negatives: int, generator: torch.Generator
) -> Callable[[], Loss]:
    """Return what draws the negatives of a pass: its loss is the mean log loss of likes and negatives.

    Args:
        score: users (B,) and items (B, 1 + negatives) to logits of the same shape as the items.
        train: the likes.
        negatives: for each like.
        generator: the source of chance.
    """
    users, likes = pairs_of(train, generator.device)
    sampler = Negatives(users, likes)

    def begin() -> Loss:
        items = torch.cat([likes[:, None], sampler.draw(negatives, generator)], dim=1)

        def loss(batch: Tensor) -> Tensor:
            logits = score(users[batch], items[batch])
            target = torch.zeros_like(logits)
            target[:, 0] = 1.0
            return binary_cross_entropy_with_logits(logits, target)

        return loss

    return begin


def dropout_mask(shape: tuple[int, ...], rate: float, generator: torch.Generator) -> Tensor:
    """Return zeros with probability ``rate``, elsewhere the number that keeps the mean at one."""
    kept = torch.full(shape, 1.0 - rate, device=generator.device)
    return torch.bernoulli(kept, generator=generator).div_(1.0 - rate)
