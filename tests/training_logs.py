"""Small logs to train models on, and models trained on them."""

from __future__ import annotations

from itertools import islice

import numpy as np

from benchmark.protocol import FitContext, Interactions


def interactions(
    users, items, values=None, times=(), *, n_users=None, n_items=None, scale=None
) -> Interactions:
    """Return a log of these rows, all of them positives; values default to ones, sizes to what occurs."""
    users, items = np.array(users, dtype=np.int32), np.array(items, dtype=np.int32)
    return Interactions(
        users,
        items,
        np.ones(len(users), np.float32) if values is None else np.array(values, dtype=np.float32),
        np.array(times, dtype=np.int64),
        np.ones(len(users), dtype=np.bool_),
        int(users.max()) + 1 if n_users is None else n_users,
        int(items.max()) + 1 if n_items is None else n_items,
        scale,
    )


def fitted(model, train: Interactions, steps: int | None = None):
    """Return a model after so many steps on one thread of the CPU, or after all that it makes."""
    context = FitContext()
    if hasattr(model, "open_device"):
        model.open_device(context)
    for _ in islice(model.fit_steps(train, context), steps):
        pass
    return model


def all_users(train: Interactions):
    """Return every user of a log."""
    return np.arange(train.n_users, dtype=np.int32)
