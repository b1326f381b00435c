"""A final's process and its scorer in two threads of one, joined by a socket."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from benchmark.final_fit import final
from benchmark.hand_over import Wire
from benchmark.messages import FinalRequest, Message
from benchmark.trial import Parts

Found = TypeVar("Found")


class Told:
    """A supervisor that keeps what it was told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> None:
        self.messages.append(message)

    def receive(self) -> Message:
        raise AssertionError("a final asks nothing")


def wires() -> tuple[Wire, Wire]:
    """Return two connected ends."""
    one, other = socket.socketpair()
    return Wire(one.detach()), Wire(other.detach())


def with_final(asked: FinalRequest, parts: Parts, scorer: Callable[[Wire], Found]) -> tuple[Found, Told]:
    """Run a final against what plays the scorer; return what that found, and what the final told."""
    mine, theirs = socket.socketpair()
    told = Told()
    with ThreadPoolExecutor(1) as pool, Wire(mine.detach()) as wire:
        running = pool.submit(final, asked, told, parts, [theirs.detach()])
        found = scorer(wire)
        running.result(60)
    return found, told
