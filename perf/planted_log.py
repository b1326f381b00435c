"""Large logs with tastes to be found: what is planted is known, so is how well it can be ranked.

A user is a mixture of tastes that drifts while the user stays, a taste is a distribution over items (Zipf's
law, tilted by what each item is made of). A row takes its taste from its user's mixture at that time, a few
rows in succession the same one, and its item from the taste; no pair comes twice. Ratings add effects of
user, item and taste to noise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from large_log import DAYS, Shape
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmark.datasets.sources.synthetic import DAY_S
from benchmark.errors import DataError
from benchmark.protocol import Array, Floats32, Longs, Values

TASTES = 40
FEW = 1.5  # sum of the Dirichlet's parameters: over half of a user's rows are of two tastes
DRIFT = 0.3  # share of a user's mixture that is another one at the end of the stay
SESSION = 4.0  # rows in succession of one taste, on average
PURE = 8.0, 1.0  # beta law of the share of its first taste in an item
LEAK = 0.02  # share of each taste that is spread over all items by popularity alone
ZIPF_EXPONENT, ZIPF_SHIFT = 1.1, 1 / 3000  # probability ~ (rank + shift x I) ^ -exponent
LEAST_ROWS, ACTIVITY_SIGMA = 20, 1.1
LIKED, LIKES = 4.0, 0.26  # of draws; of distinct rows fewer, for what suits a user best is soon used up
USER_EFFECT, ITEM_EFFECT, TASTE_EFFECT, NOISE = 0.4, 0.3, 2.0, 0.6
FIRST_DAY = 946_684_800  # 2000-01-01, UTC: no row is after today
CHUNK = 2_000  # users made at a time: a flag for each of their pairs is held
STUBBORN = 12  # rounds of draws after which a row that repeats a pair takes another taste


def planted_shape(rows: int) -> Shape:
    """Return users and items of a planted log: MovieLens-25M's, of fewer rows fewer users in proportion.

    Items fall with the two-thirds power of the rows, so that small logs keep some for each taste.

    >>> planted_shape(5_000_000)
    Shape(users=32508, items=20193, interactions=5000000)
    """
    full = Shape()
    part = rows / full.interactions
    return Shape(max(2, round(full.users * part)), max(2, round(full.items * part ** (2 / 3))), rows)


@dataclass(frozen=True)
class Planted:
    """What is planted: mixtures (U, T), tastes (T, I), what items are made of (I, T), and effects."""

    counts: Longs  # rows of each user
    start: Floats32  # (U, T), each sums to one
    end: Floats32
    tastes: Floats32  # (T, I), each sums to one
    made_of: Floats32  # (I, T), each sums to one
    user_effect: Floats32
    item_effect: Floats32
    level: float = 0.0  # rating of a pair without any effect

    @classmethod
    def draw(cls, shape: Shape, seed: int = 0) -> Planted:
        """Return what is planted in a log of this shape; a quarter of the rows, nearly, will be likes.

        Raises:
            DataError: too few rows for the users, or more than a quarter of all pairs.
        """
        rng = np.random.default_rng([seed, 0])
        counts = rows_of_users(shape, rng)
        prevalence = FEW * rng.dirichlet(np.full(TASTES, 8.0))
        start, other = (rng.dirichlet(prevalence, size=shape.users) for _ in range(2))
        popularity = (rng.permutation(shape.items) + 1 + ZIPF_SHIFT * shape.items) ** -ZIPF_EXPONENT
        made_of = rng.dirichlet(np.full(TASTES, 0.1), size=shape.items)
        purity = rng.beta(*PURE, size=(shape.items, 1))
        made_of = (1 - purity) * made_of + purity * np.eye(TASTES)[rng.integers(TASTES, size=shape.items)]
        tastes = (popularity[:, None] * made_of).T
        tastes /= tastes.sum(axis=1, keepdims=True)
        tastes = (1 - LEAK) * tastes + LEAK * popularity / popularity.sum()
        effects = (rng.normal(0, sd, n) for sd, n in ((USER_EFFECT, shape.users), (ITEM_EFFECT, shape.items)))
        floats = (start, (1 - DRIFT) * start + DRIFT * other, tastes, made_of, *effects)
        bare = cls(counts, *(part.astype(np.float32) for part in floats))
        return cls(**vars(bare) | {"level": bare.level_for(LIKES, rng)})

    @property
    def mixture(self) -> Floats32:
        """Each user's mixture over the whole stay, (U, T)."""
        return (self.start + self.end) / 2

    def liking(self, users: Longs, items: Longs) -> Values:
        """Return what is added to the level for each pair, (N,), before noise."""
        match = np.einsum("nt,nt->n", self.mixture[users], self.made_of[items])
        added: Values = self.user_effect[users] + self.item_effect[items] + TASTE_EFFECT * match
        return added

    def level_for(self, likes: float, rng: np.random.Generator) -> float:
        """Return the level at which that share of rows is at least 4, from a sample of rows."""
        users = rng.choice(len(self.counts), size=50_000, p=self.counts / self.counts.sum())
        tastes = drawn_tastes(self.mixture[users], rng)
        items = drawn_items(self.tastes.cumsum(axis=1, dtype=np.float64), tastes, rng)
        ratings = self.liking(users, items) + rng.normal(0, NOISE, len(users))
        return LIKED - 0.25 - float(np.quantile(ratings, 1 - likes))  # ratings are rounded to halves

    def held_out_like(self, users: Longs, share: float) -> Floats32:
        """Return the probability (B, I) that an item which is not in train is a held-out like.

        Rows are taken as draws until a user has the rows that it has: an item is among them with
        probability p = 1 - exp(-c x rate); a share of the rows is held out, so it is there, given that it
        is not in train, with share x p / (1 - (1 - share) x p).
        """
        rates = self.mixture[users] @ self.tastes
        draws = np.array([draws_for(rate, n) for rate, n in zip(rates, self.counts[users], strict=True)])
        among = -np.expm1(-draws[:, None] * rates)
        effects = self.user_effect[users][:, None] + self.item_effect + np.float32(self.level - LIKED + 0.25)
        liked = ndtr((effects + TASTE_EFFECT * self.mixture[users] @ self.made_of.T) / NOISE)
        found: Floats32 = (share * among / (1 - (1 - share) * among) * liked).astype(np.float32)
        return found

    def rows(self, seed: int = 0) -> Iterator[dict[str, Array]]:
        """Yield the log in chunks of users: userId, movieId, rating, timestamp; by user, then by time."""
        ends = self.tastes.cumsum(axis=1, dtype=np.float64)
        for chunk, first in enumerate(range(0, len(self.counts), CHUNK)):
            rng = np.random.default_rng([seed, 1, chunk])
            counts = self.counts[first : first + CHUNK]
            users = np.repeat(np.arange(first, first + len(counts)), counts)
            joined, stays = (
                rng.integers(0, DAYS * DAY_S, len(counts)),
                rng.exponential(60 * DAY_S, len(counts)),
            )
            when = rng.random(len(users))
            when = when[np.lexsort((when, users))]
            items = self.distinct_items(users - first, self.at(users, when), ends, rng)
            ratings = self.level + self.liking(users, items) + rng.normal(0, NOISE, len(users))
            times = FIRST_DAY + joined[users - first] + (when * stays[users - first]).astype(np.int64)
            yield {
                "userId": (users + 1).astype(np.int32),
                "movieId": (items + 1).astype(np.int32),
                "rating": (np.rint(2 * ratings) / 2).clip(0.5, 5.0).astype(np.float32),
                "timestamp": times,
            }

    def at(self, users: Longs, when: Values) -> Floats32:
        """Return the mixture (N, T) of each row, ``when`` from 0 to 1 of its user's stay."""
        part = when.astype(np.float32)[:, None]
        mixed: Floats32 = (1 - part) * self.start[users] + part * self.end[users]
        return mixed

    def distinct_items(self, users: Longs, mixed: Floats32, ends: Values, rng: np.random.Generator) -> Longs:
        """Return an item for each row, none twice for a user; the users are numbered from zero."""
        opens = rng.random(len(users)) < 1 / SESSION
        opens[0] = True
        opens[1:] |= users[1:] != users[:-1]
        tastes = drawn_tastes(mixed[opens], rng)[opens.cumsum() - 1]
        taken = np.zeros((users[-1] + 1) * ends.shape[1], dtype=np.bool_)
        items = np.empty(len(users), dtype=np.int64)
        open_, round_ = np.arange(len(users)), 0
        while len(open_):
            if round_ >= STUBBORN:  # the user has all that is frequent in this taste
                tastes[open_] = drawn_tastes(mixed[open_], rng)
            items[open_] = drawn_items(ends, tastes[open_], rng)
            if round_ >= 4 * STUBBORN:
                items[open_] = rng.integers(ends.shape[1], size=len(open_))
            pairs = users[open_] * ends.shape[1] + items[open_]
            fresh = first_of_each(pairs) & ~taken[pairs]
            taken[pairs[fresh]] = True
            open_, round_ = open_[~fresh], round_ + 1
        return items


