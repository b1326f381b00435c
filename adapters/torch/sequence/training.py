"""Training on sequences: windows packed by length, the softmax over the catalogue, the loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, elu, embedding, softplus

from adapters.torch.training import Adam, Options
from benchmark.protocol import Interactions

STEP = 1 << 20  # transitions of one step: a pass over a larger log takes several
CHUNK = 1 << 20  # logits that exist at a time on the CPU: 4 MB stay in the cache
CHUNK_CUDA = 1 << 27
ELU = 0.5  # the authors' default

Batch: TypeAlias = tuple[Tensor, ...]


class Sequences:
    """All histories on the device, one behind the other."""

    def __init__(self, train: Interactions, device: torch.device) -> None:
        """Take the rows of each user in the order of time."""
        starts, places = train.histories()
        self.items = torch.from_numpy(train.items[places].astype(np.int64)).to(device)
        """Items (N,), user after user."""
        self.starts = torch.from_numpy(starts).to(device)
        """Where each user's items start (U + 1,)."""

    def windows(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return windows that hold each transition once: first place (W,) and transitions (W,) of each.

        A history with more than ``size`` transitions is cut at places that are drawn anew in each call, so
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
        """Return windows in batches of about equal length: first places (B,) and transitions (B,).

        A batch has the places of ``batch_size`` windows of full length: more windows where they are short.
        """
        first, lengths = self.windows(size, generator)
        order = torch.randperm(len(first), generator=generator, device=first.device)
        order = order[lengths[order].argsort(stable=True, descending=True)]
        first, lengths = first[order], lengths[order]
        longest, batches, begin = lengths.tolist(), [], 0
        while begin < len(longest):
            end = begin + max(1, batch_size * size // longest[begin])
            batches.append((first[begin:end], lengths[begin:end]))
            begin = end
        return shuffled(batches, generator)

    def inputs_and_targets(self, first: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the items (B, T) read in windows, the items (B, T) that follow, and which of them count."""
        steps = torch.arange(int(lengths.max()), device=first.device)
        places = (first[:, None] + steps).clamp_(max=len(self.items) - 2)
        return self.items[places], self.items[places + 1], steps < lengths[:, None]


class Places:
    """All places of all histories that have a place before them in the same one."""

    def __init__(self, train: Interactions, device: torch.device) -> None:
        """Take the rows of each user in the order of time."""
        sequences = Sequences(train, device)
        self._items, lengths = sequences.items, sequences.starts.diff()
        self._users = torch.arange(len(lengths), device=device).repeat_interleave(lengths)
        self._starts, self._ends = sequences.starts[:-1], sequences.starts[1:]
        everywhere = torch.arange(len(self._items), device=device)
        self._places = everywhere[everywhere > self._starts[self._users]]

    def drawn(self, batch_size: int, generator: torch.Generator) -> list[Batch]:
        """Return all places in a drawn order, in batches."""
        order = torch.randperm(len(self._places), generator=generator, device=generator.device)
        return [(part,) for part in self._places[order].split(batch_size) if len(part)]

    def around(self, places: Tensor, before: int, ahead: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the users (B,) of places, the items (B, before + ahead) around, and which of them there are.

        The item at the place itself is the first of those ahead.
        """
        users = self._users[places]
        around = places[:, None] + torch.arange(-before, ahead, device=places.device)
        known = (around >= self._starts[users, None]) & (around < self._ends[users, None])
        return users, self._items[around.clamp_(min=0, max=len(self._items) - 1)], known


def shuffled(batches: list[Batch], generator: torch.Generator) -> list[Batch]:
    """Return the batches in a drawn order."""
    order = torch.randperm(len(batches), generator=generator, device=generator.device)
    return [batches[place] for place in order.tolist()]


def passes(
    parameters: Iterable[Tensor],
    draw: Callable[[], list[Batch]],
    loss: Callable[[Batch], Tensor],
    options: Options,
    generator: torch.Generator,
) -> Iterator[None]:
    """Train for ever; yield after each pass, and within a long one at equal shares of about ``STEP``.

    Args:
        parameters: what Adam changes.
        draw: returns the batches of a pass; ``options.batch_size`` says how many transitions each has.
        loss: of a batch, a scalar.
        options: how to train.
        generator: the source of chance; its device is the device.
    """
    adam = Adam[Batch](parameters, options, generator.device)
    while True:
        batches = draw()
        shares = max(1, round(len(batches) * options.batch_size / STEP))
        stops = {math.ceil(len(batches) * (share + 1) / shares) for share in range(shares)} | {len(batches)}
        for done, batch in enumerate(batches, start=1):
            adam.step(loss, batch)
            if done in stops:
                adam.settle()
                yield
        if not batches:  # nobody has two items: there is nothing to learn
            yield


@dataclass(frozen=True)
class Targets:
    """What should score high: items (P, T), and which of them (P, T) count."""

    items: Tensor
    counts: Tensor


class _FullSoftmax(torch.autograd.Function):
    """Minus the log likelihood, its gradient made in the same walk over chunks of rows."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, items: Tensor, weights: Tensor) -> Tensor:
        rows = max(1, (CHUNK if table.device.type == "cpu" else CHUNK_CUDA) // len(table))
        of_hidden, of_table = torch.empty_like(hidden), torch.zeros_like(table)
        total = hidden.new_zeros(())
        parts = (tensor.split(rows) for tensor in (hidden, items, weights, of_hidden))
        for part, chosen, weight, slope in zip(*parts, strict=True):
            softmax = torch.softmax((part @ table.T).float(), dim=1)
            own = softmax.gather(1, chosen).clamp_(min=torch.finfo(torch.float32).tiny)
            total -= (own.log() * weight).sum()
            softmax.mul_(weight.sum(1, keepdim=True)).scatter_add_(1, chosen, -weight)
            slope.copy_(softmax @ table)
            of_table += softmax.T @ part
        ctx.save_for_backward(of_hidden, of_table)
        return total

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor | None, ...]:
        of_hidden, of_table = ctx.saved_tensors
        return of_hidden * slope[0], of_table * slope[0], None, None


def softmax_loss(
    hidden: Tensor, table: Tensor, targets: Targets, negatives: int, generator: torch.Generator
) -> Tensor:
    """Return the mean of minus the log likelihood of the targets under a softmax over dot products, a scalar.

    With ``negatives`` the sum of the softmax is estimated from as many items, drawn uniformly and shared by
    all rows, the target itself counted besides (sampled softmax: Jean 2015, arXiv:1412.2007).

    Args:
        hidden: (P, D).
        table: (I, D).
        targets: of each row; at least one counts.
        negatives: 0, or as many as there are items: all of them, without sampling.
        generator: the source of chance.
    """
    weights = targets.counts / targets.counts.sum()
    if negatives == 0 or negatives >= len(table):
        return _FullSoftmax.apply(hidden, table, targets.items, weights)
    drawn = torch.randint(len(table), (negatives,), generator=generator, device=table.device)
    others = (hidden @ embedding(drawn, table).T).float().logsumexp(1) + math.log(len(table) / negatives)
    own = (hidden[:, None] * embedding(targets.items, table)).sum(-1)  # (P, T)
    return (softplus(others[:, None] - own) * weights).sum()


def with_bias(hidden: Tensor, table: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return (P, D + 1) and (I, D + 1) whose products are those of ``hidden`` and ``table`` plus the bias."""
    return torch.cat([hidden, torch.ones_like(hidden[:, :1])], 1), torch.cat([table, bias[:, None]], 1)


class Candidates:
    """What a target is ranked among in GRU4Rec: targets of the mini-batch and items drawn by popularity."""

    def __init__(self, train: Interactions, alpha: float, logq: float, generator: torch.Generator) -> None:
        """Take the popularity of items, its power, and the weight of the correction by it."""
        self._generator, device = generator, generator.device
        counts = torch.from_numpy(np.bincount(train.items, minlength=train.n_items)).to(device, torch.float64)
        chances = torch.where(counts > 0, counts**alpha, 0.0)  # what was never seen is never drawn
        self._sums = (chances.cumsum(0) / chances.sum()).float()
        self._last = int(counts.nonzero().max())
        log_count = counts.clamp(min=1).log()
        self._of_targets, self._of_drawn = (logq * log_count).float(), (logq * alpha * log_count).float()

    def of(self, targets: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """Return candidates (T, B + n) of each time step, its targets (T, B) first, and what each pays."""
        points = torch.rand((len(targets), n), generator=self._generator, device=targets.device)
        drawn = torch.searchsorted(self._sums, points, right=True).clamp_(max=self._last)
        return torch.cat([targets, drawn], 1), torch.cat(
            [self._of_targets[targets], self._of_drawn[drawn]], 1
        )


def top_gains(scores: Tensor, counts: Tensor, loss: str, l2: float) -> Tensor:
    """Return GRU4Rec's loss, the mean over the targets that count, a scalar.

    Args:
        scores: (T, B, C) of C candidates; the target of sequence b is candidate b.
        counts: (T, B) which sequences still run.
        loss: "cross-entropy" or "bpr-max" (Hidasi 2018, arXiv:1706.03847).
        l2: weight of the squared scores in "bpr-max".
    """
    n = scores.shape[1]
    over = torch.zeros_like(
        scores[:, :1], dtype=torch.bool
    )  # (T, 1, C): sequences that ended are no negatives
    over[:, 0, :n] = ~counts
    if loss == "cross-entropy":
        masked = scores.masked_fill(over, -math.inf)[counts]  # (P, C)
        own = torch.arange(n, device=scores.device).expand_as(counts)[counts]
        return cross_entropy(masked, own)
    scores = elu(scores, ELU)
    own = scores[:, :, :n].diagonal(dim1=1, dim2=2)[..., None]  # (T, B, 1)
    negatives = scores.masked_fill(
        over | torch.eye(n, scores.shape[2], dtype=torch.bool, device=over.device), -math.inf
    )
    weights = negatives[counts].softmax(1)
    pairs = (weights * (own - scores)[counts].sigmoid()).sum(1)
    penalty = (weights * scores[counts].square()).sum(1)
    return (l2 * penalty - (pairs + 1e-24).log()).mean()


class Dropout:
    """Zeros at random, a share of them in steps of 1/256: eight bits a number keep chance cheap."""

    def __init__(self, rate: float, generator: torch.Generator) -> None:
        """Take the share of zeros and the source of chance."""
        self._zeros, self._generator = round(256 * min(rate, 255 / 256)), generator

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x`` with zeros, the rest scaled so that the mean stays."""
        if not self._zeros:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None, generator=self._generator)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self._zeros
        return x * kept * (256 / (256 - self._zeros))
