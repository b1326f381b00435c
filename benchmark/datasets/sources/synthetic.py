"""Generated logs with planted structure: what a model can find is known, so tests need no download."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Log, hash_arrays
from benchmark.datasets.sources.baskets import purchases
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.specs import MIN_ROWS_PER_USER, SyntheticSpec
from benchmark.protocol import Array, Longs, Values
from benchmark.records import Provenance

GENRES = ("Comedy", "Drama", "Thriller", "Romance", "Western", "Musical", "Mystery", "Fantasy")
RATING_SHARES = (0.06, 0.11, 0.27, 0.34)  # of 1, 2, 3, 4 in MovieLens-100K; the rest are 5
FIRST_DAY, DAY_S, DAYS = 1_577_836_800, 86_400, 365  # 2020-01-01, UTC
BLOCK = 4_000_000  # scores held at a time, so that memory does not grow with U x I
GENERATED = "generated"
STAND_IN = " (synthetic stand-in)"
"""What the name of a stand-in ends with."""

STAND_IN_SEED = 20_200_101
STAND_IN_ROWS = 1_000_000
"""Most rows of a stand-in; that of a larger log has users and items in proportion."""


def synthetic_log(spec: SyntheticSpec | None = None, /, *, name: str = "synthetic", **fields: Any) -> Log:
    """Return a generated log of ``spec.interactions`` distinct pairs, in order of time.

    A user's taste and an item's character are points on ``dim`` axes. A user draws items without
    replacement with probability proportional to popularity x exp(signal x affinity), by the Gumbel
    top-k trick (Kool et al. 2019, arXiv:1903.06059). Ratings 1 to 5 follow the affinity with noise.
    Every user has at least five rows, every item at least one. With ``spec.repeats`` users come back to
    their items in baskets, see :func:`benchmark.datasets.sources.baskets.purchases`, and rate nothing.

    Args:
        spec: the shape; may be given as keywords instead.
        name: name of the log.
        **fields: fields of :class:`SyntheticSpec`.

    >>> log = synthetic_log(users=20, items=30, interactions=200, seed=1)
    >>> log.frame.shape, log.frame.duplicated(["user", "item"]).any().item(), log.items["title"].iloc[16]
    ((200, 4), False, 'Planted item 17')
    """
    spec = spec or SyntheticSpec(**fields)
    rng = np.random.default_rng(spec.seed)
    tastes = Tastes.draw(spec, rng)
    users, items = tastes.draw_pairs(spec, rng)
    values = None
    if spec.repeats:
        bought = purchases(users, items, spec, rng)
        users, items, seconds = bought.users, bought.items, bought.when * DAYS * DAY_S
    else:
        values = tastes.draw_ratings(users, items, rng)
        # Each user joins on some day and stays for some weeks.
        joined = rng.uniform(0, DAYS * DAY_S, size=spec.users)
        stays = rng.exponential(30 * DAY_S, size=spec.users)
        seconds = joined[users] + rng.uniform(size=len(users)) * stays[users]
    times = FIRST_DAY + seconds.astype(np.int64)
    order = np.lexsort((items, users, times))
    columns: dict[str, Array] = {"user": users[order] + 1, "item": items[order] + 1}
    columns |= {} if values is None else {"value": values[order]}
    columns |= {"time": times[order]}
    return Log(
        provenance=Provenance(
            dataset=name,
            origin=GENERATED,
            licence=GENERATED,
            synthetic=True,
            sha256=hash_arrays(columns.items()),
            scale=None if values is None else (1.0, 5.0),
        ),
        frame=pd.DataFrame(columns),
        items=tastes.item_table(),
    )


def stand_in_log(known: KnownDataset) -> Log:
    """Return a generated log of the shape of a known data set, labelled in its name and provenance."""
    log = synthetic_log(stand_in_shape(known), name=f"{known.name}{STAND_IN}")
    return replace(log, provenance=replace(log.provenance, stand_in_for=known.name))


def stand_in_shape(known: KnownDataset) -> SyntheticSpec:
    """Return the shape of a stand-in: users, items and rows of the real log, or fewer in proportion.

    A generated log has at least five rows a user and at most half of all pairs: where the real one has fewer,
    the stand-in has fewer users; where it has more, more items in proportion, or else fewer rows.
    """
    shrink = max(1.0, known.rows / STAND_IN_ROWS)
    users, items, rows = (int(size / shrink) for size in (known.users, known.items, known.rows))
    users = min(users, rows // MIN_ROWS_PER_USER)
    items = min(known.items, max(items, -(-2 * rows // users)))
    rows = min(rows, users * items // 2)
    return SyntheticSpec(users=users, items=items, interactions=rows, seed=STAND_IN_SEED)


@dataclass(frozen=True)
class Tastes:
    """What is planted: users (U, dim), items (I, dim), log popularity (I,)."""

    users: Values
    items: Values
    popularity: Values

    @classmethod
    def draw(cls, spec: SyntheticSpec, rng: np.random.Generator) -> Tastes:
        """Return normal tastes, characters on the unit sphere, and Zipf's law for popularity."""
        users = rng.normal(size=(spec.users, spec.dim))
        items = rng.normal(size=(spec.items, spec.dim))
        items /= np.linalg.norm(items, axis=1, keepdims=True)
        rank = rng.permutation(spec.items) + 1
        return cls(users, items, -spec.skew * np.log(rank))

    def draw_pairs(self, spec: SyntheticSpec, rng: np.random.Generator) -> tuple[Longs, Longs]:
        """Return users and items of all pairs, (D,) each, users ascending."""
        counts = pairs_per_user(spec, rng)
        # A random row slot per item keeps every item in the log and gives no user more than its rows.
        owner = rng.permutation(np.repeat(np.arange(spec.users), counts))[: spec.items]
        items = []
        for block in np.array_split(np.arange(spec.users), max(1, spec.users * spec.items // BLOCK)):
            noise = rng.gumbel(size=(len(block), spec.items))
            affinity = self.users[block] @ self.items.T  # mean 0 and variance near 1
            scores = self.popularity + spec.signal * affinity + noise
            owned = np.flatnonzero((owner >= block[0]) & (owner <= block[-1]))
            scores[owner[owned] - block[0], owned] = np.inf
            best = highest(scores, int(counts[block].max()))
            items.append(best[np.arange(best.shape[1]) < counts[block][:, None]])
        return np.repeat(np.arange(spec.users), counts), np.concatenate(items)

    def draw_ratings(self, users: Longs, items: Longs, rng: np.random.Generator) -> Values:
        """Return ratings 1 to 5, (N,): affinity, biases of users and items and noise, cut by shares."""
        bias = 0.4 * rng.normal(size=len(self.users))[users] + 0.4 * rng.normal(size=len(self.items))[items]
        affinity = np.einsum("nd,nd->n", self.users[users], self.items[items])
        liking = affinity + bias + 0.6 * rng.normal(size=len(users))
        edges = np.quantile(liking, np.cumsum(RATING_SHARES))
        ratings: Values = 1.0 + np.searchsorted(edges, liking)
        return ratings

    def item_table(self) -> pd.DataFrame:
        """Return titles and genres: an item's genres are its strongest axis and any almost as strong."""
        n_items, dim = self.items.shape
        near = self.items >= 0.8 * self.items.max(axis=1, keepdims=True)
        near[np.arange(n_items), self.items.argmax(axis=1)] = True  # where all are negative
        genres = np.array([genre(axis) for axis in range(dim)])
        numbers = np.arange(1, n_items + 1)
        return pd.DataFrame(
            {
                "item": numbers,
                "title": [f"Planted item {number}" for number in numbers],
                "genres": [LIST_SEPARATOR.join(genres[row]) for row in near],
            }
        )


def pairs_per_user(spec: SyntheticSpec, rng: np.random.Generator) -> Longs:
    """Return how many items each user has, (U,): log-normal activity, at least five, all pairs together."""
    most_extra = spec.items - MIN_ROWS_PER_USER
    activity = rng.lognormal(sigma=0.8, size=spec.users)
    extra = np.zeros(spec.users, dtype=np.int64)
    left = spec.pairs - MIN_ROWS_PER_USER * spec.users
    while left:
        weights = np.where(extra < most_extra, activity, 0.0)
        extra += rng.multinomial(left, weights / weights.sum())
        np.minimum(extra, most_extra, out=extra)
        left = spec.pairs - MIN_ROWS_PER_USER * spec.users - int(extra.sum())
    return extra + MIN_ROWS_PER_USER


def highest(scores: Values, k: int) -> Longs:
    """Return the k items with the highest scores in each row, (B, k), highest first."""
    top = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def genre(axis: int) -> str:
    """Return the name of a taste axis; names repeat with a number once they run out.

    >>> genre(0), genre(8)
    ('Comedy', 'Comedy 2')
    """
    lap, index = divmod(axis, len(GENRES))
    return GENRES[index] + (f" {lap + 1}" if lap else "")
