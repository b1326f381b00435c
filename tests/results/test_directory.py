"""The run directory: written whole or not at all, read back as it was, held by one process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from full_disk import files_no_larger_than

from benchmark import runner
from benchmark.errors import RunError
from benchmark.ledger import Ledger
from benchmark.records import FinalRecord, Hardware, Spent
from benchmark.registry import Registry
from benchmark.results import RunDirectory, runs_under
from benchmark.runner import RunOptions
from benchmark.suite import Suite

Make = Callable[..., Suite]
HARDWARE = Hardware(
    python="3.11.7",
    platform="Linux",
    processor="one",
    cores=2,
    memory_mb=8000,
    gpus=("H200",),
    versions={"numpy": "2"},
    hash="ab",
    pid=7,
)


def test_ledger_on_a_full_disk_keeps_whole_lines_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(Spent(entry="a", charged_s=1.0))
    size = (tmp_path / "ledger.jsonl").stat().st_size
    with files_no_larger_than(size + 10), pytest.raises(OSError, match="No space left"):
        ledger.append(Spent(entry="a", charged_s=2.0))
    ledger.append(Spent(entry="a", charged_s=3.0))
    ledger.shut()
    assert [one.charged_s for one in ledger.records(Spent)] == [1.0, 3.0]
    assert Ledger.read(tmp_path / "ledger.jsonl") == ledger.records(Spent)


def test_folder_left_by_a_disk_that_was_full_at_once_is_used_when_there_is_room(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    only = suite(models=["fake/fixed"])
    with files_no_larger_than(10), pytest.raises(RunError, match="the disk is full"):
        runner.run(only, fakes, RunOptions(out=tmp_path / "run"))
    assert not (tmp_path / "run" / "manifest.json").exists()
    assert runner.run(only, fakes, RunOptions(out=tmp_path / "run")).manifest().state == "finished"


class Spoils(runner.Silent):
    """Takes away the folder that finals are stored in as soon as tuning is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def final(self, study: str, done: int, total: int) -> None:
        """Put a file where the folder was, once."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)
            self.folder.touch()


def test_final_that_cannot_be_stored_stops_the_run_and_is_not_the_models_failure(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    only, folder = suite(models=["fake/fixed"]), tmp_path / "run" / "per_user"
    with pytest.raises(RunError, match="per_user: cannot be written"):
        runner.run(only, fakes, RunOptions(out=tmp_path / "run"), Spoils(folder))
    folder.unlink()
    folder.mkdir()
    run = runner.run(only, fakes, RunOptions(out=tmp_path / "run"))
    finals = [one for one in run.records() if isinstance(one, FinalRecord)]
    assert {final.outcome for final in finals} == {"lost", "complete"}


def test_lock_is_let_go_when_its_holder_is_done(suite: Make, tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", suite(), "2026-11-30")
    with run.locked():
        assert run.is_held
    assert not run.is_held


def test_suite_comes_back_as_it_was_resolved(suite: Make, tmp_path: Path) -> None:
    own = suite(models=["fake/fixed", {"use": "fake/steady", "tune": {"bend": {"low": 0.2}}}])
    RunDirectory.create(tmp_path / "run", own, "2026-11-30")
    assert RunDirectory.existing(tmp_path / "run").suite() == own


def test_manifest_comes_back_with_what_was_written_into_it(suite: Make, tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", suite(), "2026-11-30")
    run.update(hardware=HARDWARE, state="stopped")
    manifest = RunDirectory.existing(tmp_path / "run").manifest()
    assert (manifest.suite, manifest.started, manifest.state) == ("small", "2026-11-30", "stopped")
    assert manifest.hardware == HARDWARE
    assert manifest.studies == ()


@pytest.mark.parametrize("name", ["manifest.json", "suite.json", "ledger.jsonl"])
def test_damaged_file_is_named(suite: Make, tmp_path: Path, name: str) -> None:
    run = RunDirectory.create(tmp_path / "run", suite(), "2026-11-30")
    (run / name).write_text("not JSON\n")
    with pytest.raises(RunError, match=rf"{name}: cannot be read .*; the run directory is damaged"):
        {"manifest.json": run.manifest, "suite.json": run.suite, "ledger.jsonl": run.records}[name]()


def test_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory.existing(tmp_path)


def test_runs_are_listed_newest_first_without_what_cannot_be_read(suite: Make, tmp_path: Path) -> None:
    for name, started in (("a", "2026-11-28"), ("b", "2026-11-30"), ("c", "2026-11-29")):
        RunDirectory.create(tmp_path / "small" / name, suite(), started)
    for name, content in (("damaged", "{"), ("old", json.dumps({"format": 1}))):
        (tmp_path / "small" / name).mkdir()
        (tmp_path / "small" / name / "manifest.json").write_text(content)
    (tmp_path / "small" / "latest").symlink_to("b")
    assert [run.path.name for run in runs_under(tmp_path)] == ["b", "c", "a"]


def test_folder_of_results_that_no_disk_can_have_holds_no_runs(tmp_path: Path) -> None:
    assert runs_under(tmp_path / ("x" * 300)) == []
