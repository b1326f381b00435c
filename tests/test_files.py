"""Files are written whole or not at all, and a full disk is one clear message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from full_disk import files_no_larger_than

from benchmark.errors import RunError
from benchmark.files import atomic_path, content_hash, file_sha256, write_bytes, write_text


@pytest.mark.parametrize(
    "write",
    [lambda path: write_text(path, "x" * 5000), lambda path: write_bytes(path, b"x" * 5000)],
    ids=["text", "bytes"],
)
def test_file_that_does_not_fit_leaves_the_old_one_and_no_half_one(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    with (
        files_no_larger_than(1000),
        pytest.raises(RunError, match="the disk is full; everything finished is saved"),
    ):
        write(path)
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]
    assert path.read_text() == "old"


def test_file_takes_the_place_of_the_old_one_only_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_error_while_a_file_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("ne")
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        half()
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_hash_of_what_is_written_is_that_of_the_file(tmp_path: Path) -> None:
    assert write_bytes(tmp_path / "file", b"abc") == file_sha256(tmp_path / "file")


def test_hash_of_content_knows_values_and_not_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": [2]}) == content_hash({"b": [2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 1.5})
