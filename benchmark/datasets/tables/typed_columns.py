"""Columns that a file's own header names by type: RecBole's atomic files, ``user_id:token`` and the like."""

from __future__ import annotations

from benchmark.datasets.log import Say, Side
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.table_file import TableFile

VALUES = ("rating", "label")
TIMES = ("timestamp",)


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


def known_column(given: str | None, types: dict[str, str], usual: tuple[str, ...]) -> str | None:
    """Return the column given if it is there, with its type or without, else the usual one if that is."""
    plain = given.partition(":")[0] if given else None
    if plain in types:
        return plain
    return next((name for name in usual if name in types), given)
