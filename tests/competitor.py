"""A stored split with ids as text, and lists that somebody who knows train and validation could make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from builders import own_log

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.split import split
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.raw_ids import raw_ids
from benchmark.datasets.store.save import save_split
from benchmark.made_elsewhere import ListsCheck
from benchmark.metrics.register import parse_metric


@dataclass(frozen=True)
class Competitor:
    """Whoever makes lists for a stored split."""

    folder: Path
    manifest: SplitManifest

    @property
    def check(self) -> ListsCheck:
        """What lists of three items must be."""
        return ListsCheck(self.folder, self.manifest, [parse_metric("ndcg@3"), parse_metric("recall@2")])

    def rows(self, length: int = 3) -> pd.DataFrame:
        """Return lists (user, item, rank) of items that are new to each user, in raw ids."""
        known = load_parts(self.folder, "train", "valid").matrix().toarray() > 0
        users, items = (raw_ids(self.folder, side) for side in ("user", "item"))
        lists = np.argsort(known, axis=1, kind="stable")[:, :length]
        return pd.DataFrame(
            {
                "user": np.repeat(users, length),
                "item": items[lists.ravel()],
                "rank": np.tile(np.arange(1, length + 1), len(users)),
            }
        )


def text_split(folder: Path) -> Competitor:
    """Store the split of a log whose users are 07, 7 and others, and its items i0 to i9."""
    users = ["07", "7", *(f"u{number}" for number in range(10))]
    rows = [(user, f"i{(3 * u + step) % 10}") for u, user in enumerate(users) for step in range(5)]
    log = own_log(user=[user for user, _ in rows], item=[item for _, item in rows])
    done = split(prepare(log))
    return Competitor(folder, save_split(done, folder, audit(done)))
