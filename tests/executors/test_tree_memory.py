"""Memory of a child: what it and its helpers hold for themselves, never the pages of files."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmark.executors.executor import ExitReport, Limits, ProcessIdentity
from benchmark.executors.local import ForkServer, Preload
from benchmark.executors.slots import Slot
from benchmark.executors.supervision import MEMORY_EVERY_S, clock
from benchmark.executors.tree_memory import TreeMemory, tree_memory_mb
from benchmark.messages import Message, ServeRequest

HELD_MB = 300.0
"""What the children of this page take."""
ROOMY_MB = 2048.0


class Silent:
    """Answers nothing."""

    def started(self, process: ProcessIdentity) -> None:
        pass

    def hear(self, message: Message, charged_s: float) -> Message | None:
        return None

    def tick(self, lease_s: float, charged_s: float) -> None:
        pass


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer(Slot((), ROOMY_MB), Preload([], "children:nothing", {}), log=lambda _: None) as made:
        yield made


def run(fork_server: ForkServer, name: str, memory_mb: float = ROOMY_MB) -> ExitReport:
    """Run a function of children.py to its end."""
    limits = Limits(60.0, memory_mb, 60.0)
    return fork_server.start(f"children:{name}", ServeRequest({}), limits, Silent()).wait()


def test_child_is_not_charged_for_a_file_that_it_maps_even_beyond_its_limit(fork_server: ForkServer) -> None:
    report = run(fork_server, "maps_a_large_file", memory_mb=HELD_MB / 2)
    assert (report.ended_by, report.code) == ("itself", 0)
    assert report.memory_mb < HELD_MB / 2


@pytest.mark.parametrize(
    "name",
    [
        "allocates",
        "has_a_helper_that_allocates",
        "shares_memory_with_a_helper",
        "shares_pages_without_a_file",
        "writes_to_shared_memory",
    ],
)
def test_child_is_charged_once_for_what_it_holds(fork_server: ForkServer, name: str) -> None:
    report = run(fork_server, name)
    assert report.ended_by == "itself"
    assert HELD_MB < report.memory_mb < HELD_MB * 1.5


@pytest.mark.parametrize("name", ["allocates", "writes_to_shared_memory"])
def test_child_that_holds_more_than_its_limit_is_ended(fork_server: ForkServer, name: str) -> None:
    report = run(fork_server, name, memory_mb=HELD_MB / 2)
    assert report.ended_by == "memory"
    assert report.memory_mb > HELD_MB / 2


def test_supervisor_looks_at_once_where_memory_and_spending_came_due_together(
    fork_server: ForkServer,
) -> None:
    """Both a moment ago: else it would wait for the hold, and the child grow unwatched until then."""
    limits = Limits(600.0, ROOMY_MB, 60.0)
    watching = fork_server.start("children:sleeps_forever", ServeRequest({}), limits, Silent())
    with closing(watching):
        watching.ready_at = watching.next_memory = watching.next_spend = clock() - 0.01
        assert watching.timeout_s() == 0.001
        watching.look()
        assert watching.timeout_s() <= MEMORY_EVERY_S


def test_memory_of_a_tree_includes_its_children() -> None:
    holds = "import sys; x = bytearray(100 << 20); print('up', flush=True); sys.stdin.read()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holds!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert tree_memory_mb(process.pid) > 100
        process.communicate()


def test_file_in_shared_memory_counts_after_it_was_closed_until_it_is_gone() -> None:
    memory = TreeMemory(os.getpid())
    before = memory.mb()
    with tempfile.NamedTemporaryFile(dir="/dev/shm", delete=False) as file:
        file.write(bytes(100 << 20))
        file.flush()
        assert memory.mb() > before + 90
    assert memory.mb() > before + 90
    Path(file.name).unlink()
    assert memory.mb() < before + 90


def test_file_in_shared_memory_that_is_open_and_mapped_counts_once() -> None:
    before = tree_memory_mb(os.getpid())
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        file.truncate(100 << 20)
        with mmap.mmap(file.fileno(), 100 << 20) as mapped:
            mapped.write(b"1" * (100 << 20))
            assert before + 90 < tree_memory_mb(os.getpid()) < before + 150


def test_what_the_parent_has_mapped_of_a_file_in_shared_memory_is_not_the_childs() -> None:
    code = (
        "import mmap, sys; file = open(sys.argv[1], 'rb');"
        "kept = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ); file.close(); bytes(kept);"
        "print('up', flush=True); sys.stdin.read()"
    )
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(bytes(100 << 20))
        file.flush()
        with (
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ),
            subprocess.Popen(
                [sys.executable, "-c", code, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            ) as child,
        ):
            assert child.stdout is not None
            child.stdout.readline()
            assert tree_memory_mb(child.pid) < 90
            child.communicate()


def test_memory_of_a_process_that_is_gone_is_none() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert tree_memory_mb(child.pid) == 0.0
