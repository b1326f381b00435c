"""Output that nobody reads any more: a run goes on, a list ends, and neither is a fault."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from benchmark.cli import COMMANDS, main
from benchmark.results import RunDirectory


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as stream:
        yield stream


def test_a_run_goes_on_without_a_reader_to_its_end(
    small: Path, tmp_path: Path, unread: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", unread)
    monkeypatch.setattr(sys, "stderr", unread)
    assert main(["run", str(small), "--out", str(tmp_path / "run")]) == 0
    assert sys.stdout is unread
    assert RunDirectory(tmp_path / "run").manifest().state == "finished"
    assert (tmp_path / "run" / "leaderboard.html").is_file()


def test_a_command_that_is_its_output_ends_without_a_reader(
    unread: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def lines(_: object) -> int:
        for number in range(3):
            asked.append(f"line {number}")
            print(asked[-1])
        return 7

    monkeypatch.setitem(COMMANDS, "metrics", COMMANDS["metrics"]._replace(call=lines))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdout", unread)
    assert main(["metrics"]) == 0
    assert asked == ["line 0"]


def test_the_interpreter_leaves_in_peace_when_its_last_words_are_not_read() -> None:
    program = [sys.executable, "-m", "benchmark", "--version"]
    started = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    assert (started.stderr.read(), started.wait()) == ("", 0)
    started.stderr.close()
