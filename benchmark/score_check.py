"""The one door by which a model's scores enter the engine: fetched to the host and checked, once."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.errors import AdapterError, MetricError
from benchmark.protocol import Array, Floats32, Ids, Scores


def is_remote(raw: object) -> bool:
    """Return whether scores lie on a device, where numpy cannot read them."""
    device = getattr(getattr(raw, "device", None), "type", "cpu")
    return hasattr(raw, "topk") and device != "cpu"


def fetched(raw: Any) -> Array:
    """Return an array on the host; a tensor that lies there already shares its memory."""
    return np.asarray(raw.detach().cpu() if hasattr(raw, "detach") else raw)


def checked_scores(raw: Any, users: Ids, n_items: int, who: str, call: str = "score()") -> Scores:
    """Return finite float32 scores (B, I) from what an adapter returned: the same memory where they are that.

    Args:
        raw: an array, or a tensor on any device. Only read.
        users: (B,) user of each row.
        n_items: I.
        who: the model, named at the start of a message.
        call: what the adapter was asked.

    Raises:
        AdapterError: the shape is not (B, I), or the numbers are not floating point.
        MetricError: a value is nan or infinite as float32: the training has diverged.

    >>> checked_scores([[0.5, 2.0]], np.array([7], dtype=np.int32), 2, "native/ease").tolist()
    [[0.5, 2.0]]
    """
    scores = fetched(raw)
    expected = (len(users), n_items)
    if scores.shape != expected:
        rule = "one column per item" if scores.shape[:1] == expected[:1] else "one row per user"
        raise AdapterError(f"{who}: {call} returned shape {scores.shape}, expected {expected}: {rule}.")
    if scores.dtype.kind != "f":
        raise AdapterError(f"{who}: {call} returned {scores.dtype}, expected float32.")
    with np.errstate(over="ignore", invalid="ignore"):
        scores = scores.astype(np.float32, copy=False)
        # A sum is the quickest look at all values; only if it overflows is each looked at.
        finite = np.isfinite(scores.sum()) or np.isfinite(scores).all()
    if not finite:
        bad = ~np.isfinite(scores)
        raise MetricError(
            f"{who}: {call} returned {np.count_nonzero(bad)} values that are not finite as float32,"
            f" the first for user {users[bad.any(axis=1).argmax()]}; all must be finite."
        )
    return scores


def checked_ratings(raw: Any, users: Ids, who: str) -> Floats32:
    """Return finite float32 ratings (N,) of pairs.

    Args:
        raw: an array, or a tensor on any device. Only read.
        users: (N,) user of each pair.
        who: the model, named at the start of a message.

    Raises:
        AdapterError: the shape is not (N,), or the numbers are not floating point.
        MetricError: a rating is nan or infinite as float32: the training has diverged.

    >>> checked_ratings([3.5], np.array([7], dtype=np.int32), "surprise/svd").tolist()
    [3.5]
    """
    found = fetched(raw)
    if found.shape != users.shape:
        raise AdapterError(
            f"{who}: rate() returned shape {found.shape}, expected {users.shape}: one rating per pair."
        )
    return checked_scores(found[:, None], users, 1, who, "rate()")[:, 0]
