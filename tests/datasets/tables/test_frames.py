"""Frames: equal rows make one file, whichever library they come from; what Parquet would bend is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.datasets.tables.frames import Frame, as_arrow, as_kind, kind_of, store_frame
from benchmark.errors import DataError

ROWS = pd.DataFrame({"uid": ["a", "b", "a"], "sku": [7, 8, 9], "ts": pd.to_datetime(["2024-05-01"] * 3)})
WANTED = ["uid", "sku"]


def test_equal_rows_are_stored_as_one_file_whatever_frame_they_come_in(tmp_path: Path) -> None:
    arrow = pa.Table.from_pandas(ROWS)
    frames: list[Any] = [
        ROWS,
        ROWS.set_index(["uid", "sku"]),
        ROWS.astype({"uid": "category"}),
        pl.from_pandas(ROWS),
        pl.from_pandas(ROWS).with_columns(pl.col("uid").cast(pl.Categorical)),
        pa.concat_tables([arrow.slice(0, 1), arrow.slice(1)]),
        arrow.cast(pa.schema([("uid", pa.string()), ("sku", pa.int64()), ("ts", pa.timestamp("ns"))])),
    ]
    stored = {store_frame(as_arrow(frame, WANTED, "frame"), tmp_path, "log") for frame in frames}
    assert list(tmp_path.iterdir()) == list(stored)
    assert pd.read_parquet(*stored).equals(ROWS[WANTED])


def test_other_rows_are_another_file_and_the_same_rows_leave_theirs_untouched(tmp_path: Path) -> None:
    first = store_frame(as_arrow(ROWS, WANTED, "frame"), tmp_path, "log")
    before = first.stat()
    assert store_frame(as_arrow(ROWS[:2], WANTED, "frame"), tmp_path, "log") != first
    assert store_frame(as_arrow(ROWS, WANTED, "frame"), tmp_path, "log") == first
    assert first.stat() == before


def test_file_that_was_damaged_is_written_again(tmp_path: Path) -> None:
    stored = store_frame(as_arrow(ROWS, WANTED, "frame"), tmp_path, "log")
    stored.write_bytes(b"half")
    assert pq.read_table(store_frame(as_arrow(ROWS, WANTED, "frame"), tmp_path, "log")).num_rows == 3


def test_frame_is_given_back_in_the_library_it_came_from() -> None:
    for frame in (ROWS, pl.from_pandas(ROWS), pa.Table.from_pandas(ROWS)):
        assert isinstance(frame, Frame)
        assert type(as_kind(pa.table({"a": [1]}), kind_of(frame))) is type(frame)


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        (["x", 1, "y"], "frame: cannot be held as a table of Arrow"),
        ([[1], [2], [3]], "column 'uid' contains list"),
        ([timedelta(1)] * 3, "column 'uid' contains duration"),
        (pd.period_range("2024", periods=3, freq="M"), "column 'uid' contains period"),
    ],
)
def test_column_that_would_be_misread_is_refused(column: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        as_arrow(ROWS.assign(uid=column), WANTED, "frame")


def test_two_columns_of_one_name_are_refused() -> None:
    twice = pd.concat([ROWS, ROWS[["uid"]]], axis=1)
    with pytest.raises(DataError, match="frame: has 2 columns 'uid'; rename one of them"):
        as_arrow(twice, WANTED, "frame")
