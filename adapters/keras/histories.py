"""Histories as rows of equal length, for recurrent networks. Letters: U users, W pieces, L items of each."""

from __future__ import annotations

import numpy as np

from benchmark.protocol import Ids, Interactions


def next_items(train: Interactions, length: int) -> tuple[Ids, Ids]:
    """Return pieces of histories (W, L), and what came after each item (W, L), -1 for nothing.

    A history longer than ``length`` is cut into pieces; what ends a piece begins the next.
    """
    starts, rows = train.histories()
    items = train.items[rows]
    moves = np.maximum(np.diff(starts) - 1, 0)  # from one item to the next, of each user
    pieces = -(-moves // length)
    users = np.repeat(np.arange(train.n_users), moves)
    step = np.arange(len(users)) - (moves.cumsum() - moves)[users]
    row, column = (pieces.cumsum() - pieces)[users] + step // length, step % length
    before = np.zeros((pieces.sum(), length), dtype=np.int32)
    after = np.full_like(before, -1)
    before[row, column], after[row, column] = items[starts[users] + step], items[starts[users] + step + 1]
    return before, after


def latest_items(train: Interactions, length: int) -> tuple[Ids, Ids]:
    """Return each user's last items (U, L), the earliest of them first, and how many they are (U,)."""
    starts, rows = train.histories()
    lengths = np.minimum(np.diff(starts), length).astype(np.int32)
    users = np.repeat(np.arange(train.n_users), lengths)
    column = np.arange(len(users)) - (lengths.cumsum() - lengths)[users]
    latest = np.zeros((train.n_users, length), dtype=np.int32)
    latest[users, column] = train.items[rows[(starts[1:] - lengths)[users] + column]]
    return latest, lengths
