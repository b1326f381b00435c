"""Where the output goes: text that cannot steer a terminal, JSON, and tables."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

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
