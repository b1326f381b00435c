"""Logs with planted structure: what a model can find is known, so tests need no download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import Log, hash_arrays
from benchmark.datasets.specs import MIN_ROWS_PER_USER, SyntheticSpec
from benchmark.protocol import Array

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]

GENRES = ("Comedy", "Drama", "Thriller", "Romance", "Western", "Musical", "Mystery", "Fantasy")
RATING_SHARES = (0.06, 0.11, 0.27, 0.34)  # of 1, 2, 3, 4 in MovieLens-100K; the rest are 5
FIRST_DAY, DAY_S, DAYS = 1_577_836_800, 86_400, 365  # 2020-01-01, UTC
BLOCK = 4_000_000  # scores held at a time, so that memory does not grow with U x I


def planted(spec: SyntheticSpec | None = None, /, *, name: str = "planted", **fields: Any) -> Log:
    """Return a generated log of ``spec.interactions`` distinct pairs, in order of time.

    A user's taste and an item's character are points on ``dim`` axes. A user draws items without
    replacement with probability proportional to popularity x exp(signal x affinity), by the Gumbel
    top-k trick (Kool et al. 2019, arXiv:1903.06059). Ratings 1 to 5 follow the affinity with noise.
    Every user has at least five rows, every item at least one.

    Args:
        spec: the shape; may be given as keywords instead.
        name: name of the log.
        **fields: fields of :class:`SyntheticSpec`.

    >>> log = planted(users=20, items=30, interactions=200, seed=1)
    >>> log.frame.shape, log.frame.duplicated(["user", "item"]).any().item(), log.items["title"].iloc[16]
    ((200, 4), False, 'Planted item 17')
    """
    spec = spec or SyntheticSpec(**fields)
    rng = np.random.default_rng(spec.seed)
    tastes = _tastes(spec, rng)
    users, items = _draw_pairs(spec, tastes, rng)
    values = _ratings(tastes, users, items, rng)
    times = _times(users, spec.users, rng)
    order = np.lexsort((items, users, times))
    columns: dict[str, Array] = {
        "user": users[order] + 1,
        "item": items[order] + 1,
        "value": values[order],
        "time": times[order],
    }
    return Log(
        name=name,
        frame=pd.DataFrame(columns),
        items=_catalogue(tastes.items),
        scale=(1.0, 5.0),
        licence="generated",
        origin="generated",
        synthetic=True,
        sha256=hash_arrays(columns.items()),
    )


@dataclass(frozen=True)
class _Tastes:
    """What is planted: users (U, dim), items (I, dim), log popularity (I,)."""

    users: Floats
    items: Floats
    popularity: Floats

    def affinity(self, users: Array) -> Floats:
        """Return how well each item suits the users, (B, I), mean 0 and variance near 1."""
        scores: Floats = self.users[users] @ self.items.T
        return scores


def _tastes(spec: SyntheticSpec, rng: np.random.Generator) -> _Tastes:
    users = rng.normal(size=(spec.users, spec.dim))
    items = rng.normal(size=(spec.items, spec.dim))
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    rank = rng.permutation(spec.items) + 1
    return _Tastes(users, items, -spec.skew * np.log(rank))


def _rows_per_user(spec: SyntheticSpec, rng: np.random.Generator) -> Whole:
    """Return how many rows each user has, (U,): log-normal activity, at least five, N in all."""
    room = spec.items - MIN_ROWS_PER_USER
    activity = rng.lognormal(sigma=0.8, size=spec.users)
    extra = np.zeros(spec.users, dtype=np.int64)
    left = spec.interactions - MIN_ROWS_PER_USER * spec.users
    while left:
        weights = np.where(extra < room, activity, 0.0)
        extra += rng.multinomial(left, weights / weights.sum())
        np.minimum(extra, room, out=extra)
        left = spec.interactions - MIN_ROWS_PER_USER * spec.users - int(extra.sum())
    return extra + MIN_ROWS_PER_USER


def _draw_pairs(spec: SyntheticSpec, tastes: _Tastes, rng: np.random.Generator) -> tuple[Whole, Whole]:
    """Return users and items of all rows, (N,) each, users ascending."""
    counts = _rows_per_user(spec, rng)
    # A random row slot per item keeps every item in the log and gives no user more than its rows.
    owner = rng.permutation(np.repeat(np.arange(spec.users), counts))[: spec.items]
    drawn = []
    for block in np.array_split(np.arange(spec.users), max(1, spec.users * spec.items // BLOCK)):
        noise = rng.gumbel(size=(len(block), spec.items))
        scores = tastes.popularity + spec.signal * tastes.affinity(block) + noise
        mine = np.flatnonzero((owner >= block[0]) & (owner <= block[-1]))
        scores[owner[mine] - block[0], mine] = np.inf
        best = _best(scores, int(counts[block].max()))
        drawn.append(best[np.arange(best.shape[1]) < counts[block][:, None]])
    return np.repeat(np.arange(spec.users), counts), np.concatenate(drawn)


def _best(scores: Floats, k: int) -> Whole:
    """Return the places of the k highest scores of each row, (B, k), highest first."""
    top = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def _ratings(tastes: _Tastes, users: Whole, items: Whole, rng: np.random.Generator) -> Floats:
    """Return ratings 1 to 5, (N,): affinity, a user's and an item's leaning and noise, cut by shares."""
    leaning = (
        0.4 * rng.normal(size=len(tastes.users))[users] + 0.4 * rng.normal(size=len(tastes.items))[items]
    )
    affinity = np.einsum("nd,nd->n", tastes.users[users], tastes.items[items])
    liking = affinity + leaning + 0.6 * rng.normal(size=len(users))
    edges = np.quantile(liking, np.cumsum(RATING_SHARES))
    ratings: Floats = 1.0 + np.searchsorted(edges, liking)
    return ratings


def _times(users: Whole, n_users: int, rng: np.random.Generator) -> Whole:
    """Return seconds since 1970, (N,): each user joins on some day and stays for some weeks."""
    joined = rng.uniform(0, DAYS * DAY_S, size=n_users)
    stays = rng.exponential(30 * DAY_S, size=n_users)
    seconds = joined[users] + rng.uniform(size=len(users)) * stays[users]
    return FIRST_DAY + seconds.astype(np.int64)


def _catalogue(items: Floats) -> pd.DataFrame:
    """Return the item table: an item's genres are its strongest axis and any other almost as strong."""
    near = items >= 0.8 * items.max(axis=1, keepdims=True)
    near[np.arange(len(items)), items.argmax(axis=1)] = True  # where all are negative
    names = [_genre(axis) for axis in range(items.shape[1])]
    return pd.DataFrame(
        {
            "item": np.arange(1, len(items) + 1),
            "title": [f"Planted item {number}" for number in range(1, len(items) + 1)],
            "genres": ["|".join(np.array(names)[row]) for row in near],
        }
    )


def _genre(axis: int) -> str:
    """Return the name of a taste axis; names repeat with a number once they run out.

    >>> _genre(0), _genre(8)
    ('Comedy', 'Comedy 2')
    """
    lap, place = divmod(axis, len(GENRES))
    return GENRES[place] + (f" {lap + 1}" if lap else "")
