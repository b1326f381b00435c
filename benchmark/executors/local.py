"""Trials in child processes of this machine: started, watched, charged and, in time, killed.

One nursery process per study imports the framework and forks the trials (see ``nursery``). The
supervisor, this side, never forks: it starts interpreters, reads messages, polls memory and holds
both clocks. ``lease_s`` runs from the start of a process until it is reaped, ``charged_s`` from
its word that it is ready until it says it is done or is reaped.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeAlias

from benchmark.budget import SPEND_EVERY_S, clock, grace_s
from benchmark.errors import AdapterError
from benchmark.executors.channel import Channel, Closed, Message
from benchmark.executors.processes import (
    signal_group,
    start_ticks,
    tree_memory_mb,
)
from benchmark.executors.slots import Slot

MEMORY_EVERY_S = 0.1
SCRATCH_PREFIX = "bench-scratch-"
THREAD_CAPS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)

NEEDED = frozenset({"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG", "LC_ALL"})
"""Variables without which an interpreter or a driver does not start: handed on whatever they name."""

EndedBy: TypeAlias = Literal["itself", "hold", "memory", "not-ready", "stopped"]


@dataclass(frozen=True)
class Limits:
    """What a child may take: charged seconds, memory of its whole group, seconds until ready."""

    hold_s: float
    memory_mb: float
    ready_s: float


@dataclass
class Ending:
    """How a child ended and what it cost."""

    ended_by: EndedBy
    done: bool
    code: int
    lease_s: float
    charged_s: float
    memory_mb: float


class Listener(Protocol):
    """Who takes a child's messages and is told what it spends."""

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Take one message; what is returned is sent back."""
        ...

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Note the spending, every half second."""
        ...


@dataclass
class Child:
    """One forked process, and this side's end of its channel."""

    pid: int
    started: int | None
    channel: Channel
    born: float
    nursery: Nursery
    closed: bool = False

    def close(self) -> None:
        """Let go of it, once: whatever lives of its group is killed, grandchildren too."""
        if not self.closed:
            self.closed = True
            signal_group(self.pid, signal.SIGKILL)
            self.channel.close()


@dataclass(frozen=True)
class SetUp:
    """What a nursery does before it forks: modules to import, then "module:function" to call."""

    preload: Sequence[str]
    setup: str
    arguments: Mapping[str, Any]


