"""Requests run in child processes of this machine.

One fork server process per study imports the framework and forks the trials (see ``fork_server``). The
supervisor, this side, never forks: it starts interpreters, reads messages, and watches (see ``supervision``).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from benchmark.environments.inside import InsidePython
from benchmark.errors import AdapterError
from benchmark.executors.channel import Channel, ChannelClosed
from benchmark.executors.executor import ExecutorLost, Limits, Listener
from benchmark.executors.interpreter import Interpreter, ServerProcess, gpu_environment
from benchmark.executors.processes import signal_group
from benchmark.executors.slots import Slot
from benchmark.executors.supervision import Child, Supervision, clock
from benchmark.executors.tree_memory import tree_memory_mb
from benchmark.messages import Broken, Exited, Launch, Message, Ready, ServeRequest, SetUp, Started

ASK_EVERY_S = 0.05
LINE_BYTES = 1 << 16
PRINTED_BYTES = 1 << 20
"""Bytes that a fork server and its children may print into the log of a run."""


@dataclass(frozen=True)
class Preload:
    """What a fork server does before it forks.

    Attributes:
        modules: to import.
        target: "module:function" to call then; what it returns is handed to every child.
        arguments: of that function.
    """

    modules: Sequence[str]
    target: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        """What a complaint calls it: the model's own module comes first."""
        return self.modules[0] if self.modules else self.target


class _Forked:
    """A process forked from a fork server that has imported what all fork servers need."""

    def __init__(self, root: ForkServer, slot: Slot) -> None:
        read, write = os.pipe()
        self.output: IO[bytes] = os.fdopen(read, "rb")
        try:
            request = ServeRequest(gpu_environment(slot))
            self._child = root.launch("benchmark.executors.fork_server:nested", request, (write,))
        except ExecutorLost:
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
        return self._child.exited(within_s) is not None

    def tidy(self) -> None:
        self._child.close()