def rows_of_users(shape: Shape, rng: np.random.Generator) -> Longs:
    """Return log-normal numbers of rows, at least 20 and at most a quarter of the items, with that sum."""
    most = shape.items // 4
    if not LEAST_ROWS * shape.users <= shape.interactions <= most * shape.users:
        raise DataError(
            f"planted log: {shape.interactions} rows for {shape.users} users and {shape.items} items; there "
            f"must be {LEAST_ROWS} to {most} a user"
        )
    weights = rng.lognormal(sigma=ACTIVITY_SIGMA, size=shape.users)
    low, high = 0.0, float(shape.interactions * most)
    for _ in range(100):  # the factor with which the clipped numbers sum to the rows
        factor = (low + high) / 2
        counts = np.clip(factor * weights / weights.sum(), LEAST_ROWS, most).astype(np.int64)
        low, high = (factor, high) if counts.sum() < shape.interactions else (low, factor)
    counts = np.clip(low * weights / weights.sum(), LEAST_ROWS, most).astype(np.int64)
    while (missing := shape.interactions - counts.sum()) > 0:
        loose = np.flatnonzero(counts < most)
        counts[rng.choice(loose, min(missing, len(loose)), replace=False)] += 1
    return counts


def drawn_tastes(mixed: Floats32, rng: np.random.Generator) -> Longs:
    """Return a taste for each mixture (N, T)."""
    drawn: Longs = (mixed.cumsum(axis=1) < rng.random(len(mixed), dtype=np.float32)[:, None]).sum(axis=1)
    return drawn.clip(max=mixed.shape[1] - 1)


