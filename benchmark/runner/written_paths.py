"""What a run keeps of a path with a variable: the text as the suite writes it, never the variable's value."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from benchmark.datasets.specs import variables
from benchmark.errors import DataError
from benchmark.records import from_json, to_json
from benchmark.suite import Suite
from benchmark.suite.path_keys import path_keys

Record = TypeVar("Record")

OWN_TO_CHILDREN = frozenset({"HOME", "PWD", "TMPDIR"})
"""Variables that a child has of its own, whatever they are here."""


@dataclass(frozen=True)
class WrittenPaths:
    """The paths of a suite that have variables, as they are on this machine and as they are written.

    Attributes:
        written: the text of a suite by the path that it means here, the longest path first.
    """

    written: dict[str, str]

    @classmethod
    def of(cls, suite: Suite, resolve: Callable[[str], Path]) -> WrittenPaths:
        """Return the paths of a suite; those whose variables are not set here mean nothing.

        Args:
            suite: that names them.
            resolve: finds the file that a path means.
        """
        found: dict[str, str] = {}
        for _, text in path_keys(suite):
            for part in beginnings(text):
                with suppress(DataError):
                    path = resolve(part)
                    found |= {str(path): part, str(path.absolute()): part, str(path.resolve()): part}
        longest = sorted((path for path in found if len(path) > 1), key=len, reverse=True)
        return cls({path: found[path] for path in longest})

    def in_text(self, text: str) -> str:
        """Return a text in which each path is as the suite writes it."""
        for path, written in self.written.items():
            if path in text:
                alone = rf"(?<![\w./-]){re.escape(path)}(?![\w-]|\.\w)"
                text = re.sub(alone, written.replace("\\", r"\\"), text)
        return text

    def in_record(self, record: Record) -> Record:
        """Return a record in whose texts each path is as the suite writes it."""
        if not self.written:
            return record
        return from_json(type(record), self._within(to_json(record)))

    def _within(self, value: Any) -> Any:
        """Return a JSON value with its texts as the suite writes them."""
        if isinstance(value, dict):
            return {key: self._within(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._within(inner) for inner in value]
        return self.in_text(value) if isinstance(value, str) else value


def beginnings(text: str) -> Iterator[str]:
    """Yield a path, then each folder around it that still has a variable; nothing for a path without one.

    >>> list(beginnings("${DATA}/shop/log.csv")), list(beginnings("log.csv"))
    (['${DATA}/shop/log.csv', '${DATA}/shop', '${DATA}'], [])
    """
    path = PurePosixPath(text)
    yield from (str(one) for one in (path, *path.parents) if variables(str(one)))


def hidden_folders(suite: Suite) -> list[Path]:
    """Return the values of a suite's variables that are folders: children are not told where the data lie."""
    names = {name for _, text in path_keys(suite) for name in variables(text)} - OWN_TO_CHILDREN
    values = (os.environ.get(name, "") for name in sorted(names))
    return [Path(value) for value in values if value.startswith("/") and value.strip("/")]
