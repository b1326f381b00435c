"""What a planted log is, in figures: skew, and how well popularity and the truth rank it. No model runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from planted_log import LIKED, TASTES, Planted, planted_shape

from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Floats32, Ids, Interactions, Longs

SAMPLE = 5_000  # users
HELD_OUT = 0.1
BATCH = 64
PRIMARY = parse_metric("ndcg@10")


@dataclass(frozen=True)
class Figures:
    """Of one planted log; values are means over a sample of users, with their standard errors."""

    rows: int
    users: int
    items: int
    likes: int
    tastes: int
    top_percent_share: float
    popularity: float
    popularity_error: float
    truth: float
    truth_error: float
    global_mean_rmse: float
    truth_rmse: float

    @property
    def checks(self) -> dict[str, bool]:
        """Return the conditions that need no model."""
        return {
            "the top 1 % of items have a sixth of the rows": self.top_percent_share >= 1 / 6,
            "at least 32 tastes": self.tastes >= 32,
            "the truth's NDCG@10 is below .5": self.truth < 0.5,
            "three times popularity is below the truth": 3 * self.popularity < self.truth,
        }

    def show(self) -> bool:
        """Print the table; return whether every condition holds."""
        for name, number in vars(self).items():
            digits = ",.4f" if isinstance(number, float) else ","
            print(f"{name.replace('_', ' '):<20}{number:>14{digits}}")
        for what, holds in self.checks.items():
            print(f"{what}: {'yes' if holds else 'NO'}")
        return all(self.checks.values())


def figures(path: Path, rows: int, seed: int = 0) -> Figures:
    """Return the figures of the planted log at this path, made with this seed."""
    users, items, ratings = columns(path)
    shape, planted = planted_shape(rows), Planted.draw(planted_shape(rows), seed)
    liked = ratings >= LIKED
    per_item = np.sort(np.bincount(items, minlength=shape.items))[::-1]
    rng = np.random.default_rng([seed, 2])
    chosen = np.sort(rng.permutation(shape.users)[:SAMPLE])
    place = np.full(shape.users, -1, dtype=np.int32)
    place[chosen] = np.arange(len(chosen))
    of_sample = np.flatnonzero(place[users] >= 0)
    hidden = np.zeros(len(users), dtype=np.bool_)
    hidden[of_sample[rng.random(len(of_sample)) < HELD_OUT]] = True

    def part(which: Longs) -> Interactions:
        own = place[users[which]], items[which], ratings[which]
        size = len(chosen), shape.items
        return Interactions(*own, np.empty(0, np.int64), liked[which], *size, scale=(0.5, 5.0))

    test, train = part(of_sample[hidden[of_sample]]), part(of_sample[~hidden[of_sample]])
    likes = np.bincount(items[liked & ~hidden], minlength=shape.items).astype(np.float32)
    popularity = ndcg(test, train, lambda batch: np.tile(likes, (len(batch), 1)))
    truth = ndcg(test, train, lambda batch: planted.held_out_like(chosen[batch], HELD_OUT))
    expected = planted.level + planted.liking(chosen[test.users], test.items.astype(np.int64))
    return Figures(
        rows=len(users),
        users=len(np.unique(users)),
        items=int((per_item > 0).sum()),
        likes=int(liked.sum()),
        tastes=TASTES,
        top_percent_share=float(per_item[: max(1, shape.items // 100)].sum() / len(users)),
        popularity=popularity[0],
        popularity_error=popularity[1],
        truth=truth[0],
        truth_error=truth[1],
        global_mean_rmse=float(
            np.sqrt(np.mean((test.values - ratings[~hidden].mean(dtype=np.float64)) ** 2))
        ),
        truth_rmse=float(np.sqrt(np.mean((test.values - expected.clip(0.5, 5.0)) ** 2))),
    )


def columns(path: Path) -> tuple[Ids, Ids, Floats32]:
    """Return users and items, counted from zero, and ratings, (N,) each."""
    from pyarrow import parquet

    table = parquet.read_table(path, columns=["userId", "movieId", "rating"])
    users, items = (table[name].to_numpy() - np.int32(1) for name in ("userId", "movieId"))
    return users, items, table["rating"].to_numpy()


def ndcg(test: Interactions, train: Interactions, score: Callable[[Ids], Floats32]) -> tuple[float, float]:
    """Return the mean NDCG@10 of the users of test, and its standard error."""
    evaluator = Evaluator(test, seen=[train], metrics=[PRIMARY], train=train)
    for first in range(0, len(evaluator.users), BATCH):
        batch = evaluator.users[first : first + BATCH]
        evaluator.add(batch, score(batch))
    values = evaluator.result().per_user[PRIMARY.name]
    values = values[np.isfinite(values)]
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