def drawn_items(ends: Values, tastes: Longs, rng: np.random.Generator) -> Longs:
    """Return an item for each taste; ``ends`` (T, I) are cumulated probabilities."""
    items = np.empty(len(tastes), dtype=np.int64)
    where = rng.random(len(tastes))
    for taste in range(len(ends)):
        rows = np.flatnonzero(tastes == taste)
        items[rows] = np.searchsorted(ends[taste], where[rows] * ends[taste, -1], side="right")
    return items


def first_of_each(keys: Longs) -> NDArray[np.bool_]:
    """Return a flag for the first of equal keys."""
    first = np.zeros(len(keys), dtype=np.bool_)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def draws_for(rates: Floats32, rows: int) -> float:
    """Return how many draws at these rates (I,) leave that many distinct items, to one in a thousand."""
    low, high = float(rows), float(rows)
    while -np.expm1(-high * rates).sum() < rows:
        high *= 2
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if -np.expm1(-middle * rates).sum() < rows else (low, middle)
    return high


def write(path: Path, shape: Shape, seed: int = 0) -> None:
    """Write a planted log as Parquet, a row group for each chunk of users; memory does not grow with rows."""
    from pyarrow import parquet, table

    writer: Any = None
    part = path.with_suffix(f".{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    for columns in Planted.draw(shape, seed).rows(seed):
        rows = table(columns)
        writer = writer or parquet.ParquetWriter(part, rows.schema)
        writer.write_table(rows)
    writer.close()
    part.replace(path)


def planted_path(rows: int, cache: Path) -> Path:
    """Return the planted log of that many rows in the cache folder; it is made if it is not there."""
    path = cache / f"planted-{rows}.parquet"
    if not path.exists():
        write(path, planted_shape(rows))
    return path
