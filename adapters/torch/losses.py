"""What losses need, in bulk on the device: positives as tensors, negatives, softmax over the catalogue."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from adapters.torch.training import Loss
from benchmark.modelkit.confidence import relative_weights
from benchmark.modelkit.negative_sampling import DISLIKED_SHARE, REDRAWS, KnownDislikes, UniformNegatives
from benchmark.protocol import Interactions

MAX_SOFTMAX_ITEMS = 1 << 15
"""Items that a softmax sums over; of a larger catalogue it draws as many."""


def pair_tensors(train: Interactions, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return users (N,) and items (N,) of all rows, int64, on the device."""
    users, items = (torch.from_numpy(ids.astype(np.int64)) for ids in (train.users, train.items))
    return users.to(device), items.to(device)


class Negatives:
    """Draws items that are not positives of a user, for all rows of a log at once, on the device.

    Of users with known dislikes, the first of the items drawn is one of these in half of the cases.
    """

    def __init__(self, train: Interactions, users: Tensor) -> None:
        """Take the positives of a log, and its users (N,) on the device."""
        sampler = UniformNegatives.from_log(train)
        self._users = users
        self._pool, self._codes = (
            torch.from_numpy(array.astype(np.int64, copy=False)).to(users.device)
            for array in (sampler.pool, sampler.pairs.codes)
        )
        self._disliked: tuple[Tensor, ...] = ()
        if dislikes := KnownDislikes.from_log(train):
            ends, items = (
                torch.from_numpy(part.astype(np.int64)) for part in (dislikes.ends, dislikes.items)
            )
            counts = ends.diff()[users.cpu()]
            self._disliked = tuple(part.to(users.device) for part in (ends[users.cpu()], counts, items))

    def draw(self, k: int, generator: torch.Generator) -> Tensor:
        """Return k items for each row, (N, k), uniform among those with a row; hardly any is a positive."""
        drawn = self._pool[unseen(self._users, self._codes, len(self._pool), k, generator)]
        if self._disliked:
            starts, counts, items = self._disliked
            chance, place = torch.rand((2, len(drawn)), generator=generator, device=drawn.device)
            which = starts + (place * counts).long().clamp(max=(counts - 1).clamp(min=0))
            instead = (counts > 0) & (chance < DISLIKED_SHARE)
            drawn[:, 0] = torch.where(instead, items[which.clamp(max=len(items) - 1)], drawn[:, 0])
        return drawn


def unseen(users: Tensor, codes: Tensor, n_items: int, k: int, generator: torch.Generator) -> Tensor:
    """Return k uniform items for each row's user, (N, k), hardly any of them a positive of that user.

    Args:
        users: (N,) the user of each row.
        codes: (N,) sorted codes ``user * n_items + item`` of all positives.
        n_items: I.
        k: negatives per row.
        generator: the source of randomness, on the device of the tensors.
    """
    device = users.device
    first = users.repeat_interleave(k) * n_items
    drawn = torch.randint(n_items, first.shape, generator=generator, device=device)
    again = torch.arange(len(drawn), device=device)
    for _ in range(REDRAWS):
        wanted = first[again] + drawn[again]
        found = torch.searchsorted(codes, wanted).clamp_(max=len(codes) - 1)
        again = again[codes[found] == wanted]
        drawn[again] = torch.randint(n_items, again.shape, generator=generator, device=device)
    return drawn.view(-1, k)


