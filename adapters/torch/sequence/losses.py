"""Losses of the next item: the softmax over the catalogue, in full or sampled, and GRU4Rec's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, elu, embedding, softplus

from adapters.torch.layers import LARGE_TABLE
from benchmark.protocol import Interactions

CHUNK = 1 << 20  # logits that exist at a time on the CPU: 4 MB stay in the cache
CHUNK_CUDA = 1 << 27
ELU = 0.5  # the authors' default
PROPOSAL_POWER = 0.75
"""Of popularity, as in word2vec (Mikolov 2013, arXiv:1310.4546)."""


@dataclass(frozen=True)
class Targets:
    """What should score high: items (P, T), and which of them (P, T) count."""

    items: Tensor
    counts: Tensor


class FullSoftmax(torch.autograd.Function):
    """Minus the log likelihood, its gradient computed in the same walk over chunks of rows."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, items: Tensor, weights: Tensor) -> Tensor:
        """Return minus the weighted log likelihood; one chunk of logits exists at a time."""
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
        """Return the gradients of the states and the table."""
        of_hidden, of_table = ctx.saved_tensors
        return of_hidden * slope[0], of_table * slope[0], None, None


class Proposal:
    """What a sampled softmax draws its items from.

    Uniform, or in proportion to a power of popularity where the catalogue is large: of 59,000 items,
    512 uniform ones hold hardly any that scores high, so the sum over all is estimated with a variance in
    which the gradient is lost, while those drawn by popularity do (Bengio & Senecal 2008, IEEE TNN 19(4)).
    """

    def __init__(self, train: Interactions, generator: torch.Generator) -> None:
        """Take the popularity of items."""
        self._generator, self._n_items = generator, train.n_items
        self._sums: Tensor | None = None
        if train.n_items > LARGE_TABLE:
            counts = np.bincount(train.items, minlength=train.n_items)
            chances = torch.from_numpy((counts + 1.0) ** PROPOSAL_POWER)  # + 1: every item can be drawn
            chances = (chances / chances.mean()).to(generator.device)  # 1 is the chance of a uniform draw
            self._sums, self._logs = (chances.cumsum(0) / len(chances)).float(), chances.log().float()

    def draw(self, n: int) -> tuple[Tensor, Tensor | None]:
        """Return n items (n,), and the logarithm of how many times as likely as by a uniform draw each is.

        The logarithms are (n,), or None where all are 0.
        """
        device = self._generator.device
        if self._sums is None:
            return torch.randint(self._n_items, (n,), generator=self._generator, device=device), None
        points = torch.rand(n, generator=self._generator, device=device)
        drawn = torch.searchsorted(self._sums, points, right=True).clamp_(max=self._n_items - 1)
        return drawn, self._logs[drawn]


def softmax_loss(
    hidden: Tensor,
    table: Tensor,
    targets: Targets,
    negatives: int,
    proposal: Proposal,
    *,
    sparse: bool = False,
) -> Tensor:
    """Return the mean of minus the log likelihood of the targets under a softmax over dot products, a scalar.

    With ``negatives`` the sum of the softmax is estimated from as many items, drawn from the proposal and
    shared by all rows, plus the target itself (sampled softmax: Jean 2015, arXiv:1412.2007).

    Args:
        hidden: (P, D).
        table: (I, D).
        targets: of each row; at least one counts.
        negatives: 0, or as many as there are items: all of them, without sampling.
        proposal: what items are drawn from.
        sparse: whether the gradient of a sampled table, a leaf, holds the rows alone that were looked up.
    """
    weights = targets.counts / targets.counts.sum()
    if negatives == 0 or negatives >= len(table):
        return FullSoftmax.apply(hidden, table, targets.items, weights)
    drawn, likelier = proposal.draw(negatives)
    others = (hidden @ embedding(drawn, table, sparse=sparse).T).float()
    if likelier is not None:
        others = others - likelier
    others = others.logsumexp(1) + math.log(len(table) / negatives)
    own = (hidden[:, None] * embedding(targets.items, table, sparse=sparse)).sum(-1)  # (P, T)
    return (softplus(others[:, None] - own) * weights).sum()


class PopularityNegatives:
    """What a target is ranked among in GRU4Rec: targets of the mini-batch and items drawn by popularity."""

    def __init__(self, train: Interactions, alpha: float, logq: float, generator: torch.Generator) -> None:
        """Take the popularity of items, its power, and the weight of the correction by it."""
        self._generator, device = generator, generator.device
        counts = torch.from_numpy(np.bincount(train.items, minlength=train.n_items)).to(device, torch.float64)
        chances = torch.where(counts > 0, counts**alpha, 0.0)  # items without a row are never drawn
        self._sums = (chances.cumsum(0) / chances.sum()).float()
        self._last = int(counts.nonzero().max())
        log_count = counts.clamp(min=1).log()
        self._of_targets, self._of_drawn = (logq * log_count).float(), (logq * alpha * log_count).float()

    def sample(self, targets: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """Return items (T, B + n) of each time step, its targets (T, B) first, and the penalty of each."""
        points = torch.rand((len(targets), n), generator=self._generator, device=targets.device)
        drawn = torch.searchsorted(self._sums, points, right=True).clamp_(max=self._last)
        return torch.cat([targets, drawn], 1), torch.cat(
            [self._of_targets[targets], self._of_drawn[drawn]], 1
        )


def top_gains(scores: Tensor, counts: Tensor, loss: str, l2: float) -> Tensor:
    """Return GRU4Rec's loss, the mean over the targets that count, a scalar.

    Args:
        scores: (T, B, C) of C items; the target of sequence b is item b.
        counts: (T, B) which sequences have not ended.
        loss: "cross-entropy" or "bpr-max" (Hidasi 2018, arXiv:1706.03847).
        l2: weight of the squared scores in "bpr-max".
    """
    n = scores.shape[1]
    ended = torch.zeros_like(scores[:, :1], dtype=torch.bool)  # (T, 1, C): these are no negatives
    ended[:, 0, :n] = ~counts
    if loss == "cross-entropy":
        masked = scores.masked_fill(ended, -math.inf)[counts]  # (P, C)
        own = torch.arange(n, device=scores.device).expand_as(counts)[counts]
        return cross_entropy(masked, own)
    scores = elu(scores, ELU)
    own = scores[:, :, :n].diagonal(dim1=1, dim2=2)[..., None]  # (T, B, 1)
    negatives = scores.masked_fill(
        ended | torch.eye(n, scores.shape[2], dtype=torch.bool, device=ended.device), -math.inf
    )
    weights = negatives[counts].softmax(1)
    pairs = (weights * (own - scores)[counts].sigmoid()).sum(1)
    penalty = (weights * scores[counts].square()).sum(1)
    return (l2 * penalty - (pairs + 1e-24).log()).mean()
