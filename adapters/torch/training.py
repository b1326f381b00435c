"""Training in bulk on the device: all negatives of an epoch are drawn in a few calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch._dynamo  # the first optimiser would import it, on the clock
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from adapters.torch.networks import NeuMF
from benchmark.protocol import Interactions

REDRAWS = 3  # a like that is drawn as a negative is drawn again, this often


@dataclass(frozen=True)
class Options:
    """How to train; the fields are hyperparameters of the adapter."""

    lr: float
    l2: float
    dropout: float
    batch_size: int
    negatives: int


def epochs(
    network: NeuMF, train: Interactions, options: Options, generator: torch.Generator
) -> Iterator[None]:
    """Train one epoch before each yield, for ever: log loss on likes and sampled negatives (section 3.1)."""
    device = generator.device
    users = torch.from_numpy(train.users.astype("int64")).to(device)
    likes = torch.from_numpy(train.items.astype("int64")).to(device)
    known = (users * train.n_items + likes).sort().values
    optimizer = torch.optim.Adam(network.parameters(), lr=options.lr, weight_decay=options.l2, fused=True)
    target = torch.zeros(options.batch_size, 1 + options.negatives, device=device)
    target[:, 0] = 1.0
    width = network.users.embedding_dim
    kept = torch.full((options.batch_size, width), 1.0 - options.dropout, device=device)
    while True:
        drawn = unseen(users, known, train.n_items, options.negatives, generator)
        items = torch.cat([likes[:, None], drawn], dim=1)
        for batch in torch.randperm(len(users), generator=generator, device=device).split(options.batch_size):
            keep = torch.bernoulli(kept[: len(batch)], generator=generator) / kept[: len(batch)]
            logits = network(users[batch], items[batch], keep)
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(logits, target[: len(batch)]).backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()  # a yield means that the device is idle
        yield


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
