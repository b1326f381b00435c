"""JSON messages and file descriptors over a Unix socket: how engine processes talk."""

from __future__ import annotations

import json
import select
import socket
import struct
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]

_HEADER = struct.Struct("!II")
_MOST_DESCRIPTORS = 4


class Closed(Exception):  # noqa: N818 - it is an event, not an error: the other side has gone
    """The other end of a channel has gone."""


class Channel:
    """One end of a conversation: whole messages, in order, each with optional descriptors."""

    def __init__(self, end: socket.socket) -> None:
        """Take over a connected Unix stream socket."""
        self._socket = end

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Return two connected ends."""
        one, other = socket.socketpair()
        return cls(one), cls(other)

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Channel:
        """Take over a socket that this process inherited."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """Return the descriptor, for ``select``."""
        return self._socket.fileno()

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send one message.

        Raises:
            Closed: the other side has gone.
        """
        body = json.dumps(message).encode()
        try:
            if descriptors:
                socket.send_fds(self._socket, [_HEADER.pack(len(body), len(descriptors))], list(descriptors))
            else:
                self._socket.sendall(_HEADER.pack(len(body), 0))
            self._socket.sendall(body)
        except OSError as error:
            raise Closed from error

    def receive(self) -> Message:
        """Wait for one message.

        Raises:
            Closed: the other side has gone.
        """
        return self.receive_with_descriptors()[0]

    def receive_with_descriptors(self) -> tuple[Message, list[int]]:
        """Wait for one message and the descriptors that came with it."""
        try:
            header, descriptors, _, _ = socket.recv_fds(self._socket, _HEADER.size, _MOST_DESCRIPTORS)
            header += self._exactly(_HEADER.size - len(header)) if header else b""
            if not header:
                raise Closed
            length, _ = _HEADER.unpack(header)
            return json.loads(self._exactly(length)), descriptors
        except OSError as error:
            raise Closed from error

    def waiting(self, timeout_s: float = 0.0) -> bool:
        """Return whether a message, or the end, can be read within ``timeout_s``."""
        return bool(select.select([self], [], [], timeout_s)[0])

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise Closed
            parts += part
        return bytes(parts)
