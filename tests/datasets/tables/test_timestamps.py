"""Times: read to the last digit, said in dates, and refused where they could be two things."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.datasets import clock as clocks
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import FilesSpec, LogSpec
from benchmark.datasets.tables.exact_times import coarsest, from_decimals
from benchmark.datasets.tables.read import clock_of, read_log, read_parts
from benchmark.errors import DataError

AT = 1_717_178_400  # 2024-05-31 18:00:00 UTC


def timed(**keys):
    return LogSpec(name="mine", time="at", **keys)


@pytest.fixture
def csv(tmp_path):
    """Write times into a CSV file, each in quotes if it has a comma; return its path."""

    def write(*times, name="log.csv"):
        rows = "".join(
            f'{number},{number},"{time}"\n' if "," in str(time) else f"{number},{number},{time}\n"
            for number, time in enumerate(times, start=1)
        )
        path = tmp_path / name
        path.write_text(f"user,item,at\n{rows}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def parquet(tmp_path):
    """Write times into a Parquet file; return its path."""

    def write(times):
        table = pa.table({"user": range(len(times)), "item": range(len(times)), "at": times})
        pq.write_table(table, tmp_path / "log.parquet")
        return tmp_path / "log.parquet"

    return write


def read(path, **keys):
    """Return times, unit and what was said."""
    said = []
    frame = read_log(path, timed(**keys), said.append)
    return frame["time"].tolist(), clock_of(frame).unit, said


def refused(path, **keys):
    with pytest.raises(DataError) as caught:
        read_log(path, timed(**keys))
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "unit", "times"),
    [
        (["2024-05-31 18:00:00", "2024-05-31"], "s", [AT, AT - 64_800]),
        (["2024-05-31T18:00:00.900Z", "2024-05-31T18:00:00Z"], "ms", [AT * 1000 + 900, AT * 1000]),
        (["2024-05-31 18:00:00.000001", "2024-05-31 18:00:00"], "us", [AT * 10**6 + 1, AT * 10**6]),
        (["2024-05-31 18:00:00.000000001"], "ns", [AT * 10**9 + 1]),
        (["2024-05-31 18:00:00.5 UTC", "2024-05-31 18:00:00 UTC"], "ms", [AT * 1000 + 500, AT * 1000]),
        (["2024-05-31T20:00:00+02:00", "2024-05-31T18:00:00Z"], "s", [AT, AT]),
        ([AT, AT + 1], "s", [AT, AT + 1]),
        ([f"{AT}.5", AT], "ms", [AT * 1000 + 500, AT * 1000]),
        ([f"{AT}.123456", AT], "us", [AT * 10**6 + 123_456, AT * 10**6]),
        ([f"{AT}.123456789", f"{AT}.123456788"], "ns", [AT * 10**9 + 123_456_789, AT * 10**9 + 123_456_788]),
        ([AT * 1000, AT * 1000 + 1000], "s", [AT, AT + 1]),
        ([AT * 1000 + 1, AT * 1000], "ms", [AT * 1000 + 1, AT * 1000]),
        ([AT * 10**9 + 1, AT * 10**9 + 2], "ns", [AT * 10**9 + 1, AT * 10**9 + 2]),
        (["1.7171784e9", "1.7171784005e9"], "ms", [AT * 1000, AT * 1000 + 500]),
        (["1.717178400123456789e18"], "ns", [AT * 10**9 + 123_456_789]),
    ],
)
@pytest.mark.parametrize("blank_line", ["", "   \n"])
def test_times_keep_every_digit_in_the_coarsest_unit(csv, written, unit, times, blank_line):
    path = csv(*written)
    path.write_text(path.read_text() + blank_line)
    assert read(path)[:2] == (times, unit)


def test_nanoseconds_beside_a_missing_time_keep_their_last_digit(csv):
    found, unit, _ = read(csv(AT * 10**9 + 1, "", AT * 10**9 + 3))
    assert (found[0], found[2], unit) == (AT * 10**9 + 1, AT * 10**9 + 3, "ns")
    assert found[1] is pd.NA


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=9), st.sampled_from(["s", "ms", "us", "ns"]))
@settings(max_examples=200, deadline=None)
def test_times_in_a_coarser_unit_are_the_same_times(times, unit):
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    coarse, found = coarsest(np.array(times), unit)
    factor = per_second[unit] // per_second[found]
    assert [time * factor for time in coarse.tolist()] == times
    assert found == "s" or any(time % 1000 for time in coarse.tolist())


@given(st.lists(st.decimals(-(10**9), 10**9, places=9), min_size=1, max_size=9))
@settings(max_examples=200, deadline=None)
def test_decimals_are_read_to_the_nanosecond(numbers):
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    whole, unit = from_decimals(np.array([f"{number:f}" for number in numbers], dtype=object), "s")
    assert [Decimal(time) / per_second[unit] for time in whole.tolist()] == numbers


@pytest.mark.parametrize(
    ("column", "unit", "times"),
    [
        (pa.array([date(2024, 5, 31)], pa.date32()), "s", [AT - 64_800]),
        (pa.array([datetime(2024, 5, 31, 18, tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")), "s", [AT]),
        (pa.array([AT * 10**9 + 7], pa.timestamp("ns")), "ns", [AT * 10**9 + 7]),
        (pa.array([Decimal(f"{AT}.250")], pa.decimal128(20, 3)), "ms", [AT * 1000 + 250]),
        (pa.array([AT], pa.uint64()), "s", [AT]),
        (pa.array([float(AT) + 0.25]), "ms", [AT * 1000 + 250]),
        (pa.array([AT, AT]).dictionary_encode(), "s", [AT, AT]),
        (pa.array(["2024-05-31"]).dictionary_encode(), "s", [AT - 64_800]),
        (pa.array([AT * 1000 + 1, None], pa.int64()), "ms", [AT * 1000 + 1, pd.NA]),
        (pa.array([None, None]), "s", [pd.NA, pd.NA]),
    ],
)
def test_parquet_times_of_every_kind_are_read_exactly(parquet, column, unit, times):
    found, own_unit, _ = read(parquet(column))
    assert [str(time) for time in found] == [str(time) for time in times]
    assert own_unit == unit


def test_floats_of_nanosecond_steps_stay_apart(parquet):
    close = np.nextafter(AT + 0.1234567, np.inf)
    (one, other), unit, _ = read(parquet(pa.array([AT + 0.1234567, close])))
    assert unit == "ns"
    assert 0 < other - one < 500


def test_floats_of_32_bits_are_said_to_make_ties(parquet):
    said = read(parquet(pa.array(np.array([AT, AT + 5000], dtype=np.float32))))[2]
    assert any("two minutes apart" in text for text in said)


@pytest.mark.parametrize(
    ("written", "cure"),
    [
        (["45443.75", "45443.75069"], "time_format: excel"),
        (["45443", "45444"], "time_format: excel"),
        (["2019", "2024"], "time_format: '%Y'"),
        (["20240531", "20231201"], "time_format: '%Y%m%d'"),
        (["202405", "202312"], "time_format: '%Y%m'"),
        (["20240531180000", "20231201000000"], "time_format: '%Y%m%d%H%M%S'"),
        (["638527680000000000"], "as .NET counts"),
    ],
)
def test_numbers_that_are_no_seconds_are_refused_with_the_key(csv, written, cure):
    message = refused(csv(*written))
    assert cure in message
    assert "which would be times from" in message


@pytest.mark.parametrize(
    ("written", "codes", "times"),
    [
        (["20240531", "20240601"], "%Y%m%d", [AT - 64_800, AT + 21_600]),
        (["2024.10", "2024.1"], "%Y.%m", [1_727_740_800, 1_704_067_200]),
        (["31.05.2024 18:00", "31.05.2024 18:01"], "%d.%m.%Y %H:%M", [AT, AT + 60]),
        (["Fri May 31 20:00:00 +0200 2024"], "%a %b %d %H:%M:%S %z %Y", [AT]),
        (["31/May/2024:18:00:00 +0000"], "%d/%b/%Y:%H:%M:%S %z", [AT]),
        (["45443.75", "45443.5"], "excel", [AT, AT - 21_600]),
    ],
)
def test_times_are_read_in_the_format_given(csv, written, codes, times):
    assert read(csv(*written), time_format=codes)[:2] == (times, "s")


def test_day_numbers_are_read_to_the_millisecond(csv):
    assert read(csv("45443.75069", "45443.75"), time_format="excel")[:2] == (
        [AT * 1000 + 59_616, AT * 1000],
        "ms",
    )


def test_a_time_in_another_format_than_given_is_refused_with_its_line(csv):
    message = refused(csv("31.05.2024", "2024-05-31"), time_format="%d.%m.%Y")
    assert "log.csv:3: column 'at' has '2024-05-31'" in message


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        (["31.05.2024", "01.06.2024"], ["'%d.%m.%Y'"]),
        (["31/05/2024 18:00:00"], ["'%d/%m/%Y %H:%M:%S'"]),
        (["05/06/2024", "01/02/2024"], ["'%d/%m/%Y'", "'%m/%d/%Y'", "only you know which is meant"]),
        (["05/31/2024 06:00:00 PM"], ["'%m/%d/%Y %I:%M:%S %p'"]),
        (["Wed Aug 27 13:08:45 +0000 2008"], ["'%a %b %d %H:%M:%S %z %Y'"]),
        (["09 13, 2009"], ["'%m %d, %Y'"]),
        (["2024-05-31 6:00 PM"], ["'%Y-%m-%d %I:%M %p'"]),
        (["yesterday"], ["missing_values"]),
    ],
)
def test_the_formats_that_every_entry_fits_are_proposed(csv, written, keys):
    message = refused(csv(*written))
    assert all(key in message for key in keys), message


def test_times_and_values_that_need_keys_are_complained_about_together(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user;item;at;stars\n1;1;31.05.2024;3,5\n2;2;01.06.2024;4,0\n")
    message = refused(path, value="stars")
    assert "time_format: '%d.%m.%Y'" in message
    assert "decimal: ','" in message
    frame = read_log(path, timed(value="stars", decimal=",", time_format="%d.%m.%Y"))
    assert frame["value"].tolist() == [3.5, 4.0]


@pytest.mark.parametrize("unknown", ["0", "-1", "0.0"])
def test_zero_and_minus_one_are_missing_and_counted(csv, unknown):
    found, _, said = read(csv(AT, unknown, unknown))
    assert [time is pd.NA for time in found] == [False, True, True]
    assert "log.csv:3: column 'at': 2 times are 0 or -1" in said[0]


@pytest.mark.parametrize(
    "unknown", ["1970-01-01 00:00:00", "1969-12-31 23:59:59", "0000-00-00 00:00:00", "0000-00-00"]
)
def test_dates_that_programs_write_for_none_are_missing_and_counted(csv, unknown):
    found, _, said = read(csv("2024-05-31 18:00:00", unknown), timezone="Europe/Berlin")
    assert found[0] == AT - 7200
    assert found[1] is pd.NA
    assert "1 times are 0 or -1" in said[0]


def test_a_counter_starts_at_zero_where_the_suite_says_so(csv):
    found, unit, said = read(csv("0", "-1", "1"), time_unit="order")
    assert (found, unit, said) == ([0, -1, 1], "order", [])


@pytest.mark.parametrize(("written", "words"), [("1.5", "whole number"), ("first", "'first'")])
def test_a_counter_has_whole_numbers_only(csv, written, words):
    message = refused(csv("1", written), time_unit="order")
    assert "log.csv:3" in message
    assert words in message


def test_a_decimal_comma_in_times_is_proposed_and_read(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"user;item;at\n1;1;{AT},5\n2;2;{AT},25\n")
    assert "set decimal: ','" in refused(path)
    assert read(path, decimal=",")[:2] == ([AT * 1000 + 500, AT * 1000 + 250], "ms")


def test_what_pandas_writes_for_no_time_is_missing(csv):
    assert read(csv("2024-05-31", "NaT"))[0][1] is pd.NA


@pytest.mark.parametrize("named", ["9999-12-31", "2001-01-01"])
def test_dates_named_as_missing_are_missing(csv, named):
    found = read(csv("2024-05-31", named), missing_values=(named,))[0]
    assert [time is pd.NA for time in found] == [False, True]


def test_numbers_and_words_named_as_missing_are_missing(csv):
    found = read(csv(AT, "7", "n/k"), missing_values=("7", "n/k"))[0]
    assert [time is pd.NA for time in found] == [False, True, True]


def test_times_of_which_half_have_a_zone_are_refused_unless_the_other_zone_is_named(csv):
    path = csv("2024-05-31T18:00:00Z", "2024-05-31T20:00:00")
    message = refused(path)
    assert "log.csv:3: column 'at' has '2024-05-31T20:00:00' without a zone" in message
    assert "timezone" in message
    assert read(path, timezone="Europe/Berlin")[0] == [AT, AT]


def test_times_without_a_zone_are_in_the_one_given(csv):
    assert read(csv("2024-05-31 20:00:00"), timezone="Europe/Berlin")[0] == [AT]
    assert read(csv("2024-05-31 20:00:00"), timezone="+02:00")[0] == [AT]


def test_an_hour_that_comes_twice_is_said(csv):
    found, _, said = read(csv("2024-10-27 02:30:00", "2024-03-31 02:30:00"), timezone="Europe/Berlin")
    assert found == [1_729_989_000, 1_711_846_800]
    assert "2 times lie where the clocks of Europe/Berlin change" in said[0]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([timedelta(days=3)], pa.duration("s")), "lengths of time"),
        (pa.array([True, False]), "numbers, text or dates"),
        (pa.array([float("inf"), 1.0]), "not a time"),
        (pa.array([1e30, 1e30]), "not a time"),
        (pa.array([2**64 - 1], pa.uint64()), "not a time"),
    ],
)
def test_what_is_no_time_is_refused(parquet, column, words):
    assert words in refused(parquet(column))


@pytest.mark.parametrize(
    "written", ["1e30", "1000000000000000000000000", "2024-05-31T18:00:00.1234567891", f"{AT}.1234567891"]
)
def test_times_that_no_number_has_room_for_are_refused_with_their_line(csv, written):
    message = refused(csv(written, written))
    assert "log.csv:2: column 'at' has" in message


def split_files(tmp_path, *times):
    paths = []
    for part, time in enumerate(times):
        path = tmp_path / f"{part}.csv"
        path.write_text(f"user,item,at\n{part},1,{time}\n")
        paths.append(path)
    return paths


def test_files_of_a_split_are_brought_to_one_unit(tmp_path):
    frame = read_parts(split_files(tmp_path, AT, f"{AT}.5", ""), timed())
    assert frame["time"].tolist()[:2] == [AT * 1000, AT * 1000 + 500]
    assert frame["time"].isna().tolist() == [False, False, True]
    assert clock_of(frame).unit == "ms"


@pytest.mark.parametrize("other", [AT * 1000, "2024-05-31", "2024-05-31T00:00Z"])
def test_files_of_a_split_that_write_times_differently_are_refused(tmp_path, other):
    with pytest.raises(DataError, match=r"1\.csv: times are .* in .*0\.csv"):
        read_parts(split_files(tmp_path, AT, other, AT), timed())


def notes(path, **keys):
    return open_log(timed(path=str(path), **keys)).notes


def test_the_span_of_a_log_is_said_in_dates(csv):
    assert notes(csv(AT, AT + 86_400.5))[-1] == (
        "mine: times go from 2024-05-31 18:00:00 to 2024-06-01 18:00:00.500 (UTC)"
    )


def test_times_before_1990_are_flagged(csv):
    assert "2 of 3 rows are before 1990" in notes(csv(5, 7, AT))[-1]


def test_times_after_today_are_flagged(csv, monkeypatch):
    path = csv("2024-05-31", "2024-06-09")
    monkeypatch.setattr(clocks, "today", lambda: date(2024, 6, 1))
    assert "1 of 2 rows are after today, 2024-06-01" in notes(path)[-1]
    monkeypatch.setattr(clocks, "today", lambda: date(2024, 6, 9))
    assert "after today" not in notes(path)[-1]


def test_three_files_say_their_span_once(tmp_path):
    split_files(tmp_path, AT, AT, AT)
    files = FilesSpec(
        **{part: str(tmp_path / f"{at}.csv") for at, part in enumerate(("train", "valid", "test"))}
    )
    log = open_log(timed(), parts=files)
    assert [note for note in log.notes if "times go from" in note] == [
        "mine: times go from 2024-05-31 18:00:00 to 2024-05-31 18:00:00 (UTC)"
    ]
