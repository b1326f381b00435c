"""The paths that a suite names: which keys hold one, and what a path is from another folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmark.datasets.specs import expanded, is_path, variable_fault
from benchmark.suite.yaml_text import KeyPath


def path_keys(section: BaseModel, at: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield each path that a section and those below it name, with its key."""
    for name, known in type(section).model_fields.items():
        value, here = getattr(section, name), (*at, name)
        if isinstance(value, str) and any(map(is_path, (known.annotation, *known.metadata))):
            yield here, value
        elif isinstance(value, BaseModel):
            yield from path_keys(value, here)
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                if isinstance(entry, BaseModel):
                    yield from path_keys(entry, (*here, index))


def moved(text: str, folder: Path, to: Path, written: str = "") -> str:
    """Return a path that a file in one folder says, as a file in another must say it.

    A path from the root stays, and so does one that begins with a variable or is not in the folder: it is
    looked for beside the suite and in the working directory. Where the folder is named with a variable
    (``written``), the variable stays: its value is nobody's but this machine's.
    """
    if variable_fault(text) is not None or text.startswith(("~", "${", "/")):
        return text
    if os.path.realpath(folder) == os.path.realpath(to) or not os.path.lexists(folder / expanded(text)):
        return text
    return f"{written}/{text}" if "${" in written else os.path.relpath(folder / text, to)


def put_path(content: Any, key_path: KeyPath, text: str) -> None:
    """Put a path into what a suite says, where a section may be written as its path alone."""
    here = content
    for key in key_path[:-1]:
        if isinstance(here[key], str):
            here[key] = text
            return
        here = here[key]
    here[key_path[-1]] = text
