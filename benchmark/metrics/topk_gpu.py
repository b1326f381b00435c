"""Ranking where the scores lie: a tensor on a device stays there, and only the lists' columns are moved.

The tensor's own methods do it, so no framework is imported. A device breaks ties as it likes: lists whose
end cuts through equal scores are ranked again on the host, so the lists are the host's bit for bit.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.topk import Entries, keys
from benchmark.metrics.topk import ranked as ranked_on_host
from benchmark.protocol import Array, Ids


class Tensor(Protocol):
    """What is used of a tensor; PyTorch's has it."""

    @property
    def shape(self) -> Any:
        """(B, I)."""
        ...

    @property
    def device(self) -> Any:
        """Where it lies."""
        ...

    def detach(self) -> Any:
        """Return it without its history."""
        ...

    def topk(self, k: int) -> Any:
        """Return the values and indices of the k largest of each row."""
        ...


def is_remote(scores: object) -> TypeGuard[Tensor]:
    """Return whether scores lie where numpy cannot read them."""
    place = getattr(getattr(scores, "device", None), "type", "cpu")
    return hasattr(scores, "topk") and place != "cpu"


def fetched(scores: Any) -> Array:
    """Return scores as an array on the host; a tensor there keeps its memory."""
    return np.asarray(scores.detach().cpu() if hasattr(scores, "detach") else scores)


def ranked(
    scores: Any, k: int, users: Ids, seed: int, seen: Entries, barred: NDArray[np.bool_] | None
) -> tuple[Ids, NDArray[np.bool_]]:
    """Return what :func:`benchmark.metrics.topk.ranked` returns of the same scores on the host.

    Args:
        scores: (B, I) tensor on any device; only read.
        k: length of the lists, at most I.
        users: (B,) user of each row.
        seed: of the order among equals.
        seen: items of each row that are no candidates.
        barred: (I,) items that are no candidates for anybody.
    """
    scores = scores.detach().float()
    broken = ~fetched(scores.isfinite().all(dim=1))
    if k == 0:
        return np.empty((len(users), 0), dtype=np.int32), broken
    n_items = scores.shape[1]
    masked = _masked(scores, seen, barred)
    values, items = masked.topk(min(k + 1, n_items))
    torn = _torn(values, min(k, n_items))
    values, items = fetched(values[:, :k]), fetched(items[:, :k].int())
    order = np.lexsort((keys(users, items, seed), -values), axis=-1)
    best = np.take_along_axis(items, order, axis=1)
    lists = np.full((len(users), k), -1, dtype=np.int32)
    lists[:, : best.shape[1]] = np.where(np.take_along_axis(values, order, axis=1) > -np.inf, best, -1)
    if len(torn):
        rows = fetched(masked[masked.topk(1).indices.new_tensor(torn)])
        lists[torn] = ranked_on_host(rows, k, users[torn], seed)[0]
    return lists, broken


def _masked(scores: Any, seen: Entries, barred: NDArray[np.bool_] | None) -> Any:
    """Return a copy on the device with -inf at what is no candidate."""
    whole = scores[:, :1].topk(1).indices  # a tensor of whole numbers there, to make others like it
    starts, items = seen
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    nothing = scores.new_tensor(-np.inf)
    masked = scores.index_put((whole.new_tensor(rows), whole.new_tensor(items)), nothing)
    if barred is not None:
        masked[:, whole.new_tensor(np.flatnonzero(barred))] = nothing
    return masked


def _torn(values: Any, k: int) -> NDArray[np.int64]:
    """Return the rows in which the first score outside the list equals the last one in it."""
    if values.shape[1] <= k:
        return np.empty(0, dtype=np.int64)
    last = values[:, k - 1]
    return np.flatnonzero(fetched((last == values[:, k]) & (last > -np.inf)))
