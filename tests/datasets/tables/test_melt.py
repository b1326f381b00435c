"""A matrix of users and items becomes one row per interaction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark import api
from benchmark.cli import main
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.melt import melt
from benchmark.datasets.tables.read import read_log
from benchmark.errors import DataError

MATRIX = ",i1,i2,i3\nann,5,,3\nbob,,4,\n"
ROWS = [["ann", "i1", 5], ["ann", "i3", 3], ["bob", "i2", 4]]
RATED = LogSpec(name="mine", value="value")


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_cells_with_an_entry_become_rows(tmp_path, suffix):
    done = melt(write(tmp_path / "m.csv", MATRIX), tmp_path / f"rows{suffix}")
    assert read_log(tmp_path / f"rows{suffix}", RATED).to_numpy().tolist() == ROWS
    assert (done.users, done.items, done.rows, done.empty, done.zeros) == (2, 3, 3, 3, 0)


def test_a_matrix_in_parquet_is_melted_alike(tmp_path):
    pd.DataFrame(
        {"user": ["ann", "bob"], "i1": [5, np.nan], "i2": [np.nan, 4], "i3": [3, np.nan]}
    ).to_parquet(tmp_path / "m.parquet")
    melt(tmp_path / "m.parquet", tmp_path / "rows.csv")
    assert read_log(tmp_path / "rows.csv", RATED).to_numpy().tolist() == ROWS


def test_zeros_are_refused_until_it_is_said_what_they_are(tmp_path):
    path = write(tmp_path / "m.csv", MATRIX.replace(",,", ",0,"))
    with pytest.raises(DataError, match=r"cells are 0, such as that of user ann, item i2; .*--zeros drop"):
        melt(path, tmp_path / "rows.csv")
    assert not (tmp_path / "rows.csv").exists()
    assert melt(path, tmp_path / "rows.csv", zeros="drop").rows == 3
    assert melt(path, tmp_path / "rows.csv", zeros="keep").rows == 5


def test_a_matrix_without_ids_is_refused_until_it_is_said_that_it_has_none(tmp_path):
    path = write(tmp_path / "m.csv", "5,,3\n,4,\n")
    with pytest.raises(DataError, match=r"first line begins with 5, .*--numbered"):
        melt(path, tmp_path / "rows.csv")
    melt(path, tmp_path / "rows.csv", numbered=True)
    assert read_log(tmp_path / "rows.csv", RATED).to_numpy().tolist() == [[1, 1, 5], [1, 3, 3], [2, 2, 4]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (",i1,i1\nann,5,4\n", "2 columns are called 'i1'"),
        (",i1,i2\nann,5,good\n", "not a matrix of numbers"),
        (",i1,i2\nann,5\n", "not a matrix of numbers"),
        ('{"a": 1}\n', "JSON lines"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        melt(write(tmp_path / "m.csv", text), tmp_path / "rows.csv")


def test_the_command_and_the_python_call_melt(tmp_path, capsys):
    path = write(tmp_path / "m.csv", MATRIX)
    assert main(["data", "melt", str(path), str(tmp_path / "rows.csv")]) == 0
    assert "2 users × 3 items: 3 rows written" in capsys.readouterr().out
    assert api.melt(path, tmp_path / "again.parquet", say=str).rows == 3
    assert main(["data", "melt", str(path)]) == 2
    assert main(["data", "melt", str(path), str(tmp_path / "rows.xls")]) == 2
