"""Entry points that the executor tests run in child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def nothing() -> None:
    """Load nothing."""


def sleeps_before_ready_and_after(request: dict[str, Any], channel: Any, _: None, __: list[int]) -> None:
    time.sleep(0.3)
    channel.send({"event": "ready"})
    channel.send({"event": "echo", **request})
    time.sleep(0.3)
    channel.send({"event": "done"})


def ignores_everything(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.send({"event": "ready"})
    time.sleep(600)


def sleeps_for_ever(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    channel.send({"event": "ready"})
    time.sleep(600)


def takes_memory(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    channel.send({"event": "ready"})
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 20)) * 20)
        time.sleep(0.01)


def never_ready(_: Any, __: Any, ___: None, ____: list[int]) -> None:
    time.sleep(600)


def is_killed(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    channel.send({"event": "ready"})
    os.kill(os.getpid(), signal.SIGKILL)


def has_a_child_of_its_own(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    channel.send({"event": "ready"})
    channel.send({"event": "pid", "pid": child.pid})
    time.sleep(600)


def tells_its_surroundings(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    channel.send({"event": "ready"})
    files = [str(path) for path in Path.cwd().iterdir()]
    channel.send({"event": "surroundings", "files": files, "folder": os.getcwd(), "home": os.environ["HOME"]})
    channel.send({"event": "done"})


def tells_its_cores(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    channel.send({"event": "ready"})
    channel.send({"event": "cores", "cores": sorted(os.sched_getaffinity(0))})
    channel.send({"event": "done"})


def prints(_: Any, channel: Any, __: None, ___: list[int]) -> None:
    channel.send({"event": "ready"})
    print("a line for the log")
    channel.send({"event": "done"})