class Nursery:
    """This side of the process that forks the trials of one study."""

    def __init__(
        self,
        slot: Slot,
        what: SetUp,
        *,
        log: Callable[[str], None],
        hidden: Sequence[Path] = (),
        stop: threading.Event | None = None,
        ready_s: float = 60.0,
    ) -> None:
        """Start the process and wait until it has imported and loaded.

        Args:
            slot: cores it is pinned to, and the GPU it sees.
            what: what to import and load.
            log: takes each line that the process or its children print.
            hidden: paths that no environment variable handed on may contain.
            stop: set by whoever wants everything to end.
            ready_s: seconds that the imports may take.

        Raises:
            AdapterError: the import or the loading failed, or took too long.
        """
        self.slot, self.stop = slot, stop or threading.Event()
        self._folder = tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-")
        self._control, theirs = Channel.pair()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "benchmark.executors.nursery",
                str(theirs.fileno()),
                str(os.getpid()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=child_environment(slot, self._folder, hidden),
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self._reader = threading.Thread(target=self._relay, args=(log,), daemon=True)
        self._reader.start()
        self._exits: dict[int, Message] = {}
        self._await_ready(what, ready_s)

    def _await_ready(self, what: SetUp, ready_s: float) -> None:
        paths = [str(Path(path).resolve()) if path else os.getcwd() for path in sys.path]
        message = {
            "sys_path": paths,
            "cores": list(self.slot.cores),
            "preload": list(what.preload),
            "setup": what.setup,
            "arguments": dict(what.arguments),
        }
        try:
            self._control.send(message)
            answer = self._await(self._control, ready_s)
        except Closed:
            answer = {"event": "broken", "traceback": "the process ended without a word"}
        if answer["event"] != "ready":
            self.close()
            last = answer["traceback"].strip().splitlines()[-1]
            raise AdapterError(f"{what.preload[0] if what.preload else what.setup}: cannot be loaded: {last}")

    def _await(self, channel: Channel, timeout_s: float) -> Message:
        deadline = clock() + timeout_s
        while not channel.waiting(0.1):
            if self.stop.is_set():
                return {"event": "broken", "traceback": "stopped"}
            if clock() > deadline:
                return {"event": "broken", "traceback": f"not ready after {timeout_s:.0f} s"}
        return channel.receive()

    def launch(self, entry: str, request: Message, descriptors: tuple[int, ...] = ()) -> Child:
        """Fork a child that runs ``entry(request, channel, loaded, descriptors)``.

        Raises:
            Closed: the nursery has died.
        """
        mine, theirs = Channel.pair()
        born = clock()
        try:
            self._control.send({"entry": entry, "request": request}, (theirs.fileno(), *descriptors))
            while (message := self._control.receive())["event"] != "started":
                self._exits[message["pid"]] = message
        except Closed:
            mine.close()
            raise
        finally:
            theirs.close()
        self._exits.pop(message["pid"], None)  # an earlier child may have had the number
        return Child(message["pid"], message["start_ticks"], mine, born, self)

    def exit_of(self, child: Child, timeout_s: float) -> Message | None:
        """Return how a child was reaped, waiting up to ``timeout_s``; None while it lives."""
        deadline = clock() + timeout_s
        while child.pid not in self._exits:
            if not self._control.waiting(max(0.0, deadline - clock())):
                return None
            try:
                message = self._control.receive()
            except Closed:  # the nursery was killed, and its children with it
                return {"event": "exited", "pid": child.pid, "code": -signal.SIGKILL, "peak_mb": 0.0}
            self._exits[message["pid"]] = message
        return self._exits[child.pid]

    @property
    def control(self) -> Channel:
        """The channel on which exits are told, for ``select``."""
        return self._control

    def close(self) -> None:
        """End the process, and with it whatever it still holds."""
        self._control.close()
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join(timeout=1.0)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()  # not under the reader: it may wait for a stray grandchild's end
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _relay(self, log: Callable[[str], None]) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # closed under us at the end
            for line in self._process.stdout:
                log(line.decode("utf-8", "replace").rstrip())


def child_environment(slot: Slot, folder: str, hidden: Sequence[Path]) -> dict[str, str]:
    """Return the environment of a child: thread caps in, data and run paths out."""
    secret = [path.resolve() for path in hidden]
    kept = {
        key: value
        for key, value in os.environ.items()
        if key in NEEDED
        or not (key.startswith("BENCH_") or key in {"PWD", "OLDPWD"} or _tells(value, secret))
    }
    caps = dict.fromkeys(THREAD_CAPS, str(len(slot.cores) or 1))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONUNBUFFERED": "1"}
    card = {"CUDA_VISIBLE_DEVICES": "" if slot.gpu is None else str(slot.gpu)}
    return kept | caps | quiet | card | {"HOME": folder, "TMPDIR": folder, "PWD": folder}


def _tells(value: str, secret: Sequence[Path]) -> bool:
    """Return whether a variable names one of the hidden folders, or a place in it."""
    places = [Path(entry) for entry in value.split(os.pathsep) if entry.startswith("/")]
    return any(path == place or path in place.parents for path in secret for place in places)


def sweep_scratch() -> None:
    """Remove the scratch folders of supervisors that no longer live."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        owner = folder.name.removeprefix(SCRATCH_PREFIX).partition("-")[0]
        if owner.isdigit() and start_ticks(int(owner)) is None:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _Watch:
    """The state of one supervision: clocks, limits, and why the child had to go."""

    child: Child
    limits: Limits
    listener: Listener
    ready_at: float | None = None
    done_at: float | None = None
    ended_by: EndedBy = "itself"
    memory_mb: float = 0.0
    next_spend: float = 0.0
    next_memory: float = 0.0
    terminated: bool = False
    open: bool = field(default=True)

    @property
    def charged_s(self) -> float:
        if self.ready_at is None:
            return 0.0
        return (self.done_at or clock()) - self.ready_at

    @property
    def lease_s(self) -> float:
        return clock() - self.child.born

    def timeout_s(self) -> float:
        moments = [self.next_memory, self.next_spend]
        if self.ready_at is not None:
            hold = self.ready_at + self.limits.hold_s
            moments += [hold, hold - grace_s(self.limits.hold_s) / 2]
        now = clock()
        return max(0.001, min([moment - now for moment in moments if moment > now], default=0.001))

    def hear(self) -> None:
        try:
            message = self.child.channel.receive()
            if message["event"] == "ready":
                self.ready_at = clock()
            elif message["event"] == "done":
                self.done_at = clock()
            if (reply := self.listener.hear(message, self.charged_s)) is not None:
                self.child.channel.send(reply)
        except Closed:
            self.open = False

    def look(self) -> None:
        """Poll memory, note spending, and end what has outstayed its limits."""
        now = clock()
        if now >= self.next_memory:
            self.next_memory = now + MEMORY_EVERY_S
            self.memory_mb = max(self.memory_mb, tree_memory_mb(self.child.pid))
        if now >= self.next_spend:
            self.next_spend = now + SPEND_EVERY_S
            self.listener.tick(self.lease_s, self.charged_s)
        if (reason := self._overstayed(now)) is not None:
            self.ended_by = reason
            signal_group(self.child.pid, signal.SIGKILL)

    def _overstayed(self, now: float) -> EndedBy | None:
        if self.child.nursery.stop.is_set():
            return "stopped"
        if self.memory_mb > self.limits.memory_mb:
            return "memory"
        if self.ready_at is None:
            return "not-ready" if now - self.child.born > self.limits.ready_s else None
        left = self.limits.hold_s - self.charged_s
        if left <= 0:
            return "hold"
        if left <= grace_s(self.limits.hold_s) / 2 and not self.terminated and self.done_at is None:
            self.terminated = True
            self.ended_by = "hold"
            signal_group(self.child.pid, signal.SIGTERM)
        return None


def _watched(watch: _Watch) -> Message:
    """Return how the child was reaped, after hearing everything it said."""
    child, exited = watch.child, None
    while exited is None:
        channels = [child.nursery.control, *([child.channel] if watch.open else [])]
        readable, _, _ = select.select(channels, [], [], watch.timeout_s())
        if child.channel in readable:
            watch.hear()
        watch.look()
        exited = child.nursery.exit_of(child, 0.0)
    while watch.open and child.channel.waiting():  # what it said before it went
        watch.hear()
    return exited


def supervise(child: Child, limits: Limits, listener: Listener) -> Ending:
    """Watch a child to its end and return what it cost.

    At the hold less half the grace it gets SIGTERM, at the hold its whole group gets SIGKILL.
    """
    watch = _Watch(child, limits, listener)
    with closing(child):
        exited = _watched(watch)
        charged_s, lease_s = watch.charged_s, watch.lease_s
    done = watch.done_at is not None
    peak = max(watch.memory_mb, exited["peak_mb"])
    return Ending("itself" if done else watch.ended_by, done, exited["code"], lease_s, charged_s, peak)
