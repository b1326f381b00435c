"""What kind of items the lists hold: how popular they are, and who is served beyond the popular ones.

Made after every final is closed, from stored lists and the stored split; nothing is tuned afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.parts import load_part, load_parts
from benchmark.errors import DataError
from benchmark.protocol import Ids, Interactions

HEAD_SHARE = 1 / 3
"""The head is the most popular items that together hold a third of the training rows: Cremonesi, Koren &
Turrin 2010, "Performance of recommender algorithms on top-N recommendation tasks", section 3.1."""


@dataclass(frozen=True)
class Exposure:
    """Counts and test rows that lists are held against.

    Attributes:
        counts: (I,) training rows of each item.
        head: (I,) whether an item belongs to the head.
        relevant: the test rows that count as a like.
    """

    counts: NDArray[np.int64]
    head: NDArray[np.bool_]
    relevant: Interactions

    @classmethod
    def of(cls, split: Path, train_on: str) -> Exposure | None:
        """Return the exposure of a stored split; None where its parts do not lie beside the run."""
        try:
            train = load_parts(split, *train_on.split("+"))
            relevant = load_part(split, "test").likes()
        except DataError:
            return None
        counts = np.bincount(train.items, minlength=train.n_items)
        return cls(counts, head_of(counts), relevant)

    def columns(self, rows: pd.DataFrame, k: int | None) -> dict[str, Any]:
        """Return popularity lift and head and tail recall of one model's finals, mean over seeds.

        Args:
            rows: its per-user rows, ``items`` and ``user`` among them.
            k: length of the lists that is looked at; all of it if None.
        """
        seeds = []
        for _, part in rows.groupby("seed"):
            lists = np.stack(part["items"].to_list())[:, :k]
            recalls = self.recalls(part["user"].to_numpy(), lists)
            seeds.append([popularity_lift(lists, self.counts), *recalls])
        means = np.mean(np.array(seeds, dtype=np.float64), axis=0)
        names = ("popularity_lift", "recall_head", "recall_tail")
        return {
            name: None if np.isnan(mean) else float(mean) for name, mean in zip(names, means, strict=True)
        }

    def recalls(self, users: Ids, lists: Ids) -> tuple[float, float]:
        """Return the recall of head items and of tail items: hits / relevant of that kind, mean over users.

        A user without a relevant item of a kind is left out of its mean; nan where nobody has one.
        """
        n_items = self.relevant.n_items
        wanted = np.unique(self.relevant.users.astype(np.int64) * n_items + self.relevant.items)
        shown = np.where(lists >= 0, users[:, None].astype(np.int64) * n_items + lists, -1)
        hits = np.isin(shown, wanted)
        owner, item = np.divmod(wanted, n_items)
        found = []
        for kind in (self.head, ~self.head):
            relevant = np.bincount(owner[kind[item]], minlength=self.relevant.n_users)[users]
            right = (hits & kind[lists]).sum(axis=1)
            found.append(_mean(right[relevant > 0] / relevant[relevant > 0]))
        return found[0], found[1]


def head_of(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which items (I,) are the head: the fewest that hold a third of all rows, ties by id.

    >>> head_of(np.array([1, 5, 2, 1])).tolist()
    [False, True, False, False]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
    head = np.zeros(len(counts), dtype=np.bool_)
    head[order] = before < HEAD_SHARE * counts.sum()
    return head


def popularity_lift(lists: Ids, counts: NDArray[np.int64]) -> float:
    """Return how popular what is shown is, next to the log: 1 is alike, above 1 is more popular.

    Mean training rows of the shown items, over all places of all lists, divided by the same mean over
    training rows. After the group average popularity of Abdollahpouri et al. 2019, section 3.

    >>> popularity_lift(np.array([[0], [0]]), np.array([3, 1]))
    1.2
    """
    shown = counts[lists[lists >= 0]]
    typical = float((counts.astype(np.float64) ** 2).sum() / counts.sum())
    return float(shown.mean()) / typical if len(shown) else float("nan")


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
