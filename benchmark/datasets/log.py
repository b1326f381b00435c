"""An interaction log as it was read, before anything is done to it. Light: every trial process imports it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from benchmark.errors import DataError
from benchmark.protocol import Array, Ids, Interactions

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.datasets.clock import Clock
    from benchmark.datasets.specs import LogSpec, PrepareSpec, Seen, TableSpec
    from benchmark.records import Provenance, TableName

Part: TypeAlias = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = ("train", "valid", "test")
KNOWN_PARTS: Mapping[Part, tuple[Part, ...]] = {"valid": ("train",), "test": ("train", "valid")}
"""The parts that are known when lists for a part are made."""
"""The parts of a split; row labels are indices into this tuple."""

Side: TypeAlias = Literal["user", "item"]
SIDES: tuple[Side, ...] = ("user", "item")

Role: TypeAlias = Literal["category", "list", "number", "text"]
Roles: TypeAlias = Mapping[str, Role]
"""The columns of a table that models are shown, and how each is read."""

GENRES: Roles = {"genres": "list"}

LIST_SEPARATOR = "|"
"""Separates the values of a list in our tables."""

BLANKS = "\ufeff\u200b\u2060\x00"
"""What else is invisible at the ends of an id, besides white space: byte order mark, joiners, padding."""

WHOLE_FLOAT = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0*")

Say: TypeAlias = Callable[[str], None]
"""Takes one line of progress."""


def silent(_: str) -> None:
    """Say nothing."""


def seconds_since_1970() -> Clock:
    """Return what the times of most logs mean."""
    from benchmark.datasets.clock import Clock  # not at import: serving needs none

    return Clock()


def as_compared(written: object) -> str:
    r"""Return an id as ids are compared: blanks trimmed, letters composed, whole numbers without a point.

    >>> as_compared(" u1 "), as_compared(5863.0), as_compared("e\u0301") == "\u00e9", as_compared("007")
    ('u1', '5863', True, '007')
    """
    trimmed = unicodedata.normalize("NFC", str(written).strip().strip(BLANKS).strip())
    match = WHOLE_FLOAT.fullmatch(trimmed)
    return match[1] if match else trimmed


def dense_id(known: Mapping[str, int], wanted: object) -> int | None:
    """Return the dense id of a raw one, as written or else in the writing in which ids are compared.

    >>> dense_id({"5": 0, "é": 1}, 5.0), dense_id({"5": 0}, " 5 "), dense_id({"5.0": 0}, "5"), dense_id({}, 7)
    (0, 0, None, None)
    """
    found = known.get(str(wanted))
    return known.get(as_compared(wanted)) if found is None else found


@dataclass(frozen=True)
class SideTable:
    """A table that a suite names: its file, how it is written, the key that names it, and its log."""

    path: Path
    spec: TableSpec
    key: TableName
    entry: LogSpec


@dataclass(frozen=True)
class Triples:
    """A knowledge graph as it was read: codes into its entities and relations, T triples.

    Attributes:
        source: the file, or "from_items".
        heads: (T,) codes of entities.
        relations: (T,) codes of relations.
        tails: (T,) codes of entities.
        entities: name of each entity, ascending.
        relation_names: name of each relation, ascending.
        link_items: ids of items as text, (L,); None if an entity whose name is an item's id is that item.
        link_entities: the entity that each of these is, (L,) codes; -1 for one without a triple.
    """

    source: str
    heads: Ids
    relations: Ids
    tails: Ids
    entities: Array
    relation_names: tuple[str, ...]
    link_items: Array | None = None
    link_entities: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int32))


@dataclass(frozen=True)
class Log:
    """A log with the publisher's ids, rows in the publisher's order.

    Attributes:
        provenance: where it came from.
        frame: columns user, item and, if the log has them, value (float, nan where missing, or the nullable
            type boolean) and time (int64 in the unit of ``clock``, Int64 with NA where one is missing);
            column part (0 train, 1 valid, 2 test) for split files. Event types, such as view and buy, are
            in the column event, as categories, instead of value; weight (float) says how much each row
            counts, where the suite does.
        items: columns item and perhaps title, genres (joined by |) and more; None if nothing is known.
        users: columns user and more; None if nothing is known.
        item_roles: columns of ``items`` that models are shown, besides the title; None to show nothing.
        user_roles: columns of ``users`` that models are shown; None likewise.
        notes: what was made of the files that they do not say themselves, one sentence each.
        clock: what the times mean.
        weight: where the weights come from, as the suite writes it; None without weights.
        defaults: how its publisher's rows are prepared where the suite does not say; None if that is as ever.
        item_file: where ``items`` was read from; None for a publisher's own table.
        user_file: where ``users`` was read from; None likewise.
        graph: what is known of items as triples; None if there is no graph.
    """

    provenance: Provenance
    frame: pd.DataFrame
    items: pd.DataFrame | None = None
    users: pd.DataFrame | None = None
    item_roles: Roles | None = field(default_factory=lambda: GENRES)
    user_roles: Roles | None = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    clock: Clock = field(default_factory=seconds_since_1970)
    weight: str | None = None
    defaults: PrepareSpec | None = None
    item_file: SideTable | None = None
    user_file: SideTable | None = None
    graph: Triples | None = None

    @property
    def name(self) -> str:
        """The data set's name in messages, tables and files."""
        return self.provenance.dataset

    @property
    def scale(self) -> tuple[float, float] | None:
        """Lowest and highest rating allowed; None if values are not ratings."""
        return self.provenance.scale

    def with_scale(self, scale: tuple[float, float] | None) -> Log:
        """Return the same log with another scale."""
        return replace(self, provenance=replace(self.provenance, scale=scale))


def hidden_rows(known: Interactions, seen: Seen) -> Interactions:
    """Return the rows whose items are left out of their users' lists.

    Args:
        known: rows known when the lists are made.
        seen: "hide": all of them; "allow": none; "hide-negative": known dislikes only.
    """
    if seen == "hide":
        return known
    if seen == "hide-negative" and len(known.negative):
        return known.rows(known.negative)
    return known.rows(np.empty(0, dtype=np.int64))


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' bytes, each file preceded by its length.

    Raises:
        DataError: one is missing, a folder, or may not be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(f"{path.stat().st_size}:".encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}; give the path of a file") from error
    return digest.hexdigest()


def hash_arrays(arrays: Iterable[tuple[str, Array]]) -> str:
    """Return the SHA-256 of named arrays: name, type, shape and content of each.

    Text is hashed as UTF-8, so the result does not depend on how numpy stores it.

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
