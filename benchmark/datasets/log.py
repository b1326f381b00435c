"""An interaction log as it was read, before anything is done to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from benchmark.protocol import Array

Role: TypeAlias = Literal["category", "list", "number", "text"]
Roles: TypeAlias = Mapping[str, Role]
"""What models are shown of a table: its columns and how each is to be read."""

GENRES: Roles = {"genres": "list"}

LIST_MARK = "|"
"""What parts the values of a list in our tables."""


@dataclass(frozen=True)
class Log:
    """A log with the publisher's ids, rows in the publisher's order.

    Attributes:
        name: name in tables and files.
        frame: columns user, item and, where the log has them, value (float) and time (seconds since
            1970, float; nan where missing); column part (0 train, 1 valid, 2 test) for split files.
        items: columns item and perhaps title, genres (joined by |) and more; None if nothing is known.
        scale: lowest and highest rating allowed; None where values are no ratings.
        licence: terms of use in a few words.
        origin: path or address it came from, or "generated".
        synthetic: whether it was generated.
        sha256: content hash of what was read.
        users: columns user and more; None if nothing is known.
        item_roles: columns of ``items`` that models are shown, besides the title; None to show nothing.
        user_roles: columns of ``users`` that models are shown; None likewise.
        acknowledged: when the licence was shown to the user.
    """

    name: str
    frame: pd.DataFrame
    items: pd.DataFrame | None
    scale: tuple[float, float] | None
    licence: str
    origin: str
    synthetic: bool
    sha256: str
    users: pd.DataFrame | None = None
    item_roles: Roles | None = field(default_factory=lambda: GENRES)
    user_roles: Roles | None = field(default_factory=dict)
    acknowledged: str = "shown when the data was read"


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
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
