"""Large logs that are quick to make: skewed popularity and activity, and nothing to learn beyond that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.datasets.log import Log, hash_arrays
from benchmark.datasets.sorting import by_user
from benchmark.datasets.sources.synthetic import DAY_S, FIRST_DAY, GENERATED
from benchmark.errors import DataError
from benchmark.protocol import Array, Longs
from benchmark.records import Provenance

SPARE = 1.3  # draws for each row still missing, since some repeat a pair
DAYS = 8_000
STAY_S = 7 * DAY_S


@dataclass(frozen=True)
class Shape:
    """Users, items and rows of a log; MovieLens-25M's by default."""

    users: int = 162_541
    items: int = 59_047
    interactions: int = 25_000_000


def large(shape: Shape, seed: int = 0, *, name: str = "large") -> Log:
    """Return a generated log of distinct pairs, ordered by user and time like the publisher's large ones.

    Items follow Zipf-Mandelbrot's law, probability proportional to (rank + I / 100) ^ -1.6, users a
    log-normal one; ratings 0.5 to 5 and times are drawn. Every user and item has a row. Takes about a
    minute and 3 GB for 25 M rows.

    >>> log = large(Shape(users=50, items=40, interactions=300))
    >>> log.frame.shape, log.frame["user"].nunique(), log.frame.duplicated(["user", "item"]).any().item()
    ((300, 4), 50, False)

    Raises:
        DataError: fewer rows than users or items, or more than half of all pairs.
    """
    least, most = max(shape.users, shape.items), shape.users * shape.items // 2
    if not least <= shape.interactions <= most:
        raise DataError(
            f"{name}: {shape.interactions} rows for {shape.users} users and {shape.items} items; "
            f"there must be {least} to {most}"
        )
    rng = np.random.default_rng(seed)
    users, items = np.divmod(distinct_pairs(shape, rng), shape.items)
    joined = rng.integers(0, DAYS * DAY_S, shape.users)
    times = FIRST_DAY + joined[users] + rng.integers(0, STAY_S, len(users))
    _, order = by_user(users, shape.users, times)
    columns: dict[str, Array] = {
        "user": users + 1,
        "item": items[order] + 1,
        "value": rng.integers(1, 11, len(users)) / 2,
        "time": times[order].astype(np.float64),
    }
    provenance = Provenance(
        dataset=name,
        origin=GENERATED,
        licence=GENERATED,
        synthetic=True,
        sha256=hash_arrays(columns.items()),
        scale=(0.5, 5.0),
    )
    return Log(provenance, pd.DataFrame(columns))


def distinct_pairs(shape: Shape, rng: np.random.Generator) -> Longs:
    """Return user x I + item of N distinct pairs, ascending: one for each user and item, the rest drawn."""
    popularity = (rng.permutation(shape.items).astype(np.float64) + shape.items / 100) ** -1.6
    activity = rng.lognormal(sigma=1.0, size=shape.users)
    each = np.arange(max(shape.users, shape.items))
    certain = each % shape.users * shape.items + each % shape.items
    pairs = certain
    while (missing := shape.interactions - len(pairs)) > 0:
        n = int(missing * SPARE) + 1
        more = draw(activity, n, rng) * shape.items + draw(popularity, n, rng)
        pairs = np.unique(np.concatenate([pairs, more]))
    fixed = np.zeros(len(pairs), dtype=np.bool_)
    fixed[np.searchsorted(pairs, certain)] = True
    loose = np.flatnonzero(~fixed)
    return np.delete(pairs, rng.choice(loose, len(pairs) - shape.interactions, replace=False))


def draw(weights: Array, n: int, rng: np.random.Generator) -> Longs:
    """Return n indices drawn with these weights, in random order."""
    counts = rng.multinomial(n, weights / weights.sum())
    return rng.permutation(np.repeat(np.arange(len(weights)), counts))
