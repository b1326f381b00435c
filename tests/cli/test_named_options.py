"""Every option and command that a message names is one that there is."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from repository import ROOT

from benchmark.cli.main import COMMANDS
from benchmark.cli.parser import Command, build_parser

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
ROOMS = {
    "pick": ["benchmark/selection/", "benchmark/api/picking.py"],
    "recommend": [
        "benchmark/bundle/batch.py",
        "benchmark/bundle/list_frame.py",
        "benchmark/bundle/serving.py",
    ],
}
"""Code beside ``benchmark/cli`` whose messages speak of the options of one command."""
ELSEWHERE = "benchmark/environments"
"""Where texts name options of pip and uv."""
OTHERS = {"--require-hashes", "--no-deps", "--only-binary", "--check", "--version", "--help", "--query-gpu"}
"""Options of other programs that our messages or calls name, and those of every command."""


def options_of_commands(commands: Mapping[str, Command] = COMMANDS) -> set[str]:
    found: set[str] = set()
    waiting = [build_parser(commands)]
    while waiting:
        parser = waiting.pop()
        for action in parser._actions:
            found |= set(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                waiting += action.choices.values()
    return found


@cache
def options_of(command: str) -> set[str]:
    """Return the options of a command, those of its own commands and those of every command."""
    return options_of_commands({command: COMMANDS[command]})


@cache
def texts() -> Sequence[tuple[Path, str]]:
    """Return every string of the package, and the lines of the page and of the documents."""
    found = []
    for path in sorted((ROOT / "benchmark").rglob("*.py")):
        if path.is_relative_to(ROOT / ELSEWHERE):
            continue
        nodes = [
            node
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant | ast.JoinedStr)
        ]
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        of_css = r"var\(--[a-z]+\)"
        found += [(path, re.sub(of_css, "", written(node))) for node in nodes if id(node) not in parts]
    pages = [
        *(ROOT / "docs").glob("*.md"),
        ROOT / "README.md",
        ROOT / "benchmark/reporting/page/page.html.j2",
    ]
    for path in sorted(pages):
        text = re.sub(r"\\?\n(?! *bench ) +", " ", path.read_text("utf-8"))  # of commands over several lines
        found += [(path, line) for line in text.splitlines()]
    return [(path.relative_to(ROOT), text) for path, text in found]


def calls(text: str) -> Iterator[tuple[str, str]]:
    """Yield each option that a text gives to a command, with the command: "bench pick RUN --export DIR"."""
    for said in re.split(r"\bbench (?=[a-z])", text)[1:]:
        command, *words = re.split(r"[`;:,|\n]", said)[0].split()
        for option in OPTION.findall(" ".join(words)):
            yield command, option


def messages() -> Iterator[tuple[Path, str]]:
    """Yield every string of the package alone."""
    return ((path, text) for path, text in texts() if path.suffix == ".py")


def written(node: ast.expr) -> str:
    """Return a string as it is shown: a word stands for each value in it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(written, node.values))
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "X"


def test_every_option_that_a_text_names_exists() -> None:
    known = options_of_commands() | OTHERS
    named = {(path, option) for path, text in messages() for option in OPTION.findall(text)}
    unknown = sorted(f"{path}: {option}" for path, option in named if option not in known)

    assert unknown == []
    assert len(named) > 30


@pytest.mark.parametrize("planted", ["--exprt", "--outt"])
def test_unknown_option_would_be_found(planted: str) -> None:
    assert planted not in options_of_commands() | OTHERS


def test_every_option_that_a_text_gives_to_a_command_is_one_of_that_command() -> None:
    given = {(path, *call) for path, text in texts() for call in calls(text) if call[0] in COMMANDS}
    unknown = [f"{path}: bench {command} {option}" for path, command, option in given]
    unknown = [one for one in unknown if one.rpartition(" ")[2] not in options_of(one.split()[2])]

    assert sorted(unknown) == []
    assert len(given) > 30


def test_option_of_another_command_would_be_found() -> None:
    ((command, option),) = calls("try `bench export RUN MODEL --out DIR`, or `bench runs`")

    assert (command, option) == ("export", "--out")
    assert option not in options_of(command)
    assert option in options_of("pick")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_that_the_code_of_a_command_names_is_one_of_that_command(command: str) -> None:
    """Where a message names no command, the one that runs is meant."""
    rooms = [f"benchmark/cli/{command.replace('-', '_')}.py", *ROOMS.get(command, [])]
    named = {
        (str(path), option)
        for path, text in messages()
        if str(path).startswith(tuple(rooms))
        for option in set(OPTION.findall(text)) - {given for _, given in calls(text)}
    }

    assert [one for one in sorted(named) if one[1] not in options_of(command)] == []


def test_every_command_that_a_text_names_exists() -> None:
    named = {(path, word) for path, text in texts() for word in re.findall(r"`bench ([a-z][a-z-]*)", text)}

    assert sorted(f"{path}: {word}" for path, word in named if word not in COMMANDS) == []
    assert len(named) > 10
