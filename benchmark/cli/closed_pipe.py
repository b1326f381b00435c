"""Output that nobody reads any more, as after ``| head``: no fault, and no reason to stop a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


class ReaderGone(Exception):  # noqa: N818 - it says what happened, and is no error
    """Whoever read the output of a command is gone, and the command is nothing but its output."""


class GuardedStream:
    """A stream that may lose its reader; all that is not writing is the stream's own.

    Attributes:
        goes_on: whether the command goes on without a reader; else it ends at the next line.
    """

    def __init__(self, stream: TextIO, *, goes_on: bool = True) -> None:
        """Guard a stream."""
        self.stream, self.goes_on = stream, goes_on

    def write(self, text: str) -> int:
        """Write text, to nowhere once the reader is gone."""
        try:
            return self.stream.write(text)
        except BrokenPipeError:
            self.lose_reader()
            return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        try:
            self.stream.flush()
        except BrokenPipeError:
            self.lose_reader()

    def lose_reader(self) -> None:
        """Let what follows go nowhere, also what is still in the buffer: it would fail at the last flush.

        Raises:
            ReaderGone: the command has nothing else to do.
        """
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)
        if not self.goes_on:
            raise ReaderGone

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def guarded_streams() -> Iterator[GuardedStream]:
    """Guard standard output and the complaints beside it; yield the output."""
    before = sys.stdout, sys.stderr
    output, complaints = GuardedStream(sys.stdout), GuardedStream(sys.stderr)
    sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, complaints)
    try:
        yield output
    finally:
        output.goes_on = True
        output.flush()
        complaints.flush()
        sys.stdout, sys.stderr = before
