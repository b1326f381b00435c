"""Memory that a process and its descendants hold for themselves, as Linux counts it.

Anonymous pages (``RssAnon``) and shared memory: what is mapped of it (``RssShmem``), and files in /dev/shm
that are held without being mapped. Pages of files are not counted: those of a mapped log belong to the
operating system, which keeps them once for everybody and drops them when memory is short. Pages that a child
shares with its fork server until one of them writes (a framework's import) are anonymous, and counted.
"""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

from benchmark.executors.processes import children

FileId: TypeAlias = tuple[int, int]
"""Device and inode: what a file is, whatever its names."""

IN_MEMORY = ("/dev/shm/", "/memfd:")  # noqa: S108 - looked at, never written to
INTERNAL = os.makedev(0, 1)
"""The kernel's own file system of shared memory without a name."""
BLOCK_MB = 512 / 2**20
"""MiB of a unit of ``st_blocks``."""


@dataclass(frozen=True)
class Pages:
    """What one process holds, in MiB, and the number of its parent."""

    anonymous_mb: float
    shared_mb: float
    parent: int


@dataclass
class TreeMemory:
    """Memory of one process and its descendants, poll by poll.

    A file in shared memory counts once, with its whole size, however many processes of the tree map it: from
    the poll that first finds it open in one of them until it is gone, also after it was closed. What a
    process maps of shared memory beyond such files counts by ``RssShmem``. A file there that is written and
    closed between two polls is nobody's, and not counted until it is opened or mapped: Linux does not say
    who made it. What the parent has mapped of a file system in memory (a run that lies in one) is not the
    child's.

    Attributes:
        pid: of the first process.
    """

    pid: int
    _own: dict[FileId, str] = field(default_factory=dict)
    _inherited: frozenset[FileId] | None = None

    def mb(self) -> float:
        """Return what they hold now, in MiB; 0 once they are gone."""
        tree = {pid: pages for pid in descendants(self.pid) if (pages := pages_of(pid)) is not None}
        if self._inherited is None and self.pid in tree:
            self._inherited = frozenset(mapped_of_memory(tree[self.pid].parent))
        inherited = self._inherited or frozenset()
        files = {file: mb for file, mb in self._shared_files(tree).items() if file not in inherited}
        total = sum(files.values()) + sum(pages.anonymous_mb for pages in tree.values())
        for pid, pages in tree.items():
            beyond_mb = pages.shared_mb
            if beyond_mb and (files or inherited):
                extents = mapped_of_memory(pid)
                for file, mb in extents.items():
                    beyond_mb -= mb if file in inherited else min(mb, files.get(file, 0.0))
                beyond_mb *= bool(extents)  # none: it has ended since
            total += max(beyond_mb, 0.0)
        return total

    def _shared_files(self, tree: Iterable[int]) -> dict[FileId, float]:
        """Return the MiB of each file in shared memory that is open, or has been and is still there."""
        files: dict[FileId, float] = {}
        opened = [found for pid in tree for found in open_in_memory(pid)]
        for path, name in [*opened, *((name, name) for name in self._own.values())]:
            with contextlib.suppress(OSError):  # closed or removed while we look
                status = os.stat(path)  # noqa: PTH116 - the path is one of /proc, as text
                file = status.st_dev, status.st_ino
                if path != name or file in self._own:
                    files[file] = status.st_blocks * BLOCK_MB
                    self._own[file] = name
        return files


def tree_memory_mb(pid: int) -> float:
    """Return what a process and all its descendants hold at this moment, in MiB; see :class:`TreeMemory`."""
    return TreeMemory(pid).mb()


def descendants(pid: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    pending = [pid]
    while pending:
        current = pending.pop()
        yield current
        pending += children(current)


def pages_of(pid: int) -> Pages | None:
    """Return what a process holds; None if it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
        lines = (
            line.split() for line in text.splitlines() if line.startswith(("PPid:", "RssAnon:", "RssShmem:"))
        )
        parent, anonymous_kb, shared_kb = (int(words[1]) for words in lines)
    except (OSError, ValueError):
        return None
    return Pages(anonymous_kb / 1024, shared_kb / 1024, parent)


def open_in_memory(pid: int) -> Iterator[tuple[str, str]]:
    """Yield the path in /proc and the name of each file in shared memory that a process has open."""
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{number}"
            with contextlib.suppress(OSError):
                name = os.readlink(path)  # noqa: PTH115 - many, ten times a second
                if name.startswith(IN_MEMORY):
                    yield path, name


def mapped_of_memory(pid: int) -> dict[FileId, float]:
    """Return the MiB of address space that each file in memory takes in a process."""
    extents: dict[FileId, float] = defaultdict(float)
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text("utf-8", "replace").splitlines():
            addresses, _, _, device, inode, *_ = line.split()
            major, minor = (int(number, 16) for number in device.split(":"))
            if inode != "0" and (where := os.makedev(major, minor)) in devices_in_memory():
                first, end = (int(address, 16) for address in addresses.split("-"))
                extents[where, int(inode)] += (end - first) / 2**20
    return extents


@cache
def devices_in_memory() -> frozenset[int]:
    """Return the devices of all file systems that lie in memory."""
    devices = {INTERNAL}
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("tmpfs "):
            major, _, minor = before.split()[2].partition(":")
            devices.add(os.makedev(int(major), int(minor)))
    return frozenset(devices)
