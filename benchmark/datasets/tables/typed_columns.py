"""Columns that a file itself tells: RecBole's typed headers, and numbers where there is no header line."""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.datasets.log import Say, Side
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.delimited import DelimitedFile
from benchmark.datasets.tables.header import TYPED, TextHeader
from benchmark.datasets.tables.table_file import TableFile
from benchmark.errors import DataError

VALUES = ("rating", "label")
TIMES = ("timestamp",)
COLUMN_NUMBER = re.compile(r"[1-9]\d{0,3}")


def with_typed_columns(spec: LogSpec, file: TableFile, say: Say) -> LogSpec:
    """Return the spec with the columns that a typed header names, where the suite names none that are there.

    RecBole's words are user_id, item_id, rating or label, and timestamp. Other files leave the spec as it is.
    """
    types = file.types
    if not types:
        return spec
    found = {
        "user": known_column(spec.user, types, ("user_id",)),
        "item": known_column(spec.item, types, ("item_id",)),
        "value": known_column(spec.value, types, VALUES),
        "time": known_column(spec.time, types, TIMES),
    }
    changed = {role: column for role, column in found.items() if column != getattr(spec, role)}
    if changed:
        named = ", ".join(f"{role}: {column}" for role, column in changed.items())
        say(f"{file.path}: columns by its typed header: {named}")
    return spec.model_copy(update=changed)


def columns_by_number(spec: LogSpec, file: TableFile, say: Say) -> bool:
    """Whether a spec names the columns of a text file by their numbers, from 1, as it has no header line.

    Raises:
        DataError: the first line has those numbers too, so it may be a header or a row.
    """
    named = [column for column in (spec.user, spec.item, spec.value, spec.time) if column]
    if not isinstance(file, DelimitedFile) or not all(map(COLUMN_NUMBER.fullmatch, named)):
        return False
    if not set(named) <= set(file.names):
        say(f"{file.path}: no header line; {', '.join(named)} are numbers of columns, from 1")
        return True
    counted = [[str(number + first) for number in range(len(file.names))] for first in (0, 1)]
    if file.names not in counted:
        first = file.header.first
        raise DataError(
            f"{file.path}:{first.line}: {first.text[:60]!r} has {', '.join(named)} among its entries, so "
            "it may be a header or a row; say columns: [] if it is a row, or give the columns other names if "
            "it is a header"
        )
    say(f"{file.path}: its header line has the columns {', '.join(named)}; if it is a row, say columns: []")
    return False


def with_table_types(spec: TableSpec, file: TableFile, side: Side, say: Say) -> TableSpec:
    """Return the spec of a table with the id that a typed header names; its lists are separated by blanks."""
    types = file.types
    if not types:
        return spec
    changed: dict[str, object] = {}
    own = known_column(spec.id, types, (f"{side}_id",))
    if own != spec.id:
        changed["id"] = own
    if spec.list_separator == "|" and any(types.get(name) == "token_seq" for name in spec.lists):
        changed["list_separator"] = " "
    if changed:
        said = ", ".join(f"{key}: {value!r}" for key, value in changed.items())
        say(f"{file.path}: by its typed header: {said}")
    return spec.model_copy(update=changed)


def typed_columns(path: Path, header: TextHeader) -> dict[str, str]:
    """Return the type of each column that a header line names, by name.

    Raises:
        DataError: a name has no type of RecBole's.
    """
    if header.types:
        return header.types
    wrong = next((name for name in header.names if not TYPED.fullmatch(name)), "")
    raise DataError(
        f"{path}:{header.first.line}: {wrong!r} is not a column of an atomic file; its first line must be of "
        "name:type with the types token, token_seq, float and float_seq, separated by tabs, as in "
        "user_id:token: correct the line"
    )


def known_column(given: str | None, types: dict[str, str], usual: tuple[str, ...]) -> str | None:
    """Return the column given if it is there, with its type or without, else the usual one if that is."""
    plain = given.partition(":")[0] if given else None
    if plain in types:
        return plain
    return next((name for name in usual if name in types), given)
