"""The seam between a run and the machines that it uses.

An executor runs a request under limits, passes on what the process says, and reports how it ended. Nothing
above this module knows where that happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from benchmark.messages import Message

EndedBy: TypeAlias = Literal["itself", "hold", "scoring", "memory", "not-ready", "stopped"]


class ExecutorLost(Exception):  # noqa: N818 - an event, not an error: another one can be lent
    """Whatever ran the requests is gone, and every process that it ran with it."""


@dataclass(frozen=True)
class Limits:
    """What a process may use.

    Attributes:
        hold_s: charged seconds.
        memory_mb: of it and all that it starts, MiB.
        ready_s: seconds until it says that it is ready.
        scoring_s: seconds from the end of its fit, if it says so; from then on they take the place of
            ``hold_s``. None where the hold bounds everything.
    """

    hold_s: float
    memory_mb: float
    ready_s: float
    scoring_s: float | None = None


@dataclass(frozen=True)
class ProcessIdentity:
    """How a process is found again, even after its supervisor has died.

    Attributes:
        pid: of the process, and of its group.
        start_ticks: when it started, in clock ticks since boot.
        namespace: the boot and PID namespace in which the two mean something.
    """

    pid: int
    start_ticks: int | None
    namespace: str


@dataclass(frozen=True)
class ExitReport:
    """How a process ended and what it cost.

    Attributes:
        ended_by: the limit that ended it, "stopped" for the user; "itself" if none did.
        done: whether it said that it had nothing more to do.
        code: exit code, negative for a signal.
        lease_s: seconds from its start until it was reaped.
        charged_s: seconds from ready to done, or until it was reaped.
        memory_mb: peak of what it and what it started held for themselves, MiB, polled; no pages of files.
        core_s: CPU time of its processes: seconds of one core, user and system.
    """

    ended_by: EndedBy
    done: bool
    code: int
    lease_s: float
    charged_s: float
    memory_mb: float
    core_s: float = 0.0


class Listener(Protocol):
    """Hears one process from its start to its end."""

    def started(self, process: ProcessIdentity) -> None:
        """The process exists; nothing has been charged yet."""
        ...

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Take one message; what is returned is sent back."""
        ...

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Note what has been spent so far; called every half second."""
        ...


class Running(Protocol):
    """A request that runs."""

    def wait(self) -> ExitReport:
        """Supervise it to its end; nothing that it started is left."""
        ...

    def close(self) -> None:
        """Kill whatever is left of it."""
        ...


class Executor(Protocol):
    """Runs requests, each in a process of its own."""

    def start(
        self,
        target: str,
        request: Message,
        limits: Limits,
        listener: Listener,
        descriptors: tuple[int, ...] = (),
    ) -> Running:
        """Start ``target(request, channel, loaded, descriptors)``.

        Args:
            target: "module:function".
            request: its first argument.
            limits: what it may use, enforced while somebody waits for it.
            listener: hears it, its start before this call returns.
            descriptors: open files that are handed to it.

        Raises:
            ExecutorLost: this executor is gone.
        """
        ...