class Histories:
    """The positives of each user, on the device.

    Attributes:
        active: users with a positive, ascending.
        pool: items with a positive, ascending.
        indices: (N,) the index in ``pool`` of each positive.
    """

    def __init__(self, train: Interactions, device: torch.device) -> None:
        """Take each distinct pair of the log once."""
        matrix = train.matrix()
        self._ends = torch.from_numpy(matrix.indptr.astype(np.int64)).to(device)
        self._items = torch.from_numpy(matrix.indices.astype(np.int64)).to(device)
        self.active = (self._ends.diff() > 0).nonzero()[:, 0]
        self.pool, self.indices = self._items.unique(return_inverse=True)

    def select(self, users: Tensor, column: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the positives of users (B,): counts (B,), then row in the batch (n,) and item (n,) of each.

        ``column`` (N,), such as ``indices``, replaces the items if given.
        """
        starts = self._ends[users]
        counts = self._ends[users + 1] - starts
        rows = torch.arange(len(users), device=users.device).repeat_interleave(counts)
        before = (starts - (counts.cumsum(0) - counts))[rows]
        column = self._items if column is None else column
        return counts, rows, column[before + torch.arange(len(rows), device=users.device)]


class MultinomialLikelihood(torch.autograd.Function):
    """Its gradient is the softmax of each row, times its positives, less a one at each positive."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, counts: Tensor, rows: Tensor, items: Tensor) -> Tensor:
        """Return minus the log likelihood; the gradient is computed here, while the softmax is at hand."""
        total = logits.logsumexp(1, keepdim=True)  # (B, 1)
        gradient = (logits - total).exp_().mul_(counts[:, None])
        gradient.view(-1).index_add_(0, rows * logits.shape[1] + items, logits.new_full((len(rows),), -1.0))
        ctx.save_for_backward(gradient)
        return total[:, 0] @ counts.to(logits.dtype) - logits[rows, items].sum()

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the logits alone."""
        (gradient,) = ctx.saved_tensors
        return gradient * slope[0], None, None, None


def multinomial(logits: Tensor, positives: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return minus the log likelihood of all positives under a softmax of each row, a scalar.

    Liang 2018, equation 2. Each of a user's positives is an independent draw from the softmax.

    Args:
        logits: (B, I).
        positives: counts (B,), rows in the batch (n,) and items (n,), as :class:`Histories` returns them.
    """
    counts, rows, items = positives
    return MultinomialLikelihood.apply(logits.float(), counts, rows, items)


def softmax_of_products(
    users: Tensor, items: Tensor, positives: tuple[Tensor, Tensor, Tensor], generator: torch.Generator
) -> Tensor:
    """Return minus the log likelihood of all positives under a softmax over dot products, a scalar.

    Over a catalogue of more than ``MAX_SOFTMAX_ITEMS`` items, the sum of the softmax is estimated from as
    many drawn uniformly, plus the positive itself (sampled softmax: Jean 2015, arXiv:1412.2007; for
    recommenders Wu 2022, arXiv:2201.02327).

    Args:
        users: (B, D).
        items: (I, D).
        positives: as for :func:`multinomial`.
        generator: the source of randomness.
    """
    if len(items) <= MAX_SOFTMAX_ITEMS:
        return multinomial(users @ items.T, positives)
    _, rows, columns = positives
    drawn = torch.randint(len(items), (MAX_SOFTMAX_ITEMS,), generator=generator, device=items.device)
    others = (users @ items[drawn].T).logsumexp(1) + math.log(len(items) / MAX_SOFTMAX_ITEMS)
    own = (users[rows] * items[columns]).sum(1)
    return softplus(others[rows] - own).sum()


def history_loss(
    vectors: Callable[[], tuple[Tensor, Tensor]],
    histories: Histories,
    generator: torch.Generator,
    temperature: float = 1.0,
    *,
    liked_only: bool = True,
) -> Loss:
    """Return the loss of a batch of active users: the softmax over dot products, a mean over their positives.

    Args:
        vectors: returns those of all users (U, D) and items (I, D).
        histories: the positives.
        generator: the source of randomness.
        temperature: what dot products are divided by.
        liked_only: whether the candidates are the items with a positive alone, or all.
    """

    def loss(batch: Tensor) -> Tensor:
        users, items = vectors()
        chosen = histories.active[batch]
        if liked_only:
            items, positives = items[histories.pool], histories.select(chosen, histories.indices)
        else:
            positives = histories.select(chosen)
        return softmax_of_products(users[chosen] / temperature, items, positives, generator) / len(
            positives[1]
        )

    return loss


def log_loss(
    score: Callable[[Tensor, Tensor], Tensor], train: Interactions, negatives: int, generator: torch.Generator
) -> Callable[[], Loss]:
    """Return a ``start_epoch`` that draws negatives: the mean log loss of positives and negatives.

    Where the log has confidences, each positive's loss is multiplied by its own, relative to their mean.

    Args:
        score: users (B,) and items (B, 1 + negatives) to logits of the same shape as the items.
        train: the positives.
        negatives: for each positive.
        generator: the source of randomness.
    """
    users, positives = pair_tensors(train, generator.device)
    sampler = Negatives(train, users)
    weights = torch.from_numpy(relative_weights(train)).to(generator.device) if len(train.weights) else None

    def start_epoch() -> Loss:
        items = torch.cat([positives[:, None], sampler.draw(negatives, generator)], dim=1)

        def loss(batch: Tensor) -> Tensor:
            logits = score(users[batch], items[batch])
            target = torch.zeros_like(logits)
            target[:, 0] = 1.0
            if weights is None:
                return binary_cross_entropy_with_logits(logits, target)
            of_pairs = torch.ones_like(logits)
            of_pairs[:, 0] = weights[batch]
            return binary_cross_entropy_with_logits(logits, target, of_pairs)

        return loss

    return start_epoch


def dropout_mask(shape: tuple[int, ...], rate: float, generator: torch.Generator) -> Tensor:
    """Return zeros with probability ``rate``, elsewhere the number that keeps the mean at one."""
    kept = torch.full(shape, 1.0 - rate, device=generator.device)
    return torch.bernoulli(kept, generator=generator).div_(1.0 - rate)
