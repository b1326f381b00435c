"""Keys that hold the path of a file, and the ``${VARIABLE}`` of the environment that may stand in one."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Final, TypeAlias, get_args

PATH: Final = "the path of a file"
"""Marks the type of a key: only where it stands is ``${VARIABLE}`` a variable."""

FilePath: TypeAlias = Annotated[str, PATH]
"""Text that names a file or a folder."""

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_path(annotation: Any) -> bool:
    """Return whether a key of this type holds the path of a file.

    >>> is_path(FilePath), is_path(FilePath | None), is_path(str | None)
    (True, True, False)
    """
    return annotation is PATH or any(map(is_path, get_args(annotation)))


def variables(text: str) -> list[str]:
    """Return what a path writes in ``${}``, in order.

    >>> variables("${DATA}/${DAY}.csv"), variables("$HOME/a.csv")
    (['DATA', 'DAY'], [])
    """
    return [found[1] for found in REFERENCE.finditer(text)]


def variable_fault(text: str) -> str | None:
    """Return why the variables of a path cannot be read; None if they can, or there is none.

    An empty variable is no better than one that is not set: the path would begin at the root.
    """
    for found in REFERENCE.finditer(text):
        name = found[1]
        if not found[2] or not NAME.fullmatch(name):
            return f"has {found[0]!r}; a variable is written ${{NAME}}, in letters, digits and _"
        if not os.environ.get(name):
            state = "is empty" if name in os.environ else "is not set"
            return f"the variable {name} {state}; set it, as in export {name}=..., or write the path itself"
    return None


def expanded(text: str) -> str:
    """Return a path with the values of its variables; what a value says is not looked at again.

    Raises:
        ValueError: a variable is not set, empty, or not written ``${NAME}``.
    """
    if (fault := variable_fault(text)) is not None:
        raise ValueError(fault)
    return REFERENCE.sub(lambda found: os.environ[found[1]], text)
