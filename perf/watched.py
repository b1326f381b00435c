"""A program started and watched until it ends: its wall time, and the memory of all of its processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.5


@dataclass(frozen=True)
class Watched:
    """What a program took: its exit code, wall time and the most memory of its processes at one time."""

    exit_code: int
    wall_s: float
    peak_mb: float


def watch(
    command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Watched:
    """Run a program to its end; what it prints goes where this one prints."""
    start, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, env=environment, cwd=cwd) as program:
        while program.poll() is None:
            peak = max(peak, sum(map(memory_mb, tree(program.pid))))
            time.sleep(POLL_S)
    return Watched(program.returncode, time.monotonic() - start, peak)


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all of its descendants."""
    pending = [pid]
    while pending:
        current = pending.pop()
        yield current
        try:
            for task in os.listdir(f"/proc/{current}/task"):
                children = Path(f"/proc/{current}/task/{task}/children").read_text("ascii")
                pending += map(int, children.split())
        except OSError:  # it ended while we looked
            continue


def memory_mb(pid: int) -> float:
    """Return anonymous and shared memory of a process in MiB, of pages that several have its part alone.

    Files that are mapped or read are page cache, which the kernel takes back: they do not count, but those in
    /dev/shm do, which are memory. A process that is gone has none.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        own = [line.split() for line in text.splitlines()]
        return sum(int(line[1]) for line in own if line[0] in {"Pss_Anon:", "Pss_Shmem:"}) / 1024
    except (OSError, ProcessLookupError):
        return 0.0
