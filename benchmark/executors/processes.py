"""What Linux says about processes, and how a group of them is ended.

Read from /proc by hand: psutil lists every process of the machine to find the children of one, and its
start times move with the system clock (docs/decisions/0034).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; exit if it has died already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def become_subreaper() -> None:
    """Have the kernel make what descendants leave behind children of this process, not of PID 1."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    """Return the children of a process, of all its threads; none if it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended while we looked
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text("ascii").split())
    return found


def kill_descendants(pid: int) -> None:
    """Kill all that a process has started, at any depth, the nearest first."""
    pending = children(pid)
    while pending:
        current = pending.pop(0)
        pending += children(current)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(current, signal.SIGKILL)


def close_to_others() -> None:
    """Keep processes of the same user out of this one's memory, open files and environment.

    The kernel then opens /proc/PID/fd, mem, maps and environ to root alone, and lets no debugger attach.
    """
    _LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None if it is gone.

    Process numbers are reused; the pair of number and start is not.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to every process of a group, if there is one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def boot_and_pid_namespace() -> str:
    """Identify the current boot and PID namespace; a PID is only meaningful within both."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def kill_recorded(group: int, started: int | None, namespace: str | None) -> bool:
    """Kill a process group noted in a ledger if it is still the same one; return whether it was.

    After a reboot, or in another container, the number and even the start belong to another process. The
    leader may have died while a grandchild lives on: the kernel gives a group's number to no other process
    while a member lives, so a group of this boot and namespace without a leader is the recorded one as well.
    """
    if namespace != boot_and_pid_namespace():
        return False
    now = start_ticks(group)
    if now is not None and now != started:
        return False
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True
