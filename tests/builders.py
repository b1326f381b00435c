"""Small logs and parts of logs, written down column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmark.datasets.log import Log
from benchmark.protocol import Interactions
from benchmark.records import Provenance

OWN = Provenance(dataset="mine", origin="mine.csv", licence="your own", synthetic=False, sha256="0" * 64)


def own_log(
    scale: tuple[float, float] | None = None, items: pd.DataFrame | None = None, **columns: Any
) -> Log:
    """Return a log of the user's own with these columns: user, item, perhaps value, time, part."""
    return Log(OWN, pd.DataFrame(columns), items).with_scale(scale)


def interactions(
    users: Any, items: Any, times: Any = (), *, n_users: int = 4, n_items: int = 4
) -> Interactions:
    """Return rows in dense ids, every one positive, with value 1."""
    return Interactions(
        np.array(users, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.ones(len(users), dtype=np.float32),
        np.array(times, dtype=np.int64),
        np.ones(len(users), dtype=np.bool_),
        n_users,
        n_items,
    )
