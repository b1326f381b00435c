"""The run directory: written whole or not at all, and one clear message when the disk is full."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmark import runner
from benchmark.budget import Ledger
from benchmark.errors import RunError
from benchmark.registry import Registry
from benchmark.results import RunDirectory, write_atomically, write_bytes
from benchmark.runner import RunOptions
from benchmark.suite import Suite


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the kernel refuse more bytes in a file, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_ledger_on_a_full_disk_keeps_whole_lines_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append("spend", entry="a", charged_s=1.0)
    size = (tmp_path / "ledger.jsonl").stat().st_size
    with files_no_larger_than(size + 10), pytest.raises(OSError, match="No space left"):
        ledger.append("spend", entry="a", charged_s=2.0)
    ledger.append("spend", entry="a", charged_s=3.0)
    ledger.shut()
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [line["charged_s"] for line in lines] == [1.0, 3.0]


@pytest.mark.parametrize(
    "write",
    [lambda path: write_atomically(path, "x" * 5000), lambda path: write_bytes(path, b"x" * 5000)],
    ids=["text", "bytes"],
)
def test_file_that_does_not_fit_leaves_the_old_one_and_no_half_one(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    with (
        files_no_larger_than(1000),
        pytest.raises(RunError, match="the disk is full; what is finished is saved"),
    ):
        write(path)
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]
    assert path.read_text() == "old"


def test_folder_left_by_a_disk_that_was_full_at_once_is_used_when_there_is_room(
    suite: Callable[..., Suite], fakes: Registry, tmp_path: Path
) -> None:
    only = suite(models=["fake/fixed"])
    with files_no_larger_than(10), pytest.raises(RunError, match="the disk is full"):
        runner.run(only, fakes, RunOptions(out=tmp_path / "run"))
    assert not (tmp_path / "run" / "manifest.json").exists()
    assert runner.run(only, fakes, RunOptions(out=tmp_path / "run")).manifest()["state"] == "finished"


class _Spoils(runner.Silent):
    """Takes the place of the finals away as soon as tuning is over."""

    def __init__(self, run: Path) -> None:
        self._run = run

    def final(self, study: str, done: int, total: int) -> None:
        """Put a file where the folder was, once."""
        if (self._run / "parts").is_dir():
            shutil.rmtree(self._run / "parts")
            (self._run / "parts").touch()


def test_final_that_cannot_be_stored_stops_the_run_and_is_not_the_models_failure(
    suite: Callable[..., Suite], fakes: Registry, tmp_path: Path
) -> None:
    only = suite(models=["fake/fixed"])
    with pytest.raises(RunError, match="parts: cannot be written"):
        runner.run(only, fakes, RunOptions(out=tmp_path / "run"), _Spoils(tmp_path / "run"))
    (tmp_path / "run" / "parts").unlink()
    (tmp_path / "run" / "parts").mkdir()
    run = runner.run(only, fakes, RunOptions(out=tmp_path / "run"))
    finals = run.ledger().lines("close", role="final")
    assert {line["outcome"] for line in finals} == {"lost", "complete"}


def test_lock_is_let_go_when_its_holder_is_done(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run")
    with run.locked():
        assert run.is_held
    assert not run.is_held
