"""Ids: compared as people mean them, with a word for whatever was made of them, and never merged."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, PrepareSpec, TableSpec, TitlesSpec
from benchmark.datasets.tables.read import read_log, read_parts, read_table
from benchmark.errors import DataError

COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.fixture
def csv(tmp_path):
    """Write ids of users into a CSV file; return its path."""

    def write(*users, name="log.csv"):
        rows = "".join(f"{user},{item}\n" for item, user in enumerate(users, start=1))
        path = tmp_path / name
        path.write_text(f"user,item\n{rows}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def parquet(tmp_path):
    """Write a column of users into a Parquet file; return its path."""

    def write(users):
        pq.write_table(pa.table({"user": users, "item": range(len(users))}), tmp_path / "log.parquet")
        return tmp_path / "log.parquet"

    return write


def read(path, **keys):
    """Return the users and what was said."""
    said = []
    return read_log(path, LogSpec(name="mine", **keys), said.append)["user"].tolist(), said


def refused(path, **keys):
    with pytest.raises(DataError) as caught:
        read_log(path, LogSpec(name="mine", **keys))
    return str(caught.value)


def test_blanks_around_ids_are_trimmed_and_counted(csv):
    path = csv("u1", " u1", "u1\u00a0", "u2")
    users, said = read(path)
    assert users == ["u1", "u1", "u1", "u2"]
    assert said == [f"{path}:3: column 'user' has ' u1': trimmed blanks of 2 ids"]


@pytest.mark.parametrize("invisible", ["\ufeff7", "7\u200b", "7\t", "\u20607"])
def test_what_is_invisible_around_an_id_is_trimmed(csv, invisible):
    users, said = read(csv("7", invisible))
    assert users == [7, 7]
    assert "trimmed blanks of 1 ids" in said[0]


def test_an_id_of_blanks_alone_is_missing(csv):
    assert pd.isna(read(csv("u1", "  "))[0][1])


def test_composed_and_decomposed_letters_are_one_and_said(csv):
    users, said = read(csv(COMPOSED, DECOMPOSED))
    assert users == [COMPOSED, COMPOSED]
    assert "composed them in 1 ids" in said[0]


def test_ids_kept_as_written_are_neither_trimmed_nor_composed(csv):
    users, said = read(csv("u1", "u1 ", COMPOSED, DECOMPOSED), ids="text")
    assert (users, said) == (["u1", "u1 ", COMPOSED, DECOMPOSED], [])


def test_whole_floats_throughout_are_whole_numbers_and_said(csv):
    users, said = read(csv("5863.0", "7.0", "-1.00"))
    assert users == [5863, 7, -1]
    assert "written as floats, 5863.0; read as 5863" in said[0]


def test_whole_floats_of_parquet_are_whole_numbers_and_said(parquet):
    users, said = read(parquet(pa.array([5863.0, 7.0])))
    assert users == [5863, 7]
    assert "5863.0; read as 5863" in said[0]


def test_whole_floats_beside_whole_numbers_stay_refused(csv):
    assert "'3.0' where other ids are whole numbers" in refused(csv("3", "3.0"))


@pytest.mark.parametrize(
    ("users", "first"),
    [
        (pa.array([2.0**53, 1.0]), "9007199254740992"),
        (pa.array(np.array([2**24, 1], dtype=np.float32)), "16777216"),
        (pa.array(np.array([2048, 1], dtype=np.float16)), "2048"),
    ],
)
def test_floats_too_large_to_be_told_apart_are_refused(parquet, users, first):
    message = refused(parquet(users))
    assert f"row 1: column 'user' has {first} as a float" in message


def test_whole_floats_too_large_to_be_told_apart_are_refused_in_text_too(csv):
    assert "9007199254740993" not in refused(csv("9007199254740993.0", "1.0")).split("as a float")[1]


def test_long_numbers_that_a_spreadsheet_rounded_are_refused(csv):
    message = refused(csv("9.78019E+12", "9780195153448"))
    assert (
        "log.csv:2: column 'user' has '9.78019E+12', a long number that a spreadsheet has rounded" in message
    )
    assert read(csv("9.78019E+12", "9780195153448"), ids="text")[0] == ["9.78019E+12", "9780195153448"]


def test_whole_numbers_above_the_signed_range_are_kept_digit_by_digit(parquet):
    largest = 2**64 - 1
    users, said = read(parquet(pa.array([largest, 2**63, 5], pa.uint64())))
    assert users == [str(largest), str(2**63), "5"]
    assert "kept as text" in said[0]


def test_unsigned_whole_numbers_that_fit_are_whole_numbers(parquet):
    users, said = read(parquet(pa.array([5, 2**63 - 1], pa.uint64())))
    assert (users, said) == ([5, 2**63 - 1], [])


def test_whole_numbers_beside_a_missing_one_do_not_merge(parquet):
    users, _ = read(parquet(pa.array([2**53 + 1, None, 2**53], pa.int64())))
    assert [users[0], users[2]] == [2**53 + 1, 2**53]
    assert users[1] is pd.NA


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (pa.array([Decimal(5), Decimal(12345678901234567890)]), ["5", "12345678901234567890"]),
        (pa.array([Decimal("5.00"), Decimal("7.00")]), [5, 7]),
        (pa.array([b"u1", b"u2"]), ["u1", "u2"]),
        (pa.array([3, 4, 3]).dictionary_encode(), [3, 4, 3]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([7, 8], pa.int8()), [7, 8]),
    ],
)
def test_ids_of_every_kind_in_parquet_are_read_exactly(parquet, users, expected):
    assert read(parquet(users))[0] == expected


def test_ids_of_bytes_that_are_no_text_are_refused(parquet):
    assert "column 'user' contains bytes that are not text" in refused(parquet(pa.array([b"\xff\xfe"])))


def test_the_index_of_a_pandas_frame_is_a_column_like_any_other(tmp_path):
    frame = pd.DataFrame({"user": [1, 7, 9], "item": [3, 4, 5]}).set_index("user")
    frame.to_parquet(tmp_path / "log.parquet")
    assert read(tmp_path / "log.parquet")[0] == [1, 7, 9]


def test_ids_named_as_missing_are_missing(csv):
    users, _ = read(csv("1", "None", "-1", " unknown", "2"), missing_values=("None", "unknown", "-1"))
    assert [users[0], users[4]] == [1, 2]
    assert [pd.isna(user) for user in users] == [False, True, True, True, False]


def test_numbers_named_as_missing_are_missing_in_parquet(parquet):
    users, _ = read(parquet(pa.array([5, -1])), missing_values=("-1",))
    assert [pd.isna(user) for user in users] == [False, True]


def test_a_word_among_numbers_is_refused_with_both_keys(csv):
    message = refused(csv("1", "unknown", "None"))
    assert "ids: text" in message
    assert "missing_values: [unknown]" in message


def test_names_of_nobody_follow_prepare_missing(csv):
    log = open_log(LogSpec(name="mine", path=str(csv("a", "None", "b", "c")), missing_values=("None",)))
    with pytest.raises(DataError, match=r"1 rows lack a value \(user 1\)"):
        prepare(log)
    assert prepare(log, PrepareSpec(missing="drop")).user_ids.tolist() == ["a", "b", "c"]


def test_values_named_as_missing_are_missing(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,stars\n1,1,-1\n1,2,4\n2,1,n/k\n")
    spec = LogSpec(name="mine", value="stars", missing_values=("-1", "n/k"))
    assert read_log(path, spec)["value"].isna().tolist() == [True, False, True]


def test_split_files_are_trimmed_together(tmp_path):
    paths = []
    for name, row in (("a", "u1,1"), ("b", " u1,2"), ("c", "None,3")):
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(f"user,item\n{row}\n")
    said = []
    spec = LogSpec(
        name="mine", missing_values=("None",), items=TableSpec(path="x", id="id", categories=("brand",))
    )
    frame = read_parts(paths, spec, said.append)
    assert frame["user"].tolist()[:2] == ["u1", "u1"]
    assert frame["user"].isna().tolist() == [False, False, True]
    assert any(f"{paths[1]}:2: column 'user' has ' u1': trimmed blanks of 1 ids" in text for text in said)


def test_titles_are_found_however_the_table_writes_the_ids(tmp_path):
    (tmp_path / "log.csv").write_text(f"user,item\n1,{COMPOSED}\n2,{DECOMPOSED}\n2,b\n")
    (tmp_path / "items.csv").write_text(f"item,title\n {DECOMPOSED} ,One\nb,None\n")
    spec = LogSpec(name="mine", path="log.csv", titles=TitlesSpec(path="items.csv"), missing_values=("None",))
    log = open_log(spec, DataFolders(suite=tmp_path))
    assert sorted(prepare(log).titles) == ["One", "b"]
    assert any("items.csv:2" in note for note in log.notes)


def test_a_table_of_whole_floats_knows_the_whole_numbers_of_the_log(tmp_path):
    (tmp_path / "items.csv").write_text("id,brand\n5863.0,x\n7.0,y\n")
    table = read_table(tmp_path / "items.csv", TableSpec(path="", categories=("brand",)), "item")
    assert table["item"].tolist() == [5863, 7]


@pytest.mark.parametrize("decimal", ["3,5", "-0,25", "1234,5", "1,5e3"])
def test_a_decimal_comma_is_proposed_and_read(tmp_path, decimal):
    path = tmp_path / "log.csv"
    path.write_text(f"user;item;stars\n1;1;{decimal}\n1;2;4\n")
    message = refused(path, value="stars")
    assert "every entry is a number with a decimal comma: set decimal: ','" in message
    read_values = read_log(path, LogSpec(name="mine", value="stars", decimal=","))["value"]
    assert read_values.tolist() == [float(decimal.replace(",", ".")), 4.0]


def test_a_comma_that_may_separate_thousands_is_not_guessed(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user;item;plays\n1;1;1,234\n1;2;4\n")
    assert "if it separates thousands" in refused(path, value="plays")


def test_a_point_is_refused_where_the_decimal_mark_is_a_comma(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user;item;plays\n1;1;1.234\n1;2;4,5\n")
    assert "log.csv:2: column 'plays' has '1.234'" in refused(path, value="plays", decimal=",")


def test_dates_are_no_values(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,stars\n1,1,2024-05-31\n1,2,2024-06-01\n")
    assert "has '2024-05-31' instead of a number" in refused(path, value="stars")
