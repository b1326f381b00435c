"""The shipped suite cuts MovieLens-100K exactly as protocol P1 does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark import api
from benchmark.datasets.store.parts import load_parts
from benchmark.runner.splits import StoredSplit, store_all


@pytest.fixture(scope="module")
def stored(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredSplit:
    folder = tmp_path_factory.mktemp("p1")
    (one,) = store_all(api.check("movielens-p1"), folder, data_dir, Path(), lambda _: None)
    return one


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_suite_p1_cuts_the_published_rows(stored: StoredSplit, data_dir: Path, part: str) -> None:
    published = pd.read_csv(data_dir / "ml-100k-p1" / f"{part}.csv")
    users = pd.read_parquet(stored.directory / "users.parquet")["id"].to_numpy()
    items = pd.read_parquet(stored.directory / "items.parquet")["id"].to_numpy()
    ours = load_parts(stored.directory, part)
    rows = pd.DataFrame(
        {
            "user": users[ours.users].astype(int),
            "item": items[ours.items].astype(int),
            "rating": ours.values.astype(int),  # noqa: PD011 - the field of a log, not of a frame
            "timestamp": ours.times,
        }
    )
    order = list(rows.columns)
    assert np.array_equal(rows.sort_values(order).to_numpy(), published.sort_values(order)[order].to_numpy())


def test_suite_p1_counts_every_interaction_as_a_like(stored: StoredSplit) -> None:
    assert load_parts(stored.directory, "train").positive.all()
    assert stored.manifest.parts["test"].rows == 9596
