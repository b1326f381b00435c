"""What the times of a log mean: numbers of a suite in the unit of the file, dates and spans converted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from builders import own_log
from hypothesis import given
from hypothesis import strategies as st

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.clock import PER_SECOND, Clock, today
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.errors import DataError, SplitError

AT = 1_717_178_400  # 2024-05-31 18:00:00 UTC


@given(st.integers(0, 4_000_000_000), st.sampled_from(["s", "ms", "us", "ns"]))
def test_a_date_is_the_same_moment_in_every_unit(seconds, unit):
    text = datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    assert Clock(unit, unit).moment(text) == seconds * PER_SECOND[unit]


@given(st.integers(-(10**9), 4 * 10**9), st.sampled_from(["s", "ms", "us", "ns"]))
def test_a_time_is_written_out_as_a_date_that_means_it(seconds, unit):
    clock = Clock(unit, unit)
    written = clock.written_out(seconds * PER_SECOND[unit])
    assert clock.moment(written) == seconds * PER_SECOND[unit]


def test_a_date_with_milliseconds_is_kept_in_milliseconds():
    assert Clock("ms", "s").moment("2024-05-31 18:00:00.250") == AT * 1000 + 250


def test_today_is_a_date():
    assert isinstance(today(), date)


@pytest.fixture
def milliseconds(tmp_path):
    """A log whose file is in milliseconds: a row a minute, users in turn."""
    rows = "".join(f"{row % 2},{row},{(AT + 60 * row) * 1000 + 1}\n" for row in range(40))
    (tmp_path / "log.csv").write_text(f"user,item,at\n{rows}")
    return open_log(LogSpec(name="mine", path=str(tmp_path / "log.csv"), time="at"))


def test_numbers_of_a_suite_are_in_the_unit_of_the_file(milliseconds):
    for start in (str((AT + 60 * 30) * 1000), "2024-05-31 18:30:00", "10min"):
        done = split(prepare(milliseconds), SplitSpec(by="global_time", test_from=start))
        assert (len(done.test), done.manifest.time_unit, done.test.time_unit) == (10, "ms", "ms")
        assert done.manifest.notes.test_until == (AT + 60 * 39) * 1000 + 1


def test_windows_of_a_rolling_split_have_their_length_in_the_unit_of_the_log(milliseconds):
    done = split(prepare(milliseconds), SplitSpec(by="rolling_time", windows=2, window="5min"))
    assert [len(rows) for rows in done.parts.values()] == [25, 5, 5]


@pytest.mark.parametrize("since", [str((AT + 60 * 30) * 1000), "2024-05-31 18:30"])
def test_a_time_window_is_cut_in_the_unit_of_the_file(milliseconds, since):
    assert len(prepare(milliseconds, PrepareSpec(time={"since": since})).interactions) == 10


def test_a_file_in_milliseconds_of_whole_seconds_is_kept_in_seconds_and_its_suite_in_milliseconds(tmp_path):
    rows = "".join(f"{row % 2},{row},{(AT + 60 * row) * 1000}\n" for row in range(40))
    (tmp_path / "log.csv").write_text(f"user,item,at\n{rows}")
    log = open_log(LogSpec(name="mine", path=str(tmp_path / "log.csv"), time="at"))
    done = split(prepare(log), SplitSpec(by="global_time", test_from=str((AT + 60 * 30) * 1000)))
    assert (len(done.test), done.test.time_unit) == (10, "s")


def test_windows_out_of_order_are_refused_in_dates(milliseconds):
    with pytest.raises(SplitError, match=r"test from 2030-01-01, end of the log 2024-05-31 18:39:00\.002"):
        split(prepare(milliseconds), SplitSpec(by="global_time", test_from="2030-01-01"))


COUNTED = {"user": np.arange(40) % 4, "item": np.arange(40), "time": np.arange(40)}


def counted():
    return replace(own_log(**COUNTED), clock=Clock("order", "order"))


@pytest.mark.parametrize(
    "rule",
    [
        {"by": "global_time", "test_from": "30d"},
        {"by": "global_time", "test_from": "2024-05-31"},
        {"by": "rolling_time", "window": "1d"},
    ],
)
def test_a_counter_knows_no_dates_and_no_lengths_of_time(rule):
    with pytest.raises(SplitError, match="only say what came first"):
        split(prepare(counted()), SplitSpec(**rule))
    with pytest.raises(DataError, match=r"prepare\.time: 2024-05-31: times only say"):
        prepare(counted(), PrepareSpec(time={"since": "2024-05-31"}))


def test_a_counter_is_split_by_its_numbers():
    done = split(prepare(counted()), SplitSpec(by="global_time", test_from="30", valid_from="20"))
    assert [len(rows) for rows in done.parts.values()] == [20, 10, 10]
    assert done.manifest.time_unit == "order"


def test_two_logs_that_differ_in_the_unit_alone_have_hashes_of_their_own():
    seconds, counter = prepare(own_log(**COUNTED)), prepare(counted())
    assert seconds.sha256 != counter.sha256
    by_time = SplitSpec(by="leave_last_out")
    assert split(seconds, by_time).manifest.hash != split(counter, by_time).manifest.hash


def test_fractions_of_a_second_decide_what_comes_last():
    times = [AT + 0.9, AT + 0.1, AT + 0.5, AT + 0.7, AT + 0.3]
    prepared = prepare(own_log(user=[1] * 5 + [2], item=[1, 2, 3, 4, 5, 1], time=[*times, AT + 0.0]))
    done = split(prepared, SplitSpec(by="leave_last_out"))
    assert prepared.item_ids[done.test.items].tolist() == [1]
    assert prepared.item_ids[done.valid.items].tolist() == [4]
    assert (done.manifest.notes.tied_rows_share, done.test.time_unit) == (0.0, "ms")


def test_ties_that_the_file_has_are_reported():
    columns = {"user": [1, 1, 1, 1, 2], "item": [1, 2, 3, 4, 1], "time": [AT, AT + 1, AT + 1, AT + 1, AT]}
    done = split(prepare(own_log(**columns)), SplitSpec(by="leave_last_out"))
    found = audit(done).notes
    assert any("before test falls between rows with equal times" in note for note in found)
    assert any("before validation falls between rows with equal times" in note for note in found)


def test_missing_times_stay_until_the_suite_drops_them(tmp_path):
    (tmp_path / "log.csv").write_text(f"user,item,at\n1,1,{AT}.5\n1,2,0\n2,1,\n2,3,{AT}\n")
    log = open_log(LogSpec(name="mine", path=str(tmp_path / "log.csv"), time="at"))
    with pytest.raises(DataError, match=r"2 rows lack a value \(time 2\)"):
        prepare(log)
    rows = prepare(log, PrepareSpec(missing="drop")).interactions
    assert (rows.times.tolist(), rows.times.dtype) == ([AT * 1000 + 500, AT * 1000], np.int64)
    assert rows.time_unit == "ms"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"timezone": "Berlin"}, "did you mean 'Europe/Berlin'"),
        ({"timezone": "Mars/Olympus"}, "must be a zone such as"),
        ({"time_format": "day.month"}, "codes of strptime"),
        ({"time_format": "excel", "time_unit": "ms"}, "exclude each other"),
    ],
)
def test_keys_of_times_that_mean_nothing_are_refused(keys, words):
    with pytest.raises(ValueError, match=words):
        LogSpec(name="mine", **keys)
