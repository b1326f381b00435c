"""Every option and command that a message names is one that there is."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT

from benchmark.cli.main import COMMANDS
from benchmark.cli.parser import build_parser

ELSEWHERE = "benchmark/environments"
"""Where texts name options of pip and uv."""
OTHERS = {"--require-hashes", "--no-deps", "--only-binary", "--check", "--version", "--help", "--query-gpu"}
"""Options of other programs that our messages or calls name, and those of every command."""


def options_of_commands() -> set[str]:
    found: set[str] = set()
    waiting = [build_parser(COMMANDS)]
    while waiting:
        parser = waiting.pop()
        for action in parser._actions:
            found |= set(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                waiting += action.choices.values()
    return found


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every string of the package that is no docstring."""
    for path in sorted((ROOT / "benchmark").rglob("*.py")):
        if path.is_relative_to(ROOT / ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path.relative_to(ROOT), re.sub(r"var\(--[a-z]+\)", "", node.value)  # of CSS


def test_every_option_that_a_text_names_exists() -> None:
    known = options_of_commands() | OTHERS
    named = {
        (path, option) for path, text in texts() for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)
    }
    unknown = sorted(f"{path}: {option}" for path, option in named if option not in known)

    assert unknown == []
    assert len(named) > 30


@pytest.mark.parametrize("planted", ["--exprt", "--outt"])
def test_unknown_option_would_be_found(planted: str) -> None:
    assert planted not in options_of_commands() | OTHERS


def test_every_command_that_a_text_names_exists() -> None:
    named = {(path, word) for path, text in texts() for word in re.findall(r"`bench ([a-z][a-z-]*)", text)}

    assert sorted(f"{path}: {word}" for path, word in named if word not in COMMANDS) == []
    assert len(named) > 10
