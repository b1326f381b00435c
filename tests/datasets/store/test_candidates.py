"""A list of candidates names items as people write them."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmark.datasets.store.candidates import store_candidates
from benchmark.datasets.store.columns import mapped


@pytest.mark.parametrize(
    ("ids", "lines", "items", "unknown"),
    [
        ([3, 5, 7], "\ufeff3.0\n 5 \n999\n", [True, True, False], 1),
        (["Jos\u00e9", "b"], "Jose\u0301\nNone\n", [True, False], 0),
        ([str(2**64 - 1), "5.0"], f"{2**64 - 1}\n5.0\n", [True, True], 0),
    ],
)
def test_a_list_is_read_as_the_ids_of_the_log_are(tmp_path, ids, lines, items, unknown):
    pd.DataFrame({"id": ids}).to_parquet(tmp_path / "items.parquet")
    (tmp_path / "list.txt").write_text(lines, encoding="utf-8")
    found = store_candidates(tmp_path / "list.txt", tmp_path, missing_values=("None",))
    assert mapped(tmp_path / "candidates.npy").tolist() == items
    assert (found.items, found.unknown) == (sum(items), unknown)
