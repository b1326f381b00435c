"""Paths that a suite names: those that no file can have, or that never end, are a message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.datasets.sources.folders import DataFolders
from benchmark.errors import DataError


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("x" * 300, r"'x{60}\.\.\.': cannot be a file \(File name too long\)"),
        ("a\0b", r"cannot be a file \(.*null byte\)"),
        ("~nobody-of-this-name/log.csv", r"cannot be a file \(Could not determine home directory"),
        ("loop", r"'loop': cannot be a file \(Too many levels of symbolic links\)"),
        ("pipe", r"pipe: is neither a file nor a folder; give a file"),
        ("/dev/zero", r"/dev/zero: is neither a file nor a folder; give a file"),
    ],
)
def test_path_that_is_no_file_is_refused_before_it_is_opened(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match=words):
        DataFolders(suite=tmp_path).resolve(path)


def test_path_is_looked_for_beside_the_suite_then_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = tmp_path / "suites"
    suite.mkdir()
    (tmp_path / "log.csv").touch()
    assert DataFolders(suite=suite).resolve("log.csv") == Path("log.csv")
    (suite / "log.csv").touch()
    assert DataFolders(suite=suite).resolve("log.csv") == suite / "log.csv"
    assert DataFolders(suite=suite).resolve("gone/log.csv") == suite / "gone" / "log.csv"
