"""Entry points that the executor tests run in child processes.

What a child has to tell goes into the text of a message that the engine knows anyway.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Never

import numpy as np

from benchmark.executors.channel import Channel
from benchmark.messages import Done, Error, FitEnded, Message, Ready


def nothing() -> None:
    """Load nothing."""


def tell(channel: Channel, *words: object) -> None:
    """Send words, as JSON."""
    channel.send(Error("crash", json.dumps(words)))


def sleeps_before_ready_and_after(request: Message, channel: Channel, _: None, __: list[int]) -> None:
    time.sleep(0.3)
    channel.send(Ready())
    channel.send(request)
    time.sleep(0.3)
    channel.send(Done())


def ignores_everything(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.send(Ready())
    time.sleep(600)


def sleeps_forever(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    time.sleep(600)


def scores_forever(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.send(Ready())
    channel.send(FitEnded())
    time.sleep(600)


def scores_longer_than_it_may_fit(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    channel.send(FitEnded())
    time.sleep(1.5)
    channel.send(Done())


def takes_memory(_: Message, channel: Channel, __: None, ___: list[int]) -> Never:
    channel.send(Ready())
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 20)) * 20)
        time.sleep(0.01)


def holds(held: Callable[[], Any], channel: Channel) -> None:
    """Hold something while the supervisor looks several times."""
    channel.send(Ready())
    kept = held()
    time.sleep(1.0)
    channel.send(Done())
    del kept


def maps_a_large_file(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    Path("large").write_bytes(bytes(300 << 20))

    def mapped() -> Any:
        array = np.memmap("large", dtype=np.uint8, mode="r")
        assert not array.any()  # every page is looked at
        return array

    holds(mapped, channel)


def allocates(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    holds(lambda: np.ones(300 << 20, dtype=np.uint8), channel)


def has_a_helper_that_allocates(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    code = "import time; kept = b'1' * (300 << 20); print('up', flush=True); time.sleep(60)"

    def helper() -> Any:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    holds(helper, channel)


def shares_memory_with_a_helper(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    """Both map all of it, and its name is gone: it is held once all the same."""

    def shared() -> Any:
        memory = SharedMemory(create=True, size=300 << 20)
        memory.unlink()
        numbers = np.ndarray(memory.size, dtype=np.uint8, buffer=memory.buf)
        numbers[:] = 1
        read, write = os.pipe()
        if os.fork() == 0:
            assert numbers.all()
            os.write(write, b"1")
            time.sleep(60)
        os.read(read, 1)
        return numbers, memory

    holds(shared, channel)


def writes_to_shared_memory(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    """Open, not mapped, and without a name."""

    def written() -> Any:
        file = tempfile.TemporaryFile(dir="/dev/shm")  # noqa: SIM115 - shared memory is meant
        for _ in range(300):
            file.write(bytes(1 << 20))
        file.flush()
        return file

    holds(written, channel)


def shares_pages_without_a_file(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    def shared() -> Any:
        pages = mmap.mmap(-1, 300 << 20)
        for _ in range(300):
            pages.write(bytes(1 << 20))
        return pages

    holds(shared, channel)


def computes_in_a_child_of_its_own(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    program = "import time\nwhile time.process_time() < 0.4: pass"
    subprocess.run([sys.executable, "-c", program], check=True)
    channel.send(Done())


def never_ready(_: Message, __: Any, ___: None, ____: list[int]) -> None:
    time.sleep(600)


def is_killed(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    os.kill(os.getpid(), signal.SIGKILL)


def has_a_child_of_its_own(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    channel.send(Ready())
    tell(channel, child.pid)
    time.sleep(600)


def tells_its_surroundings(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    tell(channel, [str(path) for path in Path.cwd().iterdir()], os.getcwd(), os.environ["HOME"])
    channel.send(Done())


def tells_its_cores(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    tell(channel, *sorted(os.sched_getaffinity(0)))
    channel.send(Done())


def prints(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    print("a line for the log")
    channel.send(Done())


def prints_ten_megabytes(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    channel.send(Ready())
    for _line in range(10):
        print("x" * 1_000_000)
    channel.send(Done())


def leaves_a_child_in_another_session(_: Message, channel: Channel, __: None, ___: list[int]) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    channel.send(Ready())
    tell(channel, child.pid)
    channel.send(Done())
