"""Entry points that the executor tests run in child processes.

What a child has to tell goes into the text of a message that the engine knows anyway.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Never

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
