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


@pytest.mark.slow
def test_a_run_goes_on_without_a_reader_to_its_end(
    small: Path, tmp_path: Path, unread: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", unread)
    monkeypatch.setattr(sys, "stderr", unread)
    assert main(["run", str(small), "--out", str(tmp_path / "run")]) == 0
    assert sys.stdout is unread
    assert RunDirectory(tmp_path / "run").manifest().state == "finished"
    assert (tmp_path / "run" / "leaderboard.html").is_file()


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [("run", 7, ["line 0", "line 1", "line 2"]), ("metrics", 0, ["line 0"])],
)
def test_a_command_that_makes_something_goes_on_without_a_reader_and_one_that_shows_something_ends(
    unread: TextIO, monkeypatch: pytest.MonkeyPatch, command: str, code: int, printed: list[str]
) -> None:
    asked: list[str] = []

    def lines(_: object) -> int:
        for number in range(3):
            asked.append(f"line {number}")
            print(asked[-1])
        return 7

    monkeypatch.setitem(COMMANDS, command, COMMANDS[command]._replace(call=lines))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdout", unread)
    assert main([command, *["small.yaml"] * (command == "run")]) == code
    assert asked == printed


def test_the_interpreter_leaves_in_peace_when_its_last_words_are_not_read() -> None:
    program = [sys.executable, "-m", "benchmark", "--version"]
    started = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    assert (started.stderr.read(), started.wait()) == ("", 0)
    started.stderr.close()
