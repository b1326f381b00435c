"""Where the output goes: text that cannot steer a terminal, JSON, and tables."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from benchmark.errors import VersionWarning

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Return the terminal for tables; wide enough for a whole board where the output is a file or a pipe."""
    from rich.console import Console

    here = Console()
    return here if here.is_terminal else Console(width=240)


def write(text: str) -> None:
    """Print text; what could steer a terminal, or turn its writing round, is replaced."""
    sys.stdout.write(printable(text) + "\n")


def warn(text: str) -> None:
    """Print a warning beside the output, where it cannot get into a file that the output goes to."""
    sys.stderr.write(f"bench: {printable(text)}\n")


@contextmanager
def shown_warnings() -> Iterator[None]:
    """Show warnings of ours as messages, without the line of code that Python shows."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, VersionWarning):
                warn(f"warning: {message}")
            else:
                shown(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", VersionWarning)
        warnings.showwarning = show
        yield


def printable(text: str) -> str:
    """Return text without what could steer a terminal, or turn its writing round."""
    lines = (
        "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
        for line in text.split("\n")
    )
    return "\n".join(lines)


def write_json(content: Any, *, ensure_ascii: bool = True) -> None:
    """Print JSON; in ASCII alone where names from a data set are in it."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=ensure_ascii, allow_nan=False) + "\n")
