"""Ids of users or items from a file: one a line, or a column, with or without a header."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from benchmark.datasets.log import as_compared
from benchmark.datasets.tables.header import HEADER_WORD
from benchmark.errors import BundleError

Role: TypeAlias = Literal["user", "item"]
TABLES = (".csv", ".parquet")
ALSO: dict[Role, tuple[str, ...]] = {
    "user": ("user_id", "userid", "uid"),
    "item": ("item_id", "itemid", "iid"),
}
"""Names of a column of several that says which it is, beside the role itself."""


@dataclass(frozen=True)
class IdsRead:
    """The ids in a file.

    Attributes:
        ids: in the order of the file, as text.
        said: what was made of its first line where that could have been read otherwise; empty if nothing.
    """

    ids: list[str]
    said: str = ""


def read_ids(path: Path, role: Role, option: str, known: Callable[[str], bool]) -> IdsRead:
    """Return the ids in the column of a role, or in the only column; a first line that is an id is no header.

    A first line that says ``user`` (or ``item``) is the header. Else, in a file with one column, it is an id
    if the bundle knows it, a header if it reads like one, such as ``customer_id``, and otherwise an id:
    nobody is lost.

    Args:
        path: a .csv or .parquet, or any other name for a text file with one id a line.
        role: of the ids.
        option: what named the file, for messages.
        known: whether the bundle knows an id.

    Raises:
        BundleError: it cannot be read, has several columns and none of the role, or a row without an id.
    """
    if path.exists() and not path.is_file():  # a pipe may never end
        raise BundleError(f"{option} {path}: is not a file")
    try:
        if path.suffix == ".parquet":
            return IdsRead(_of_parquet(path, role, option))
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file) if path.suffix == ".csv" else ([line.strip()] for line in file)
            rows = [
                (number, row)
                for number, row in enumerate(lines, start=1)
                if any(cell.strip() for cell in row)
            ]
    except (OSError, ValueError, csv.Error) as error:
        raise BundleError(f"{option} {path}: cannot be read ({error})") from error
    if not rows:
        raise BundleError(f"{option} {path}: has no {role}s; write one a line")
    (_, first), said = rows[0], ""
    if role in first or len(first) > 1:
        column, rows = _column(first, role, option, path), rows[1:]
    else:
        column = 0
        is_header, said = _header_or_id(first[0], role, path, known)
        rows = rows[is_header:]
    return IdsRead(
        [_cell(row, column, f"{option} {path}: line {number}", role) for number, row in rows], said
    )


def _header_or_id(entry: str, role: Role, path: Path, known: Callable[[str], bool]) -> tuple[bool, str]:
    """Return whether the first line of a file with one column is its header, and what is said of it."""
    line = f"{path.name}: line 1, {entry!r},"
    if known(entry):
        return False, f"{path.name} has no header: line 1, {entry!r}, is a known {role}"
    if HEADER_WORD.fullmatch(as_compared(entry).casefold()):
        return True, f"{line} was taken as the header"
    return (
        False,
        f"{line} was taken as {_an(role)} that the bundle does not know; if it is a header, write {role!r}",
    )


def _an(role: Role) -> str:
    return "an item" if role == "item" else "a user"


def _column(names: Sequence[str], role: Role, option: str, path: Path) -> int:
    for name in (role, *ALSO[role]):
        if name in names:
            return names.index(name)
    raise BundleError(
        f"{option} {path}: must have a column {role!r} in its first line; it has {', '.join(names)}"
    )


def _cell(row: Sequence[str], column: int, where: str, role: Role) -> str:
    if column >= len(row) or not row[column].strip():
        raise BundleError(f"{where} has no {role}")
    return row[column]


def _of_parquet(path: Path, role: Role, option: str) -> list[str]:
    import pandas as pd

    frame = pd.read_parquet(path)
    names = [str(name) for name in frame.columns]
    column = frame.iloc[:, 0 if len(names) == 1 and role not in names else _column(names, role, option, path)]
    if column.isna().any():
        raise BundleError(f"{option} {path}: row {int(column.isna().argmax()) + 1} has no {role}")
    return [str(entry) for entry in column.tolist()]
