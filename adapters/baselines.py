"""Random, popularity and recent popularity: the floor that every model must beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.protocol import Array, FitContext, Ids, Interactions, Range, Scores, Space


@dataclass
class Random:
    """Every item is as likely as any other; a user's order depends on seed and user alone.

    Implicit feedback; nothing is tuned. A model that is no better than this has learned nothing.
    Complexity: O(1) to train, O(U I) for a full scoring.
    """

    space: ClassVar[Space] = {}
    scores_all: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:
        """Keep the seed and the size of the catalogue."""
        self._seed, self._n_items = context.seed, train.n_items
        yield

    def score(self, users: Ids) -> Scores:
        """Return uniform scores (B, I), one generator per user, so that batches cannot matter."""
        drawn = [
            np.random.default_rng((self._seed, user)).random(self._n_items, np.float32) for user in users
        ]
        return np.array(drawn, dtype=np.float32).reshape(len(users), self._n_items)

    def state(self) -> dict[str, Array]:
        """Return the two numbers that decide every score."""
        return {"seed": np.array(self._seed), "n_items": np.array(self._n_items)}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the seed and the size of the catalogue."""
        self._seed, self._n_items = (int(state[name]) for name in ("seed", "n_items"))


@dataclass
class Popularity:
    """The most consumed items first, the same for everybody.

    Implicit feedback; nothing is tuned. The TopPop of Cremonesi 2010 (doi:10.1145/1864708.1864721).
    Complexity: O(N) to train, O(U I) for a full scoring.
    """

    space: ClassVar[Space] = {}
    deterministic: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Count the rows of each item."""
        self._counts = np.bincount(train.items, minlength=train.n_items).astype(np.float32)
        yield

    def score(self, users: Ids) -> Scores:
        """Return the counts (B, I), one copy a user."""
        return np.tile(self._counts, (len(users), 1))

    def state(self) -> dict[str, Array]:
        """Return the counts (I,)."""
        return {"counts": self._counts}

    def restore(self, state: dict[str, Array]) -> None:
        """Take back the counts."""
        self._counts = state["counts"]


@dataclass
class RecentPopularity(Popularity):
    """The items most consumed recently first, the same for everybody.

    A row counts half as much with each ``half_life`` days that it is older than the last row of the
    training data; without times, or where they only say what came first, all rows are equally old.
    Implicit feedback.

    Popularity at the moment of recommending, rather than of all time, is the floor of a split by time
    (Ji 2020, arXiv:2005.13829). Tuned: ``half_life``. Its default of a month is a guess; the range goes
    from a day to ten years, where the model equals popularity.
    Complexity: O(N) to train, O(U I) for a full scoring.
    """

    half_life: float = 30.0
    space: ClassVar[Space] = {"half_life": Range(1.0, 3650.0, log=True)}

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Sum the weights of the rows of each item."""
        weights = np.exp2(-train.ages() / self.half_life)
        self._counts = np.bincount(train.items, weights, train.n_items).astype(np.float32)
        yield
