"""Exports with one trouble each: read as they mean, or refused with file, finding and the key that cures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from benchmark.datasets.log import Log
from benchmark.datasets.prepare.pipeline import Prepared, prepare
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import BenchError

EXPORTS = Path(__file__).parents[1] / "exports"
STARS = {"value": "stars", "time": "at"}
RATED = {**STARS, "scale": (1, 5)}


@dataclass(frozen=True)
class Export:
    """A log read from one of the files, with all that was said of it."""

    log: Log
    said: str


def opened(name: str, **keys: Any) -> Export:
    """Return one of the exports, read as a suite with these keys reads it (a whole path stays)."""
    said: list[str] = []
    log = open_log(
        LogSpec.model_validate({"name": "export", "path": str(EXPORTS / name), **keys}), say=said.append
    )
    return Export(log, "\n".join(said))


def prepared(name: str, prepare_keys: dict[str, Any] | None = None, **keys: Any) -> Prepared:
    """Return one of the exports, prepared as a suite with these keys prepares it."""
    spec = LogSpec.model_validate({"name": "export", "path": str(EXPORTS / name), **keys})
    return prepare(open_log(spec), PrepareSpec.model_validate(prepare_keys or {}).for_log(spec))


def refusal(name: str, prepare_keys: dict[str, Any] | None = None, **keys: Any) -> str:
    """Return the message with which an export is refused."""
    with pytest.raises(BenchError) as refused:
        prepared(name, prepare_keys, **keys)
    return str(refused.value)


def rows(log: Log) -> list[tuple[str, str, float, int]]:
    """Return the rows of a log as text, numbers and seconds."""
    frame = log.frame
    assert log.clock.unit == "s"
    columns = (frame["user"].astype(str), frame["item"].astype(str), frame["value"], frame["time"])
    return [(user, item, float(value), int(time)) for user, item, value, time in zip(*columns, strict=True)]


def body_table() -> pa.Table:
    """Return the rows of the healthy export with the types that pandas gives them in Parquet."""
    types = {"user": pa.large_string(), "item": pa.large_string(), "stars": pa.float64(), "at": pa.int64()}
    options = pyarrow.csv.ConvertOptions(column_types=types)
    return pyarrow.csv.read_csv(EXPORTS / "body.csv", convert_options=options)


@pytest.fixture(scope="module")
def body() -> list[tuple[str, str, float, int]]:
    """The rows of the healthy export."""
    return rows(opened("body.csv", **STARS).log)


def test_votes_down_are_no_likes_until_the_suite_says_which_are() -> None:
    message = refusal("votes.csv", value="vote", time="at")
    assert "480 rows, 192 of them at or below 0" in message
    assert "positive" in message
    ready = prepared("votes.csv", {"positive": "> 0"}, value="vote", time="at")
    assert int(ready.interactions.positive.sum()) == 288


def test_zeros_among_clicks_are_no_likes_until_the_suite_says_which_are() -> None:
    assert "positive" in refusal("clicks.csv", value="clicked", time="at")
    assert "positive" in refusal("clicks.csv", value="clicked", time="at", scale=(0, 1))
    ready = prepared("clicks.csv", {"positive": ">= 1"}, value="clicked", time="at")
    assert (int(ready.interactions.positive.sum()), len(ready.interactions)) == (96, 480)


def test_booleans_are_read_and_refused_without_positive() -> None:
    assert "positive" in refusal("flags.csv", value="clicked", time="at")
    for condition in (True, ">= 1"):
        ready = prepared("flags.csv", {"positive": condition}, value="clicked", time="at")
        assert int(ready.interactions.positive.sum()) == 96, condition


def test_stray_quotes_swallow_no_row() -> None:
    message = refusal("stray-quotes.csv", **STARS)
    assert "stray-quotes.csv:7" in message
    assert "quoted: false" in message
    assert len(opened("stray-quotes.csv", **STARS, quoted=False).log.frame) == 480


def test_milliseconds_decide_which_row_was_the_last() -> None:
    ready = prepared("milliseconds.csv", time="at")
    made = split(ready, SplitSpec(by="leave_last_out"))
    assert made.manifest.notes.tied_users_share == 0
    evening = [
        row for row, item in enumerate(ready.item_ids[ready.interactions.items]) if item in {"i0", "i1", "i2"}
    ]
    first_user = int(ready.interactions.users[evening[0]])
    test_item = ready.item_ids[made.test.items[made.test.users == first_user][0]]
    valid_item = ready.item_ids[made.valid.items[made.valid.users == first_user][0]]
    assert (test_item, valid_item) == ("i0", "i2")


def test_day_numbers_of_a_spreadsheet_are_no_seconds_of_1970() -> None:
    message = refusal("day-numbers.csv", **STARS)
    assert "excel" in message
    found = opened("day-numbers.csv", **STARS, time_format="excel")
    first = int(found.log.frame["time"].iloc[0])
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[found.log.clock.unit]
    assert np.datetime64(first // per_second, "s").astype(str) == "2024-05-31T18:00:00"


def test_a_time_of_zero_is_a_missing_time() -> None:
    message = refusal("zero-times.csv", **STARS)
    assert "time" in message
    assert "missing: drop" in message
    kept = prepared("zero-times.csv", {"missing": "drop"}, **STARS)
    assert 0 < len(kept.interactions) < 480
    assert kept.interactions.times.min() > 1_600_000_000


def test_decimal_commas_and_dates_with_the_day_first_are_proposed_and_read() -> None:
    message = refusal("day-first.csv", **STARS, separator=";")
    assert "decimal: ','" in message
    message = refusal("day-first.csv", **STARS, separator=";", decimal=",")
    assert "time_format: '%d.%m.%Y'" in message
    found = opened("day-first.csv", **STARS, separator=";", decimal=",", time_format="%d.%m.%Y").log
    assert float(found.frame["value"].iloc[0]) == 1.0
    assert int(found.frame["time"].iloc[0]) == 1_716_249_600  # 21 May 2024


def test_ids_above_2_to_the_63_are_kept_exactly(tmp_path: Path) -> None:
    table = body_table()
    users = [2**63 + int(user.removeprefix("u")) for user in table["user"].to_pylist()]
    path = tmp_path / "uint64-ids.parquet"
    pq.write_table(table.set_column(0, "user", pa.array(users, pa.uint64())), path)
    frame = opened(str(path), **STARS).log.frame
    assert frame["user"].astype(str).tolist() == [str(user) for user in users]
    assert frame["item"].astype(str).tolist() == table["item"].to_pylist()


def test_blanks_around_ids_are_trimmed_and_said() -> None:
    found = opened("padded-ids.csv", **STARS)
    assert found.log.frame["user"].nunique() == 40
    assert "trimmed blanks of 4 ids" in found.said


def test_whole_floats_throughout_are_whole_numbers_and_it_is_said() -> None:
    found = opened("whole-floats.csv", **STARS)
    assert sorted(found.log.frame["user"].unique()) == list(range(40))
    assert "whole" in found.said


def test_a_user_that_means_nobody_is_missing_where_the_suite_says_so() -> None:
    assert "missing" in refusal("nobody.csv", **RATED, missing_values=["None"])
    ready = prepared("nobody.csv", {"missing": "drop"}, **RATED, missing_values=["None"])
    assert "None" not in ready.user_ids.tolist()


def test_a_table_that_lost_its_leading_zeros_is_told() -> None:
    titles = {"path": str(EXPORTS / "isbn-titles.csv"), "item": "item", "title": "title"}
    (table,) = prepared("isbn.csv", **STARS, titles=titles).tables
    said = "\n".join([table.audit.text, *(f"{one.found}; {one.cure}" for one in table.findings)])
    assert "20 of 60 items" in said
    assert "40 more would match" in said
    assert "leading zeros" in said


def test_users_with_one_row_each_cannot_be_judged() -> None:
    ready = prepared("one-row-each.csv", time="at")
    with pytest.raises(BenchError, match="0 of 50 users have the 3 rows that this rule needs"):
        split(ready, SplitSpec())


@pytest.mark.parametrize(
    "name",
    ["body.csv.bz2", "body.zip", "gzip-without-suffix.csv", "utf16.csv", "aligned.txt"],
)
def test_what_a_file_is_wrapped_in_changes_no_row(name: str, body: list[tuple[str, str, float, int]]) -> None:
    assert rows(opened(name, **STARS).log) == body


def test_a_folder_of_parts_is_read_as_one_log(
    tmp_path: Path, body: list[tuple[str, str, float, int]]
) -> None:
    folder = tmp_path / "parts.parquet"
    folder.mkdir()
    for part in range(3):
        pq.write_table(body_table().slice(160 * part, 160), folder / f"part-{part:04}.parquet")
    assert rows(opened(str(folder), **STARS).log) == body


def test_typed_headers_name_the_columns(body: list[tuple[str, str, float, int]]) -> None:
    assert rows(opened("typed-headers.inter").log) == body
    assert rows(opened("typed-headers.inter", value="rating", time="timestamp").log) == body


def test_blanks_may_be_named_as_the_separator(body: list[tuple[str, str, float, int]]) -> None:
    assert rows(opened("aligned.txt", **STARS, separator=" ").log) == body


def test_an_encoding_is_proposed_and_read() -> None:
    message = refusal("latin1.csv", **STARS)
    assert "encoding: latin-1" in message
    users = opened("latin1.csv", **STARS, encoding="latin-1").log.frame["user"]
    assert "José" in users.tolist()


def test_baskets_are_refused_as_duplicates_and_read_as_repeats() -> None:
    assert "pairs: repeat" in refusal("baskets.csv", time="at")
    ready = prepared("baskets.csv", {"pairs": "repeat", "seen": "allow"}, time="at")
    made = split(ready, SplitSpec(by="leave_last_out"))
    assert len(ready.interactions) == len(opened("baskets.csv", time="at").log.frame)
    assert len(made.test) == made.manifest.parts["test"].users
