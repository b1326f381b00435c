"""Typed messages and file descriptors over a Unix socket: how engine processes talk."""

from __future__ import annotations

import json
import select
import socket
import struct

from benchmark.messages import Message, decode, encode

_HEADER = struct.Struct("!II")
_MAX_DESCRIPTORS = 4


class ChannelClosed(Exception):  # noqa: N818 - an event, not an error
    """The other end of a channel is gone."""


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
            ChannelClosed: the other side is gone.
        """
        body = json.dumps(encode(message)).encode()
        header = _HEADER.pack(len(body), len(descriptors))
        try:
            if descriptors:
                socket.send_fds(self._socket, [header], list(descriptors))
            else:
                self._socket.sendall(header)
            self._socket.sendall(body)
        except OSError as error:
            raise ChannelClosed from error

    def receive(self) -> Message:
        """Wait for one message.

        Raises:
            ChannelClosed: the other side is gone.
        """
        return self.receive_with_descriptors()[0]

    def receive_with_descriptors(self) -> tuple[Message, list[int]]:
        """Wait for one message and the descriptors that came with it.

        Raises:
            ChannelClosed: the other side is gone.
        """
        try:
            header, descriptors, _, _ = socket.recv_fds(self._socket, _HEADER.size, _MAX_DESCRIPTORS)
            if not header:
                raise ChannelClosed
            length, _ = _HEADER.unpack(header + self.read(_HEADER.size - len(header)))
            return decode(json.loads(self.read(length))), descriptors
        except OSError as error:
            raise ChannelClosed from error

    def read(self, count: int) -> bytes:
        """Return exactly ``count`` bytes.

        Raises:
            ChannelClosed: the other side is gone before they are complete.
        """
        data = bytearray()
        while len(data) < count:
            received = self._socket.recv(count - len(data))
            if not received:
                raise ChannelClosed
            data += received
        return bytes(data)

    def waiting(self, timeout_s: float = 0.0) -> bool:
        """Return whether a message, or the end, can be read within ``timeout_s``."""
        return bool(select.select([self], [], [], timeout_s)[0])

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
