"""Ranking where the scores lie: a tensor on a device stays there, and only what the lists need is moved.

The tensor's own methods do the work, so no framework is imported. A device breaks ties as it likes: lists
whose end cuts through equal scores are ranked again on the host, so they equal the host's bit for bit.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import topk
from benchmark.metrics.topk import Entries
from benchmark.protocol import Ids
from benchmark.score_check import fetched


class Tensor(Protocol):
    """What is used of a tensor; PyTorch's has it."""

    @property
    def shape(self) -> Any:
        """(B, I)."""
        ...

    def is_floating_point(self) -> bool:
        """Return whether its numbers are floating point."""
        ...

    def detach(self) -> Any:
        """Return it without its history."""
        ...


def is_sound(scores: Tensor, shape: tuple[int, int]) -> bool:
    """Return whether scores are finite float32 numbers of this shape, one flag being all that is moved."""
    if tuple(scores.shape) != shape or not scores.is_floating_point():
        return False
    return bool(fetched(scores.detach().float().isfinite().all()))


def top_k(
    scores: Tensor, k: int, users: Ids, seed: int, seen: Entries, excluded: NDArray[np.bool_] | None
) -> Ids:
    """Return what :func:`benchmark.metrics.topk.top_k` returns for the same scores on the host, (B, k).

    Args:
        scores: (B, I) finite, a tensor on any device; only read.
        k: length of the lists, at most I.
        users: (B,) user of each row.
        seed: of the order among equal scores.
        seen: items of each row that are no candidates.
        excluded: (I,) items that are nobody's candidates; None where there are none.
    """
    lists = np.full((len(users), k), -1, dtype=np.int32)
    if k == 0:
        return lists
    # A copy on the device, with -inf at what is no candidate.
    table = scores.detach().float()
    whole = table[:, :1].topk(1).indices  # a tensor of whole numbers there, to make others like it
    starts, items = seen
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    lowest = table.new_tensor(-np.inf)
    table = table.index_put((whole.new_tensor(rows), whole.new_tensor(items)), lowest)
    if excluded is not None:
        table[:, whole.new_tensor(np.flatnonzero(excluded))] = lowest
    # One more than asked for, which shows where the list cuts through equal scores.
    values, best = table.topk(min(k + 1, table.shape[1]))
    torn = np.empty(0, dtype=np.int64)
    if values.shape[1] > k:
        last = values[:, k - 1]
        torn = np.flatnonzero(fetched((last == values[:, k]) & (last > -np.inf)))
    # Equal scores within a list are put in the host's order.
    values, best = fetched(values[:, :k]), fetched(best[:, :k].int())
    order = np.lexsort((topk.tie_keys(users, best, seed), -values), axis=-1)
    best, values = (np.take_along_axis(part, order, axis=1) for part in (best, values))
    lists[:, : best.shape[1]] = np.where(values > -np.inf, best, -1)
    if len(torn):
        rows_again = fetched(table[whole.new_tensor(torn)])
        lists[torn] = topk.top_k(rows_again, k, users[torn], seed)
    return lists
