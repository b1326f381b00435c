"""A child process watched to its end: heard, charged and, at its limits, killed.

Both clocks are here. ``lease_s`` runs from the start of a process until it is reaped, ``charged_s`` from
its message that it is ready until it says that it is done or is reaped.
"""

from __future__ import annotations

import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from benchmark.budget import grace_s
from benchmark.executors.channel import Channel, ChannelClosed
from benchmark.executors.executor import EndedBy, ExitReport, Limits, Listener, ProcessIdentity
from benchmark.executors.processes import boot_and_pid_namespace, signal_group
from benchmark.executors.tree_memory import TreeMemory
from benchmark.messages import Done, Exited, FitEnded, Ready

clock = time.monotonic
"""Seconds from an arbitrary start, never set back."""
MEMORY_EVERY_S = 0.1
SPEND_EVERY_S = 0.5


@dataclass
class Child:
    """One forked process, and this side's end of its channel.

    Attributes:
        pid: its number, and that of its group.
        start_ticks: when it started, in clock ticks since boot.
        channel: our end of the conversation with it.
        born: when it was asked for, by :data:`clock`.
        exits: where its fork server reports exits, for ``select``.
        stop: set by whoever wants everything to end.
        reaped: returns its exit, waiting up to so many seconds for it; None while it lives.
        memory: of it and of what it starts.
    """

    pid: int
    start_ticks: int | None
    channel: Channel
    born: float
    exits: Channel
    stop: threading.Event
    reaped: Callable[[int, float], Exited | None]
    closed: bool = False
    memory: TreeMemory = field(init=False)

    def __post_init__(self) -> None:
        """Have its memory watched."""
        self.memory = TreeMemory(self.pid)

    @property
    def identity(self) -> ProcessIdentity:
        """How it is found again."""
        return ProcessIdentity(self.pid, self.start_ticks, boot_and_pid_namespace())

    def exited(self, within_s: float) -> Exited | None:
        """Return how it was reaped, waiting up to ``within_s`` for it; None while it lives."""
        return self.reaped(self.pid, within_s)

    def close(self) -> None:
        """Let go of it, once: whatever lives of its group is killed, grandchildren too."""
        if not self.closed:
            self.closed = True
            signal_group(self.pid, signal.SIGKILL)
            self.channel.close()


@dataclass
class Supervision:
    """One child that runs a request: its clocks, its limits, and which of them ended it."""

    child: Child
    limits: Limits
    listener: Listener
    ready_at: float | None = None
    done_at: float | None = None
    fit_ended_at: float | None = None
    ended_by: EndedBy = "itself"
    memory_mb: float = 0.0
    next_spend: float = 0.0
    next_memory: float = 0.0
    terminated: bool = False
    listening: bool = True

    @property
    def charged_s(self) -> float:
        """Seconds charged so far."""
        if self.ready_at is None:
            return 0.0
        return (self.done_at or clock()) - self.ready_at

    @property
    def limit(self) -> tuple[EndedBy, float, float]:
        """The limit that runs: its name, its seconds, and when it began."""
        if self.fit_ended_at is not None and self.limits.scoring_s is not None:
            return "scoring", self.limits.scoring_s, self.fit_ended_at
        return "hold", self.limits.hold_s, clock() if self.ready_at is None else self.ready_at

    @property
    def lease_s(self) -> float:
        """Seconds since it was started."""
        return clock() - self.child.born

    def close(self) -> None:
        """Kill whatever is left of the child."""
        self.child.close()

    def wait(self) -> ExitReport:
        """Watch the child to its end and return what it cost.

        At the limit less half the grace it gets SIGTERM, at the limit its whole group gets SIGKILL. The limit
        is the hold, or, once a final's fit has ended, the limit of scoring.
        """
        exited = None
        with closing(self.child):
            while exited is None:
                channels = [self.child.exits, *([self.child.channel] if self.listening else [])]
                readable, _, _ = select.select(channels, [], [], self.timeout_s())
                if self.child.channel in readable:
                    self.hear()
                self.look()
                exited = self.child.exited(0.0)
            while self.listening and self.child.channel.waiting():  # what it said before it ended
                self.hear()
            charged_s, lease_s = self.charged_s, self.lease_s
        done = self.done_at is not None
        return ExitReport(
            ended_by="itself" if done else self.ended_by,
            done=done,
            code=exited.code,
            lease_s=lease_s,
            charged_s=charged_s,
            memory_mb=self.memory_mb,
            core_s=exited.core_s,
        )

    def timeout_s(self) -> float:
        """Return how long to wait for a message before something else is due.

        What came due since the last look is due now; a hold that has passed is due no more, it was acted on.
        """
        now, moments = clock(), [self.next_memory, self.next_spend]
        if self.ready_at is not None:
            _, seconds, began = self.limit
            ends = began + seconds, began + seconds - grace_s(seconds) / 2
            moments += [moment for moment in ends if moment > now]
        return max(0.001, min(moments) - now)

    def hear(self) -> None:
        """Take one message and send the listener's reply."""
        try:
            message = self.child.channel.receive()
            if isinstance(message, Ready):
                self.ready_at = clock()
            elif isinstance(message, FitEnded):
                self.fit_ended_at = self.fit_ended_at or clock()
            elif isinstance(message, Done):
                self.done_at = clock()
                self.next_memory = 0.0  # once more while it holds what it made
            if (reply := self.listener.hear(message, self.charged_s)) is not None:
                self.child.channel.send(reply)
        except ChannelClosed:
            self.listening = False

    def look(self) -> None:
        """Poll memory, note spending, and end what has exceeded its limits."""
        now = clock()
        if now >= self.next_memory:
            self.next_memory = now + MEMORY_EVERY_S
            self.memory_mb = max(self.memory_mb, self.child.memory.mb())
        if now >= self.next_spend:
            self.next_spend = now + SPEND_EVERY_S
            self.listener.tick(self.lease_s, self.charged_s)
        if (limit := self.exceeded(now)) is not None:
            self.ended_by = limit
            signal_group(self.child.pid, signal.SIGKILL)

    def exceeded(self, now: float) -> EndedBy | None:
        """Return the limit that the child has exceeded; shortly before its hold it gets SIGTERM."""
        if self.child.stop.is_set():
            return "stopped"
        if self.memory_mb > self.limits.memory_mb:
            return "memory"
        if self.ready_at is None:
            return "not-ready" if now - self.child.born > self.limits.ready_s else None
        name, seconds, began = self.limit
        left = began + seconds - (self.done_at or now)
        if left <= 0:
            return name
        if left <= grace_s(seconds) / 2 and not self.terminated and self.done_at is None:
            self.terminated = True
            self.ended_by = name
            signal_group(self.child.pid, signal.SIGTERM)
        return None
