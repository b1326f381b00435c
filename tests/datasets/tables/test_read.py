"""Tables of one's own: what can be read, and what each complaint says."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.datasets.log import silent
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.delimited import DelimitedFile
from benchmark.datasets.tables.read import read_log, read_parts, read_table
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError, SplitError

RATED = LogSpec(name="mine", value="value", time="time")
ROWS = [("1", "10", "4.5", "100"), ("2", "11", "3", "101")]


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def refused(path, spec=RATED, error=DataError):
    with pytest.raises(error) as caught:
        read_log(path, spec)
    return str(caught.value)


@pytest.mark.parametrize("mark", [",", "\t", ";", "|", "::", " "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_separator_is_found(tmp_path, mark, newline):
    lines = [mark.join(row) for row in [("user", "item", "value", "time"), *ROWS]]
    path = tmp_path / "log.txt"
    path.write_bytes((newline.join(lines) + newline).encode())
    frame = read_log(path, RATED)
    assert frame.to_numpy().tolist() == [[1, 10, 4.5, 100], [2, 11, 3, 101]]


def test_csv_without_header_takes_the_columns_given(tmp_path):
    path = write(tmp_path / "u.data", "".join("\t".join(row) + "\n" for row in ROWS))
    spec = LogSpec(name="mine", value="v", time="t", columns=("user", "item", "v", "t"))
    assert read_log(path, spec)["item"].tolist() == [10, 11]


def test_csv_with_byte_order_mark_quotes_and_gzip_is_read(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress('\ufeffuser,item\n"a, b",x\nc,y\n'.encode()))
    assert read_log(path, LogSpec(name="mine"))["user"].tolist() == ["a, b", "c"]


def test_csv_columns_of_other_names_and_order_are_taken(tmp_path):
    path = write(tmp_path / "log.csv", "ts,sku,extra,uid\n5,b,?,a\n")
    frame = read_log(path, LogSpec(name="mine", user="uid", item="sku", time="ts"))
    assert frame.iloc[0].to_dict() == {"user": "a", "item": "b", "time": 5.0}


def test_ids_with_leading_zeros_stay_text(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\n007,1\n7,2\n")
    frame = read_log(path, LogSpec(name="mine"))
    assert frame["user"].tolist() == ["007", "7"]
    assert frame["item"].dtype == np.int64


def test_ids_called_na_are_ids_and_empty_ones_are_missing(tmp_path):
    path = write(tmp_path / "log.csv", "user,item\nNA,1\n,2\nnull,\n")
    frame = read_log(path, LogSpec(name="mine"))
    assert frame["user"].isna().tolist() == [False, True, False]
    assert frame["item"].isna().tolist() == [False, False, True]


def test_missing_numbers_are_missing_and_not_text(tmp_path):
    path = write(tmp_path / "log.csv", "user,item,value,time\n1,1,NaN,1\n1,2,,NULL\n1,3,2,3\n")
    frame = read_log(path, RATED)
    assert frame["value"].isna().tolist() == [True, True, False]
    assert frame["time"].isna().tolist() == [False, True, False]


def test_parquet_equals_csv(tmp_path):
    table = pd.DataFrame({"user": [3, 1], "item": ["b", "a"], "value": [1, 2], "time": [7, 8]})
    table.to_parquet(tmp_path / "log.parquet")
    table.to_csv(tmp_path / "log.csv", index=False)
    one, two = (read_log(tmp_path / name, RATED) for name in ("log.parquet", "log.csv"))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_dates_become_seconds(tmp_path, unit):
    dates = pd.Series(pd.to_datetime(["2024-05-31 18:00:00", None])).astype(f"datetime64[{unit}]")
    pd.DataFrame({"user": [1, 2], "item": [1, 2], "time": dates}).to_parquet(tmp_path / "log.parquet")
    times = read_log(tmp_path / "log.parquet", LogSpec(name="mine", time="time"))["time"]
    assert times.iloc[0] == 1_717_178_400
    assert times.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "written",
    ["1717178400", "1717178400000", "1717178400000000", "2024-05-31 18:00:00", "2024-05-31T20:00:00+02:00"],
)
def test_times_in_any_usual_writing_become_seconds(tmp_path, written):
    path = write(tmp_path / "log.csv", f"user,item,time\n1,1,{written}\n")
    assert read_log(path, LogSpec(name="mine", time="time"))["time"].tolist() == [1_717_178_400]


def test_missing_file_is_named(tmp_path):
    assert "absent.csv: no such file" in refused(tmp_path / "absent.csv")


@pytest.mark.parametrize(("text", "words"), [("", "file is empty"), ("user,item,value,time\n", "no rows")])
def test_empty_file_is_refused(tmp_path, text, words):
    assert words in refused(write(tmp_path / "log.csv", text))


def test_missing_column_is_refused_with_the_nearest_and_all_columns(tmp_path):
    message = refused(write(tmp_path / "log.csv", "users,item,value,time\n1,1,1,1\n"))
    assert "no column 'user'; did you mean 'users'?" in message
    assert "'users', 'item', 'value', 'time'" in message


def test_missing_column_in_parquet_is_refused_alike(tmp_path):
    pd.DataFrame({"user": [1], "itm": [1]}).to_parquet(tmp_path / "log.parquet")
    assert "no column 'item'; did you mean 'itm'?" in refused(tmp_path / "log.parquet", LogSpec(name="mine"))


def test_column_that_stands_twice_is_refused(tmp_path):
    message = refused(write(tmp_path / "log.csv", "user,item,item\n1,1,2\n"), LogSpec(name="mine"))
    assert "2 columns are called 'item'" in message


def test_text_in_the_value_column_is_refused_with_its_line(tmp_path):
    path = write(tmp_path / "log.csv", "user,item,value,time\n1,1,4,1\n\n1,2,good,1\n1,3,bad,1\n")
    message = refused(path)
    assert f"{path}:4: column 'value' has 'good' instead of a number (2 such rows)" in message


def test_text_in_the_value_column_of_parquet_is_refused_with_its_row(tmp_path):
    pd.DataFrame({"user": [1, 2], "item": [1, 2], "value": ["4", "good"]}).to_parquet(
        tmp_path / "log.parquet"
    )
    assert "row 2: column 'value' has 'good'" in refused(
        tmp_path / "log.parquet", LogSpec(name="mine", value="value")
    )


@pytest.mark.parametrize("written", ["yesterday", "31/05/2024"])
def test_time_that_is_none_is_refused_with_its_line(tmp_path, written):
    message = refused(write(tmp_path / "log.csv", f"user,item,value,time\n1,1,4,{written}\n"))
    assert f"log.csv:2: column 'time' has '{written}', which is not a time" in message
    assert "2024-05-31 18:00:00" in message


def test_numbers_and_dates_in_one_time_column_are_refused(tmp_path):
    message = refused(write(tmp_path / "log.csv", "user,item,value,time\n1,1,4,100\n1,2,4,2024-05-31\n"))
    assert "log.csv:3" in message
    assert "the same kind in every row" in message


def test_ids_with_fractions_are_refused(tmp_path):
    pd.DataFrame({"user": [1.5, 2.0], "item": [1, 2]}).to_parquet(tmp_path / "log.parquet")
    assert "column 'user' has fractions" in refused(tmp_path / "log.parquet", LogSpec(name="mine"))


def test_other_encoding_is_refused_with_the_cure(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("user,item,value,time\né,1,1,1\n".encode("latin-1"))
    assert f"{path}:2: byte 0xe9 is not text in UTF-8; say which encoding it is" in refused(path)
    assert "encoding: latin-1 reads 'é'" in refused(path)


def test_ragged_line_is_refused_with_its_line(tmp_path):
    message = refused(write(tmp_path / "log.csv", "user,item,value,time\n1,1,1,1\n1,2,3,4,5,6\n"))
    assert "Expected 4 fields in line 3, saw 6" in message


def test_lines_longer_than_the_header_are_refused(tmp_path):
    message = refused(write(tmp_path / "log.csv", "user,item\n1,1,1\n1,2,3\n"), LogSpec(name="mine"))
    assert "not the same number of columns" in message


def test_file_that_only_claims_to_be_parquet_is_refused(tmp_path):
    assert "not a Parquet file" in refused(write(tmp_path / "log.parquet", "user,item\n1,1\n"))


def test_titles_with_quotes_and_genres_are_read(tmp_path):
    path = write(tmp_path / "items.csv", 'sku,name,tags\n1,"One, two",a|b\n2,,\n1,again,c\n')
    table = read_table(path, TableSpec(path="items.csv", id="sku", title="name", lists=("tags",)), "item")
    assert table["title"].tolist() == ["One, two", ""]
    assert table["tags"].tolist() == ["a|b", ""]


def three(tmp_path, *texts):
    return [write(tmp_path / f"{name}.csv", text) for name, text in zip(("a", "b", "c"), texts, strict=True)]


def test_parts_are_read_below_each_other(tmp_path):
    paths = three(tmp_path, "user,item\n1,1\n2,2\n", "user,item\nx1,1\n", "user,item\n1,2\n")
    frame = read_parts(paths, LogSpec(name="mine"))
    assert frame["part"].tolist() == [0, 0, 1, 2]
    assert frame["user"].tolist() == ["1", "2", "x1", "1"]  # one column, one kind of id


def test_parts_that_overlap_are_refused_with_an_example(tmp_path):
    paths = three(tmp_path, "user,item\n1,1\n1,2\n", "user,item\n2,1\n", "user,item\n1,2\n")
    with pytest.raises(SplitError, match=r"1 pairs .* user 1, item 2 in train \(a.csv\) and test \(c.csv\)"):
        read_parts(paths, LogSpec(name="mine"))


ROW = st.tuples(
    st.text("abc7é ", min_size=1, max_size=4).map(str.strip).filter(bool),
    st.integers(0, 10**12).map(str),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.3f}") | st.sampled_from(["", "NA", "nan", "3"]),
    st.integers(0, 10**9).map(str) | st.sampled_from(["", "NULL"]),
)


@given(st.lists(ROW, min_size=1, max_size=8), st.sampled_from([",", "\t", ";", "::"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_reader_and_the_csv_module_agree(tmp_path, rows, mark):
    text = "\n".join(mark.join(row) for row in [("user", "item", "value", "time"), *rows]) + "\n"
    path = write(tmp_path / "log.csv", text)
    frame = read_log(path, RATED.model_copy(update={"ids": "text", "separator": mark, "time_unit": "s"}))
    lines = list(csv.reader(text.replace("::", "\x1f").splitlines(), delimiter=mark.replace("::", "\x1f")))[
        1:
    ]
    assert frame["user"].tolist() == [line[0] for line in lines]
    assert frame["item"].tolist() == [line[1] for line in lines]
    for column, name in ((2, "value"), (3, "time")):
        expected = pd.to_numeric(pd.Series([line[column] for line in lines]), errors="coerce")
        if name == "time":
            expected = expected.mask(expected == 0)  # which programs write where they do not know a time
        np.testing.assert_array_equal(frame[name].astype("float64"), expected.astype("float64"))


def test_the_reader_makes_no_object_a_row(tmp_path):
    path = write(tmp_path / "ratings.dat", "1::7::5::978300760\n2::8::3.5::978300761\n")
    names = ["user", "item", "value", "time"]
    table = DelimitedFile(path, TextFormat(tuple(names), "::")).read(names, names[:2], silent)
    frame = table.to_pandas()
    assert frame["value"].tolist() == [5, 3.5]
    assert list(frame["user"].cat.categories) == ["1", "2"]
