"""What every split rule is made of: labels of rows, and cutting each user's rows at a position."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.sorting import by_user
from benchmark.errors import SplitError
from benchmark.protocol import Interactions, Longs

Labels: TypeAlias = NDArray[np.int8]
"""One of the four numbers below for each row, (N,)."""

TRAIN, VALID, TEST, LEFT_OUT = 0, 1, 2, -1


def share_of(n: Longs, share: float) -> Longs:
    """Return max(1, floor(n x share)) of each count, safe from 0.1 x 30 = 2.9999.

    >>> share_of(np.array([3, 19, 30]), 0.1).tolist()
    [1, 1, 3]
    """
    return np.maximum(1, (n * share + 1e-9).astype(np.int64))


def canonical_order(log: Interactions) -> tuple[Longs, Longs]:
    """Return each user's starts and rows by time, then item: independent of the order of the log."""
    keys = (log.items, log.times) if len(log.times) else (log.items,)
    return by_user(log.users, log.n_users, *keys)


def cut_users(starts: Longs, rows: Longs, test: Longs, valid: Longs) -> tuple[Labels, NDArray[np.bool_]]:
    """Return labels (N,) and which users are cut (U,): the first ``test`` of each user's rows are test.

    The next ``valid`` are validation. A user whom this would leave without a training row is not cut and
    stays wholly in train.
    """
    counts = np.diff(starts)
    cut = test + valid < counts
    position = np.arange(len(rows)) - np.repeat(starts[:-1], counts)
    ends_test = np.repeat(np.where(cut, test, 0), counts)
    ends_valid = np.repeat(np.where(cut, test + valid, 0), counts)
    labels = np.zeros(len(rows), dtype=np.int8)
    labels[rows[position < ends_valid]] = VALID
    labels[rows[position < ends_test]] = TEST
    return labels, cut


def need_times(prepared: Prepared, rule: str) -> None:
    """Check that a log has times.

    Raises:
        SplitError: it has none.
    """
    if not len(prepared.interactions.times):
        instead = "" if prepared.pairs == "repeat" else ", or split by: random"
        raise SplitError(
            f"{prepared.name}: a {rule} split needs times, and the log has none; "
            f"name the column with the key time{instead}"
        )
