"""The files of a log: which they are, what they hold, and when they need not be read again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.source_files import current, difference, source_file, source_paths
from benchmark.datasets.specs import FilesSpec, LogSpec, SyntheticSpec, TableSpec, TitlesSpec
from benchmark.errors import DataError
from benchmark.files import state_of


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("user,item\n1,1\n2,2\n")
    return path


def test_files_of_a_log_are_the_log_and_its_tables(log: Path) -> None:
    for name in ("items.csv", "users.csv"):
        (log.parent / name).write_text("item,title\n")
    spec = LogSpec(
        name="shop",
        path="log.csv",
        titles=TitlesSpec(path="items.csv"),
        users=TableSpec(path="users.csv", categories=("sex",)),
    )
    found = source_paths(spec, DataFolders(suite=log.parent))
    assert {role: path.name for role, path in found.items()} == {
        "log": "log.csv",
        "items": "items.csv",
        "users": "users.csv",
    }


def test_parts_of_a_split_are_told_apart(log: Path) -> None:
    parts = FilesSpec(train="log.csv", valid="log.csv", test="log.csv")
    spec = LogSpec(name="shop", path="log.csv")
    assert list(source_paths(spec, DataFolders(suite=log.parent), parts)) == ["train", "valid", "test"]


def test_every_file_of_a_publishers_folder_that_is_read_is_one(data_dir: Path) -> None:
    found = source_paths(LogSpec(name="movielens-100k"), DataFolders(data=data_dir))
    assert {"u.data", "u.item", "u.user"} <= set(found)


def test_generated_log_and_one_that_is_not_here_have_no_files(tmp_path: Path) -> None:
    assert source_paths(LogSpec(name="p", synthetic=SyntheticSpec()), DataFolders()) == {}
    assert source_paths(LogSpec(name="movielens-100k"), DataFolders(cache=tmp_path)) == {}


def test_file_that_was_not_touched_since_it_settled_is_not_read_again(log: Path) -> None:
    told = replace(source_file("log", log), sha256="as it was recorded", state=state_of(log))
    assert current("log", told, log) is told


def test_file_that_was_just_written_is_read_again_for_its_clock_may_stand_still(log: Path) -> None:
    recorded = source_file("log", log)
    assert recorded.state == ""
    assert current("log", replace(recorded, sha256="something else"), log).sha256 == recorded.sha256


def test_content_decides_where_a_file_was_touched(log: Path) -> None:
    recorded = replace(source_file("log", log), state=state_of(log))
    os.utime(log, (1, 1))
    again = current("log", recorded, log)
    assert again is not recorded
    assert difference(recorded, again) is None


def test_other_content_of_the_same_size_and_time_is_found(log: Path) -> None:
    """As a copy that keeps times leaves it."""
    recorded, seen = replace(source_file("log", log), state=state_of(log)), log.stat()
    log.write_text(log.read_text().replace("2,2", "2,1"))
    os.utime(log, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert log.stat().st_size == recorded.size
    line = difference(recorded, current("log", recorded, log))
    assert line is not None
    assert f"was sha256 {recorded.sha256[:8]}, is " in line


def test_same_content_in_another_place_is_no_difference(log: Path, tmp_path: Path) -> None:
    recorded = replace(source_file("log", log), state=state_of(log))
    moved = log.rename(tmp_path / "moved.csv")
    assert difference(recorded, current("log", recorded, moved)) is None


def test_file_that_cannot_be_read_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read \(No such file"):
        source_file("log", tmp_path / "gone.csv")
