"""How the process of a final and the scorer talk: what is handed over, of whom, and in which arrays.

The process of the model sends a list, or a row of scores, for each user; then, if it rates, it answers each
array of pairs that the scorer sends with their ratings, until one is empty; last comes its state. One end
writes only while the other reads, so neither can wait for the other but within the limits of both.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from benchmark.errors import MetricError
from benchmark.fit import batches
from benchmark.messages import HandOver
from benchmark.metrics.register import Metric, needs_scores
from benchmark.metrics.topk import batch_size
from benchmark.protocol import Array, Ids

_HEADER = struct.Struct("!4sqq")
_BLOCK = 1 << 20

KNOWN_CANDIDATES = ("all", "train", "given")
"""Rules of candidates that follow from what a model may see. The others follow from test, or from what is
held out with all its rows: who ranks under them learns test."""


def hand_over(metrics: Sequence[Metric], candidates: str) -> HandOver:
    """Return what a final hands over: lists, unless a metric or the rule of candidates needs all scores.

    >>> from benchmark.metrics.register import parse_metric
    >>> hand_over([parse_metric("ndcg@10")], "all"), hand_over([parse_metric("ndcg@10")], "test-items")
    ('lists', 'scores')
    """
    return "lists" if candidates in KNOWN_CANDIDATES and not needs_scores(metrics) else "scores"


def batches_of(users: Sequence[int] | None, n_users: int, n_items: int) -> Iterator[Ids]:
    """Return the users whose lists or scores are handed over, in the batches and the order of both ends.

    Args:
        users: whose; None for all.
        n_users: U.
        n_items: I.
    """
    if users is None:
        yield from batches(n_users, n_items)
        return
    chosen, size = np.array(users, dtype=np.int32), batch_size(n_items)
    for first in range(0, len(chosen), size):
        yield chosen[first : first + size]


class Wire:
    """One end of the socket between the process of a final and the scorer: whole arrays, in order."""

    def __init__(self, descriptor: int) -> None:
        """Take over a connected Unix socket."""
        self._socket = socket.socket(fileno=descriptor)

    def send(self, array: Array) -> None:
        """Send an array of two dimensions.

        Raises:
            ConnectionError: the other end is gone.
        """
        whole = np.ascontiguousarray(array)
        self._socket.sendall(_HEADER.pack(whole.dtype.str.encode(), *whole.shape))
        if whole.size:
            self._socket.sendall(whole.data.cast("B"))

    def receive(self, dtype: DTypeLike, rows: int, columns: int | None, who: str) -> Array:
        """Return the next array.

        Args:
            dtype: that it must have.
            rows: that it must have.
            columns: likewise; None for any number.
            who: the model, for the message.

        Raises:
            MetricError: it has another type or shape.
            ConnectionError: the other end is gone.
        """
        name, *shape = _HEADER.unpack(self._read(np.empty(_HEADER.size, dtype=np.uint8)).tobytes())
        found, wanted = name.rstrip(b"\0").decode("ascii", "replace"), np.dtype(dtype)
        fits = shape[1] >= 0 if columns is None else shape[1] == columns
        if found != wanted.str or shape[0] != rows or not fits:
            raise MetricError(
                f"{who}: handed over an array of type {found} and shape {tuple(shape)},"
                f" expected {wanted.str} and {(rows, columns)}"
            )
        array = np.empty(shape, dtype=wanted)
        if array.size:
            self._read(array)
        return array

    def send_bytes(self, content: bytes) -> None:
        """Send what has no end but that of the conversation.

        Raises:
            ConnectionError: the other end is gone.
        """
        self._socket.sendall(content)

    def blocks(self) -> Iterator[bytes]:
        """Yield what is left, until the other end closes."""
        while block := self._socket.recv(_BLOCK):
            yield block

    def _read(self, array: Array) -> Array:
        view = array.data.cast("B")
        while view:
            count = self._socket.recv_into(view)
            if not count:
                raise ConnectionResetError("the other end is gone")
            view = view[count:]
        return array

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
