"""An environment of its own with a tiny framework in it, made once and in seconds, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from wheels import borrowed, lock_line, wheel

from benchmark.environments import Environment, LockFile, environment
from benchmark.environments.inside import NEEDED
from benchmark.environments.making import make

FRAMEWORK = '''\
"""A framework as others are: it counts."""

VERSION = "1.0"


def counts(items, n_items):
    found = [0.0] * n_items
    for item in items:
        found[item] += 1.0
    return found
'''


def offline(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have pip find wheels in a folder alone, and environments be made beside it."""
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(folder / "wheels"))
    patch.setenv("PIP_CONFIG_FILE", "/dev/null")
    patch.setenv("XDG_DATA_HOME", str(folder / "data"))
    patch.setenv("PYTHONPATH", str(folder))  # must not reach pip


def lock_file(folder: Path, *wheels: Path, head: str = "") -> Path:
    """Write a lock file over wheels."""
    path = folder / "tiny.txt"
    path.write_text(head + "".join(map(lock_line, wheels)))
    return path


def tiny(folder: Path, *more: Path, head: str = "") -> Environment:
    """Return the environment of a lock file over two tiny packages, and more."""
    first = wheel(folder / "wheels", "tinyone", "1.0", needs=("notthere",))  # what it needs is not asked for
    second = wheel(folder / "wheels", "tinytwo", "2.1")
    return environment("tiny", LockFile.read(lock_file(folder, first, second, *more, head=head)))


def needed(folder: Path) -> list[Path]:
    """Return wheels of what bench needs in every environment."""
    return borrowed(folder / "wheels", NEEDED)


def made(folder: Path) -> tuple[Environment, list[str]]:
    """Make an environment with the tiny framework and what bench needs; return it and what was said."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        offline(patch, folder)
        framework = wheel(folder / "wheels", "tinyframework", "1.0", code=FRAMEWORK)
        own = tiny(folder, framework, *needed(folder), head="# python: >=3.11\n")
        make(own, said.append)
    return own, said