class ForkServer:
    """This side of the process that forks the trials of one study: an executor.

    ``slot`` may be set to another with as many cores and the same GPU: its next child runs there.
    """

    def __init__(  # noqa: PLR0913 - by keyword: most of them have a default
        self,
        slot: Slot,
        preload: Preload,
        *,
        log: Callable[[str], None],
        hidden: Sequence[Path] = (),
        stop: threading.Event | None = None,
        ready_s: float = 60.0,
        root: ForkServer | None = None,
        inside: InsidePython | None = None,
    ) -> None:
        """Start the process and wait until it has imported and loaded.

        Args:
            slot: cores it is pinned to, and the GPU it sees.
            preload: what to import and load.
            log: takes each line that the process or its children print.
            hidden: paths that no environment variable passed on may contain.
            stop: set by whoever wants everything to end.
            ready_s: seconds that the imports may take.
            root: a fork server with a slot of as many cores, to fork it from; a new interpreter if None.
            inside: the interpreter of an environment, where there is no root; our own if None.

        Raises:
            AdapterError: the import or the loading failed, or took too long.
            ExecutorLost: the root is gone.
        """
        self.slot, self.stop = slot, stop or threading.Event()
        self._process: ServerProcess = (
            Interpreter(slot, hidden, inside) if root is None else _Forked(root, slot)
        )
        self._exits: dict[int, Exited] = {}
        self._gone = False
        self._lock = threading.Lock()  # a root is asked by several threads

        def relay() -> None:
            left, output = PRINTED_BYTES, self._process.output
            with contextlib.suppress(ValueError):  # closed while it reads, at the end
                while line := output.readline(LINE_BYTES):  # read to the end: a full pipe would stop a child
                    if left > 0:
                        log(line.decode("utf-8", "replace").rstrip())
                        left -= len(line)
                        if left <= 0:
                            log(f"prints more than {PRINTED_BYTES >> 20} MB: the rest is left out")

        self._reader = threading.Thread(target=relay, daemon=True)
        self._reader.start()
        self.inside: InsidePython | None = inside if root is None else root.inside
        answer = self.set_up(preload, ready_s)
        if not isinstance(answer, Ready):
            self.close()
            why = answer.traceback.strip().splitlines()[-1] if isinstance(answer, Broken) else str(answer)
            raise AdapterError(f"{preload}: cannot be loaded: {why}")

    def set_up(self, preload: Preload, ready_s: float) -> Message:
        """Have the process import and load; return its answer, or why there is none."""
        paths = sys.path if self.inside is None else []  # an environment has its own
        message = SetUp(
            sys_path=tuple(str(Path(path).resolve()) if path else os.getcwd() for path in paths),
            cores=self.slot.cores,
            preload=tuple(preload.modules),
            target=preload.target,
            arguments=dict(preload.arguments),
        )
        deadline = clock() + ready_s
        try:
            self.control.send(message)
            while not self.control.waiting(0.1):
                if self.stop.is_set():
                    return Broken("stopped")
                if clock() > deadline:
                    return Broken(f"not ready after {ready_s:.0f} s")
            return self.control.receive()
        except ChannelClosed:
            return Broken("the process exited unexpectedly")

    def start(
        self,
        target: str,
        request: Message,
        limits: Limits,
        listener: Listener,
        descriptors: tuple[int, ...] = (),
    ) -> Supervision:
        """Fork a child that runs a request; see :class:`benchmark.executors.executor.Executor`."""
        child = self.launch(target, request, descriptors)
        try:
            listener.started(child.identity)
        except BaseException:
            child.close()
            raise
        return Supervision(child, limits, listener)

    def launch(self, target: str, request: Message, descriptors: tuple[int, ...] = ()) -> Child:
        """Fork a child that runs ``target(request, channel, loaded, descriptors)``.

        Raises:
            ExecutorLost: the fork server is gone.
        """
        mine, theirs = Channel.pair()
        born = clock()
        try:
            with self._lock:
                launch = Launch(target, request, self.slot.cores)
                self.control.send(launch, (theirs.fileno(), *descriptors))
                while not isinstance(message := self.control.receive(), Started):
                    self._note(message)
                self._exits.pop(message.pid, None)  # an earlier child may have had the number
        except ChannelClosed as error:
            mine.close()
            raise ExecutorLost from error
        finally:
            theirs.close()
        return Child(message.pid, message.start_ticks, mine, born, self.control, self.stop, self.exit_of)

    def exit_of(self, pid: int, timeout_s: float) -> Exited | None:
        """Return how a child was reaped, waiting up to ``timeout_s``; None while it lives."""
        deadline = clock() + timeout_s
        while True:
            with self._lock:
                self._take_exits()
                if pid in self._exits:
                    return self._exits[pid]
            if self._gone:  # killed, and its children with it
                return Exited(pid, -signal.SIGKILL)
            if clock() >= deadline:
                return None
            self.control.waiting(min(ASK_EVERY_S, max(0.0, deadline - clock())))

    def _take_exits(self) -> None:
        """Note every exit that was reported."""
        try:
            while not self._gone and self.control.waiting():
                self._note(self.control.receive())
        except ChannelClosed:
            self._gone = True

    def _note(self, message: Message) -> None:
        assert isinstance(message, Exited), message
        self._exits[message.pid] = message

    @property
    def control(self) -> Channel:
        """The channel on which launches are ordered and exits reported."""
        return self._process.control

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return not self._process.ended(0.0)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def memory_mb(self) -> float:
        """Memory of the process and what it forked, in MiB."""
        return tree_memory_mb(self._process.pid)

    def close(self) -> None:
        """End the process, and with it whatever it still holds."""
        self.control.close()
        if not self._process.ended(within_s=1.0):
            signal_group(self._process.pid, signal.SIGKILL)
            self._process.ended(within_s=10.0)
        self._reader.join(timeout=1.0)
        if not self._reader.is_alive():
            self._process.output.close()  # not while it is read: a stray grandchild may hold it open
        self._process.tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
