"""An interaction log as it was read, before anything is done to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.protocol import Array


@dataclass(frozen=True)
class Log:
    """A log with the publisher's ids, rows in the publisher's order.

    Attributes:
        name: name in tables and files.
        frame: columns user, item and, where the log has them, value (float) and time (seconds since
            1970, float; nan where missing); column part (0 train, 1 valid, 2 test) for split files.
        items: columns item, title and perhaps genres (joined by |); None if no titles are known.
        scale: lowest and highest rating allowed; None where values are no ratings.
        licence: terms of use in a few words.
        origin: path or address it came from, or "generated".
        synthetic: whether it was generated.
        sha256: content hash of what was read.
    """

    name: str
    frame: pd.DataFrame
    items: pd.DataFrame | None
    scale: tuple[float, float] | None
    licence: str
    origin: str
    synthetic: bool
    sha256: str


def hash_files(paths: Iterable[Path]) -> str:
    """Return the sha256 over the bytes of the files, each preceded by its length."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.stat().st_size}:".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def hash_arrays(arrays: Iterable[tuple[str, Array]]) -> str:
    """Return the sha256 over named arrays: name, type, shape and content each.

    Text is hashed as UTF-8, so that the result does not depend on how numpy stores it.

    >>> a, b = np.array([1, 2]), np.array([1, 2], dtype=np.int32)
    >>> hash_arrays([("a", a)]) == hash_arrays([("a", a)]), hash_arrays([("a", a)]) == hash_arrays([("a", b)])
    (True, False)
    """
    digest = hashlib.sha256()
    for name, array in arrays:
        text = array.dtype.kind in "OUT"
        kind = "text" if text else array.dtype.str
        digest.update(f"{name}|{kind}|{array.shape}|".encode())
        if text:
            for word in array.tolist():
                encoded = str(word).encode()
                digest.update(f"{len(encoded)}:".encode() + encoded)
        else:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
