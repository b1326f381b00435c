"""What pandas, Polars and Spark write with their own defaults reads back with the same ids, values, times."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
import pytest
from hostile_logs import PER_UNIT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec

PRECISIONS = ("s", "ms", "us", "ns")

words = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"\\'),
    min_size=1,
    max_size=6,
).map(lambda word: unicodedata.normalize("NFC", f"id {word}"))  # ids are compared so


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Return a frame of users, items, stars and moments, as an analyst holds one in memory."""
    rows = draw(st.integers(3, 20))
    kinds = [
        st.integers(-(2**62), 2**62),
        st.integers(0, 50),
        st.integers(2**63, 2**64 - 1),
        words,
        st.integers(0, 99).map("{:04d}".format),
    ]
    ids = [draw(st.lists(draw(st.sampled_from(kinds)), min_size=rows, max_size=rows)) for _ in range(2)]
    stars = draw(st.lists(st.sampled_from([0.5, 1.0, 1.5, 3.0, 4.0, 5.0]), min_size=rows, max_size=rows))
    precision = draw(st.sampled_from(PRECISIONS))
    ticks = draw(st.lists(st.integers(10**9, 1_700_000_000), min_size=rows, max_size=rows))
    parts = draw(st.lists(st.integers(0, 999_999_999), min_size=rows, max_size=rows))
    moments = [
        (tick * 1_000_000_000 + part) // PER_UNIT[precision] for tick, part in zip(ticks, parts, strict=True)
    ]
    at = pd.Series(moments).astype(f"datetime64[{precision}]")
    return pd.DataFrame({"user": column(ids[0]), "item": column(ids[1]), "stars": stars, "at": at})


def column(ids: list[Any]) -> pd.Series:
    """Return ids as pandas holds them."""
    return pd.Series(ids, dtype="uint64") if isinstance(ids[0], int) and ids[0] >= 2**63 else pd.Series(ids)


def pandas_csv(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "log.csv")
    return folder / "log.csv"


def pandas_csv_without_index(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "log.csv", index=False)
    return folder / "log.csv"


def pandas_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_parquet(folder / "log.parquet")
    return folder / "log.parquet"


def pandas_jsonl(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_json(folder / "log.jsonl", orient="records", lines=True, date_format="iso", date_unit="ns")
    return folder / "log.jsonl"


def polars_frame(frame: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({name: pa.array(frame[name]) for name in frame})


def polars_csv(frame: pd.DataFrame, folder: Path) -> Path:
    polars_frame(frame).write_csv(folder / "log.csv")
    return folder / "log.csv"


def polars_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    polars_frame(frame).write_parquet(folder / "log.parquet")
    return folder / "log.parquet"


def arrow_csv(frame: pd.DataFrame, folder: Path) -> Path:
    pa.csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), folder / "log.csv")
    return folder / "log.csv"


def spark_parts(frame: pd.DataFrame, folder: Path) -> Path:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    half = table.num_rows // 2
    (folder / "log.parquet").mkdir()
    for number, part in enumerate((table.slice(0, half), table.slice(half))):
        pa.parquet.write_table(part, folder / "log.parquet" / f"part-{number:05d}-c000.snappy.parquet")
    (folder / "log.parquet" / "_SUCCESS").touch()
    return folder / "log.parquet"


def hive_partitions(frame: pd.DataFrame, folder: Path) -> Path:
    table = pa.Table.from_pandas(
        frame.assign(half=(frame.index >= len(frame) // 2).astype(int)), preserve_index=False
    )
    pa.parquet.write_to_dataset(table, folder / "log", partition_cols=["half"])
    return folder / "log"


WRITERS: dict[str, Callable[[pd.DataFrame, Path], Path]] = {
    one.__name__: one
    for one in (
        pandas_csv, pandas_csv_without_index, pandas_parquet, pandas_jsonl, polars_csv, polars_parquet,
        arrow_csv, spark_parts, hive_partitions,
    )
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(frame=frames())
def test_what_a_library_writes_with_its_own_defaults_reads_back_the_same(
    writer: str, frame: pd.DataFrame
) -> None:
    with TemporaryDirectory() as folder:
        path = WRITERS[writer](frame, Path(folder))
        log = open_log(LogSpec(name="written", path=str(path), value="stars", time="at"))
    assert log.frame["user"].astype(str).tolist() == frame["user"].astype(str).tolist()
    assert log.frame["item"].astype(str).tolist() == frame["item"].astype(str).tolist()
    assert log.frame["value"].tolist() == frame["stars"].tolist()
    read = [int(time) * PER_UNIT[log.clock.unit] for time in log.frame["time"]]
    assert read == frame["at"].astype("datetime64[ns]").astype("int64").tolist()


def test_a_moment_in_a_zone_reads_back_as_the_same_moment_from_csv_and_parquet(tmp_path: Path) -> None:
    moments = [datetime(2024, 3, 31, 0, 30, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
    frame = pd.DataFrame(
        {"user": [1, 1, 2, 2], "item": [1, 2, 1, 2], "at": pd.Series(moments).dt.tz_convert("Europe/Berlin")}
    )
    frame.to_csv(tmp_path / "log.csv")
    frame.to_parquet(tmp_path / "log.parquet")
    for name in ("log.csv", "log.parquet"):
        log = open_log(LogSpec(name="zones", path=str(tmp_path / name), time="at"))
        read = [int(time) * PER_UNIT[log.clock.unit] // 10**9 for time in log.frame["time"]]
        assert read == [int(moment.timestamp()) for moment in moments], name
