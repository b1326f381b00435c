"""Trials in child processes of this machine: started, watched, charged and, in time, killed.

One fork server process per study imports the framework and forks the trials (see ``fork_server``). The
supervisor, this side, never forks: it starts interpreters, reads messages, polls memory and holds
both clocks. ``lease_s`` runs from the start of a process until it is reaped, ``charged_s`` from
its word that it is ready until it says it is done or is reaped.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeAlias

from benchmark.budget import SPEND_EVERY_S, clock, grace_s
from benchmark.errors import AdapterError
from benchmark.executors.channel import Channel, Closed, Message
from benchmark.executors.interpreter import Interpreter, ServerProcess, gpu_environment
from benchmark.executors.processes import signal_group, tree_memory_mb
from benchmark.executors.slots import Slot

MEMORY_EVERY_S = 0.1
ASK_EVERY_S = 0.05

EndedBy: TypeAlias = Literal["itself", "hold", "memory", "not-ready", "stopped"]


@dataclass(frozen=True)
class Limits:
    """What a child may take: charged seconds, memory of its whole group, seconds until ready."""

    hold_s: float
    memory_mb: float
    ready_s: float


@dataclass
class ExitReport:
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
    fork_server: ForkServer
    closed: bool = False

    def close(self) -> None:
        """Let go of it, once: whatever lives of its group is killed, grandchildren too."""
        if not self.closed:
            self.closed = True
            signal_group(self.pid, signal.SIGKILL)
            self.channel.close()


@dataclass(frozen=True)
class Preload:
    """What a fork server does before it forks: modules to import, then "module:function" to call."""

    preload: Sequence[str]
    setup: str
    arguments: Mapping[str, Any]


class _Forked:
    """A process forked from a fork server that has imported what all fork servers need."""

    def __init__(self, root: ForkServer, slot: Slot) -> None:
        """Fork it.

        Raises:
            Closed: the root has died.
        """
        read, write = os.pipe()
        self.output = os.fdopen(read, "rb")
        try:
            request = {"environment": gpu_environment(slot)}
            self._child = root.launch("benchmark.executors.fork_server:nested", request, (write,))
        except Closed:
            self.output.close()
            raise
        finally:
            os.close(write)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def control(self) -> Channel:
        return self._child.channel

    def ended(self, within_s: float) -> bool:
        return self._child.fork_server.exit_of(self._child, within_s) is not None

    def tidy(self) -> None:
        self._child.close()


class ForkServer:
    """This side of the process that forks the trials of one study.

    ``slot`` may be set to another with as many cores and the same GPU: its next child runs there.
    """

    def __init__(  # noqa: PLR0913 - by keyword: most of them have a default
        self,
        slot: Slot,
        what: Preload,
        *,
        log: Callable[[str], None],
        hidden: Sequence[Path] = (),
        stop: threading.Event | None = None,
        ready_s: float = 60.0,
        root: ForkServer | None = None,
    ) -> None:
        """Start the process and wait until it has imported and loaded.

        Args:
            slot: cores it is pinned to, and the GPU it sees.
            what: what to import and load.
            log: takes each line that the process or its children print.
            hidden: paths that no environment variable handed on may contain.
            stop: set by whoever wants everything to end.
            ready_s: seconds that the imports may take.
            root: a fork server with a slot of as many cores, to fork it from; a new interpreter if None.

        Raises:
            AdapterError: the import or the loading failed, or took too long.
            Closed: the root has died.
        """
        self.slot, self.stop = slot, stop or threading.Event()
        self._origin: ServerProcess = Interpreter(slot, hidden) if root is None else _Forked(root, slot)
        self._control = self._origin.control
        self._reader = threading.Thread(target=self._relay, args=(log,), daemon=True)
        self._reader.start()
        self._exits: dict[int, Message] = {}
        self._gone = False
        self._lock = threading.Lock()  # a root is asked by several threads
        self._await_ready(what, ready_s)

    def _await_ready(self, what: Preload, ready_s: float) -> None:
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
            Closed: the fork server has died.
        """
        mine, theirs = Channel.pair()
        born = clock()
        try:
            order = {"entry": entry, "request": request, "cores": list(self.slot.cores)}
            with self._lock:
                self._control.send(order, (theirs.fileno(), *descriptors))
                while (message := self._control.receive())["event"] != "started":
                    self._exits[message["pid"]] = message
                self._exits.pop(message["pid"], None)  # an earlier child may have had the number
        except Closed:
            mine.close()
            raise
        finally:
            theirs.close()
        return Child(message["pid"], message["start_ticks"], mine, born, self)

    def exit_of(self, child: Child, timeout_s: float) -> Message | None:
        """Return how a child was reaped, waiting up to ``timeout_s``; None while it lives."""
        deadline = clock() + timeout_s
        while True:
            with self._lock:
                self._take_exits()
                if child.pid in self._exits:
                    return self._exits[child.pid]
            if self._gone:  # killed, and its children with it
                return {"event": "exited", "pid": child.pid, "code": -signal.SIGKILL, "peak_mb": 0.0}
            if clock() >= deadline:
                return None
            self._control.waiting(min(ASK_EVERY_S, max(0.0, deadline - clock())))

    def _take_exits(self) -> None:
        """Note every exit that was told."""
        try:
            while not self._gone and self._control.waiting():
                message = self._control.receive()
                self._exits[message["pid"]] = message
        except Closed:
            self._gone = True

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return not self._origin.ended(0.0)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._origin.pid

    @property
    def memory_mb(self) -> float:
        """Resident memory of the process and what it forked, in MiB."""
        return tree_memory_mb(self._origin.pid)

    @property
    def control(self) -> Channel:
        """The channel on which exits are told, for ``select``."""
        return self._control

    def close(self) -> None:
        """End the process, and with it whatever it still holds."""
        self._control.close()
        if not self._origin.ended(within_s=1.0):
            signal_group(self._origin.pid, signal.SIGKILL)
            self._origin.ended(within_s=10.0)
        self._reader.join(timeout=1.0)
        if not self._reader.is_alive():
            self._origin.output.close()  # not under the reader: it may wait for a stray grandchild's end
        self._origin.tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _relay(self, log: Callable[[str], None]) -> None:
        with contextlib.suppress(ValueError):  # closed under us at the end
            for line in self._origin.output:
                log(line.decode("utf-8", "replace").rstrip())


@dataclass
class _Supervision:
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
        if self.child.fork_server.stop.is_set():
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


def _watched(watch: _Supervision) -> Message:
    """Return how the child was reaped, after hearing everything it said."""
    child, exited = watch.child, None
    while exited is None:
        channels = [child.fork_server.control, *([child.channel] if watch.open else [])]
        readable, _, _ = select.select(channels, [], [], watch.timeout_s())
        if child.channel in readable:
            watch.hear()
        watch.look()
        exited = child.fork_server.exit_of(child, 0.0)
    while watch.open and child.channel.waiting():  # what it said before it went
        watch.hear()
    return exited


def supervise(child: Child, limits: Limits, listener: Listener) -> ExitReport:
    """Watch a child to its end and return what it cost.

    At the hold less half the grace it gets SIGTERM, at the hold its whole group gets SIGKILL.
    """
    watch = _Supervision(child, limits, listener)
    with closing(child):
        exited = _watched(watch)
        charged_s, lease_s = watch.charged_s, watch.lease_s
    done = watch.done_at is not None
    peak = max(watch.memory_mb, exited["peak_mb"])
    return ExitReport("itself" if done else watch.ended_by, done, exited["code"], lease_s, charged_s, peak)
