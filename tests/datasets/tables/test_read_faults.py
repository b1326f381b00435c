"""Each faulty input gets its one message: where, what was found, what must hold, what to do."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import FilesSpec, LogSpec, TableSpec
from benchmark.datasets.tables.read import read_log, read_parts, read_table
from benchmark.errors import DataError, SplitError

TIMED = LogSpec(name="mine", time="time")


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def refused(path, spec=TIMED, error=DataError):
    with pytest.raises(error) as caught:
        read_log(path, spec)
    return str(caught.value)


def parquet(path, **columns):
    pd.DataFrame(columns).to_parquet(path)
    return path


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_truncated_parquet_is_refused_as_cut_off(tmp_path, keep):
    path = parquet(tmp_path / "log.parquet", user=np.arange(5000), item=np.arange(5000))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert "damaged or cut off" in refused(path, LogSpec(name="mine"))
    assert "copy or write it again" in refused(path, LogSpec(name="mine"))


def test_parquet_damaged_inside_is_refused(tmp_path):
    path = parquet(tmp_path / "log.parquet", user=np.arange(5000), item=np.arange(5000))
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)
    assert "damaged or cut off" in refused(path, LogSpec(name="mine"))


def test_truncated_gzip_is_refused_as_cut_off(tmp_path):
    path = tmp_path / "log.csv.gz"
    rows = "".join(f"{number},{number * 7 % 1000}\n" for number in range(20_000))
    path.write_bytes(gzip.compress(f"user,item\n{rows}".encode())[:20_000])
    assert "damaged or cut off" in refused(path, LogSpec(name="mine"))


@pytest.mark.parametrize("slip", ["unknown", "Total", "-", "3.0"])
def test_mixed_ids_are_refused_with_line_and_cure(tmp_path, slip):
    path = write(tmp_path / "log.csv", f"user,item\n1,1\n2,2\n{slip},3\n")
    message = refused(path, LogSpec(name="mine"))
    assert f"{path}:4: column 'user' has {slip!r} where other ids are whole numbers, such as 1" in message
    assert "ids: text" in message


def test_mixed_ids_are_kept_as_written_on_request(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\n1,1\nunknown,2\n3.0,3\n")
    frame = read_log(path, LogSpec(name="mine", ids="text"))
    assert frame["user"].tolist() == ["1", "unknown", "3.0"]


def test_ids_that_are_codes_may_be_numbers_in_part(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\n1,0001048791\n2,B00004TKVY\n3,1400045088\n")
    frame = read_log(path, LogSpec(name="mine"))
    assert frame["item"].tolist() == ["0001048791", "B00004TKVY", "1400045088"]


def test_mixed_ids_across_split_files_are_refused_with_the_file(tmp_path):
    texts = ("user,item\n1,1\n2,2\n", "user,item\n1,2\n", "user,item\nanna,1\n")
    paths = [write(tmp_path / f"{name}.csv", text) for name, text in zip("abc", texts, strict=True)]
    with pytest.raises(DataError, match=r"c.csv:2: column 'user' has 'anna'"):
        read_parts(paths, LogSpec(name="mine"))


@pytest.mark.parametrize("content", [[True, False], [[1], [2]]])
def test_ids_of_a_kind_that_is_none_are_refused(tmp_path, content):
    path = parquet(tmp_path / "log.parquet", user=content, item=[1, 2])
    assert "it must contain numbers, text or dates" in refused(path, LogSpec(name="mine"))


def test_nan_ids_in_parquet_are_refused_with_count_row_and_cure(tmp_path):
    path = parquet(tmp_path / "log.parquet", user=[1.0, np.nan, 3.0, np.nan], item=[1, 2, 3, 4])
    log = open_log(LogSpec(name="mine", path=str(path)))
    with pytest.raises(DataError, match=r"2 rows lack a value \(user 2\), the first is row 2.*missing: drop"):
        prepare(log)


def test_missing_ids_in_csv_are_refused_with_count_row_and_cure(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\n1,1\n,2\n3,3\n")
    with pytest.raises(DataError, match=r"1 rows lack a value \(user 1\), the first is row 2"):
        prepare(open_log(LogSpec(name="mine", path=str(path))))


@pytest.mark.parametrize(("factor", "unit"), [(1e3, "ms"), (1e6, "us"), (1e9, "ns")])
def test_times_in_small_units_are_converted_and_said(tmp_path, factor, unit):
    said = []
    path = write(tmp_path / "log.csv", f"user,item,time\n1,1,{1_717_178_400 * int(factor)}\n")
    assert read_log(path, TIMED, said.append)["time"].tolist() == [1_717_178_400]
    assert said[0].startswith(f"{path}: column 'time' read as ")
    assert f"time_unit: {unit}" in said[0]


def test_times_in_seconds_need_no_word(tmp_path):
    said = []
    read_log(write(tmp_path / "log.csv", "user,item,time\n1,1,1717178400\n"), TIMED, said.append)
    assert said == []


def test_times_in_two_units_are_refused_with_both(tmp_path):
    path = write(tmp_path / "log.csv", "user,item,time\n1,1,1717178400\n1,2,1717178400000\n1,3,1717178401\n")
    message = refused(path)
    assert f"{path}:3: column 'time' has 1717178400000, which would be milliseconds" in message
    assert "1717178400 in another row, which would be seconds" in message
    assert "time_unit" in message


def test_times_follow_the_unit_given(tmp_path):
    path = write(tmp_path / "log.csv", "user,item,time\n1,1,5000\n1,2,1717178400000\n")
    frame = read_log(path, LogSpec(name="mine", time="time", time_unit="ms"))
    assert frame["time"].tolist() == [5, 1_717_178_400]


@pytest.mark.parametrize("written", ["noon", "18:00:00", "2024-13-01"])
def test_time_in_words_is_refused_with_its_line(tmp_path, written):
    path = write(tmp_path / "log.csv", f"user,item,time\n1,1,{written}\n")
    assert f"{path}:2: column 'time' has '{written}', which is not a time" in refused(path)


def test_split_files_of_other_items_are_refused_with_examples(tmp_path):
    texts = ("user,item\n1,100\n2,200\n", "user,item\n1,200\n", "user,item\n1,i100\n2,i200\n2,100\n")
    paths = [write(tmp_path / f"{name}.csv", text) for name, text in zip("abc", texts, strict=True)]
    with pytest.raises(
        SplitError, match=r"c.csv: 2 items such as i100 \(67% of its rows\) do not occur in a"
    ):
        read_parts(paths, LogSpec(name="mine"))


def test_split_files_of_new_items_are_read_where_a_table_knows_them(tmp_path):
    for name, text in (("a", "1,1\n2,1"), ("b", "1,2"), ("c", "1,3")):
        write(tmp_path / f"{name}.csv", f"user,item\n{text}\n")
    write(tmp_path / "items.csv", "id,brand\n1,x\n2,x\n3,y\n")
    spec = LogSpec(name="mine", items=TableSpec(path="items.csv", categories=("brand",)))
    files = FilesSpec(train="a.csv", valid="b.csv", test="c.csv")
    assert len(open_log(spec, DataFolders(suite=tmp_path), parts=files).frame) == 4


def test_split_files_with_few_unknown_items_say_so(tmp_path):
    said = []
    texts = ("user,item\n1,1\n2,2\n", "user,item\n1,2\n", "user,item\n2,1\n1,9\n")
    paths = [write(tmp_path / f"{name}.csv", text) for name, text in zip("abc", texts, strict=True)]
    read_parts(paths, LogSpec(name="mine"), said.append)
    found = f"{paths[2]}: 1 items such as 9 (50% of its rows) do not occur in a.csv"
    assert said == [f"{found}: no model that learns from the log alone can recommend them"]


def test_blank_lines_before_the_header_are_no_rows(tmp_path):
    path = write(tmp_path / "log.csv", "\n\nuser,item\n1,2\n")
    assert read_log(path, LogSpec(name="mine")).to_numpy().tolist() == [[1, 2]]


def test_table_with_text_among_numbers_is_refused_with_its_line(tmp_path):
    path = write(tmp_path / "items.csv", "id,price\n1,2.5\n2,cheap\n")
    with pytest.raises(DataError, match=r"items.csv:3: column 'price' has 'cheap' instead of a number"):
        read_table(path, TableSpec(path="items.csv", numbers=("price",)), "item")
