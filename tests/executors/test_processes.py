"""What one process may read of another of the same user."""

from __future__ import annotations

import subprocess
import sys

PEEK = """
import os, signal, sys
from benchmark.executors.processes import close_to_others, start_ticks
from benchmark.executors.tree_memory import tree_memory_mb
from ctypes import CDLL

tree_memory_mb(os.getpid())  # imports what it needs
read, write = os.pipe()
held, _ = os.pipe()  # what the scorer has open
victim = os.fork()
if os.getuid() == 0:  # root reads everything: both become somebody
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    CDLL(None).prctl(4, 1, 0, 0, 0)  # which closes a process, so that it is opened again
if victim == 0:
    if sys.argv[1] == "closed":
        close_to_others()
    os.write(write, b"x")
    signal.alarm(30)
    os.read(held, 1)
os.read(read, 1)

def reads(path):
    try:
        with open(f"/proc/{victim}/{path}", "rb") as file:
            return len(file.read(1)) >= 0
    except OSError:
        return False

def follows():
    try:
        return bool(os.readlink(f"/proc/{victim}/fd/{held}"))
    except OSError:
        return False

print(*[name for name in ("environ", "maps", "auxv") if reads(name)], "fd" if follows() else "")
print(start_ticks(victim) is not None, tree_memory_mb(victim) > 0)
os.kill(victim, 9)
"""


def peek(state: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PEEK, state], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split("\n")


def test_process_that_is_closed_to_others_shows_neither_files_nor_memory_nor_environment() -> None:
    opened, _, _ = peek("open")
    assert opened.split() == ["environ", "maps", "auxv", "fd"], "the test can fail"
    shown, watched, _ = peek("closed")
    assert shown.split() == []
    assert watched == "True True", "its supervisor still sees its start and its memory"
