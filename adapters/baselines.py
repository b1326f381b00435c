"""Random, popularity and what a user has had most: the floor that every model must beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from benchmark.hyperparameters import ABOVE_0, Limits
from benchmark.modelkit.sparse_state import checked_matrix, pack, unpack
from benchmark.protocol import Array, FitContext, Floats32, Ids, Interactions, Range, Scores, Space

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


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
        scores = np.empty((len(users), self._n_items), dtype=np.float32)
        for row, user in zip(scores, users, strict=True):
            np.random.default_rng((self._seed, user)).random(dtype=np.float32, out=row)
        return scores

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
    limits: ClassVar[Limits] = {"half_life": ABOVE_0}

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Sum the weights of the rows of each item."""
        weights = np.exp2(-train.ages() / self.half_life)
        self._counts = np.bincount(train.items, weights, train.n_items).astype(np.float32)
        yield


@dataclass
class MostFrequent:
    """The items that a user has had most often first, then the most consumed of the others.

    Implicit feedback; nothing is tuned. For logs whose items come again (``pairs: repeat``): the personal
    top-frequency baseline of next-basket recommendation (Li et al. 2023, "A Next Basket Recommendation
    Reality Check", doi:10.1145/3587153). Equally frequent items are in the order of popularity.
    Complexity: O(N) to train, O(U I) for a full scoring.
    """

    space: ClassVar[Space] = {}
    deterministic: ClassVar[bool] = True
    folds_repeats: ClassVar[bool] = True
    needs_repeats: ClassVar[bool] = True

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[None]:  # noqa: ARG002 (protocol)
        """Count the rows of each item, and of each pair of user and item."""
        self._shares, self._own = popularity_shares(train), self.own_items(train)
        yield

    def own_items(self, train: Interactions) -> csr_matrix:
        """Return what each user's own items score before all others, (U, I), 1 or more."""
        return train.counts()

    def own_scores(self, items: Ids) -> Scores:
        """Return the same for one history (n,), the earliest first: (I,), 0 for other items."""
        return np.bincount(items, minlength=len(self._shares)).astype(np.float32)

    def score(self, users: Ids) -> Scores:
        """Return own scores plus the share of popularity, (B, I)."""
        scores: Scores = self._own[users].toarray() + self._shares
        return scores

    def fold_in(self, items: Ids) -> Scores:
        """Return scores (I,) for a new user with this history."""
        scores: Scores = self.own_scores(items) + self._shares
        return scores

    def history_of(self, user: int) -> Ids:
        """Return a user's items, each as often as the user has had it."""
        own = self._own[user]
        return np.repeat(own.indices, own.data.astype(np.int64)).astype(np.int32)

    def state(self) -> dict[str, Array]:
        """Return the shares of popularity (I,) and the own scores of all users."""
        return {"shares": self._shares} | pack("own", self._own)

    def restore(self, state: dict[str, Array]) -> None:
        """Take them back.

        Raises:
            ValueError: they do not fit together.
        """
        self._shares, self._own = state["shares"], unpack("own", state)
        if self._own.shape[1:] != self._shares.shape:
            raise ValueError(f"own scores of shape {self._own.shape} for {len(self._shares)} items")


@dataclass
class MostRecent(MostFrequent):
    """The items that a user has had most recently first, then the most consumed of the others.

    Implicit feedback; nothing is tuned. For logs whose items come again (``pairs: repeat``): recency predicts
    what is consumed again (Anderson et al. 2014, "The dynamics of repeat consumption",
    doi:10.1145/2566486.2568018). Items of one moment, such as a basket, are in the order of popularity;
    without times the order is that of the log. Complexity: O(N) to train, O(U I) for a full scoring.
    """

    def own_items(self, train: Interactions) -> csr_matrix:
        """Return for each user's items the number of moments up to its last one, (U, I)."""
        starts, rows = train.histories()
        users, items = train.users[rows], train.items[rows]
        times = train.times[rows] if len(train.times) else np.arange(len(rows))
        later = np.ones(len(rows), dtype=np.int64)  # a new moment begins
        later[1:] = (times[1:] != times[:-1]) | (users[1:] != users[:-1])
        moment = later.cumsum()
        before = np.append(moment, 0)[starts[:-1] - 1]  # nothing before the first row: the 0 at the end
        # Of a pair with several rows the last in this order counts.
        order = np.lexsort((np.arange(len(rows)), items, users))
        last = np.ones(len(rows), dtype=np.bool_)
        last[:-1] = (np.diff(users[order]) != 0) | (np.diff(items[order]) != 0)
        kept = order[last]
        values = (moment[kept] - before[users[kept]]).astype(np.float32)
        ends = np.append(0, np.bincount(users[kept], minlength=train.n_users).cumsum())
        return checked_matrix(values, items[kept], ends, (train.n_users, train.n_items))

    def history_of(self, user: int) -> Ids:
        """Return a user's items once each, the one that was had last at the end."""
        own = self._own[user]
        return own.indices[np.argsort(own.data, kind="stable")].astype(np.int32)

    def own_scores(self, items: Ids) -> Scores:
        """Return the number of items up to each item's last place in the history, (I,)."""
        scores = np.zeros(len(self._shares), dtype=np.float32)
        np.maximum.at(scores, items, np.arange(1, len(items) + 1, dtype=np.float32))
        return scores


def popularity_shares(train: Interactions) -> Floats32:
    """Return the rows of each item, (I,), as a share of one more than the most popular item has: below 1."""
    counts = np.bincount(train.items, minlength=train.n_items)
    return (counts / (counts.max(initial=0) + 1)).astype(np.float32)
