"""What a layout promises of the tables of users and items, held against what its readers return."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Role, Roles, Side
from benchmark.datasets.specs import TableSpec
from benchmark.errors import DataError

ROLES = get_args(Role)
TEXT = {"string", "empty", "categorical"}


def roles_of(table: TableSpec) -> Roles:
    """Return the role of each column of a table; one that is cut into bands is shown as bands only."""
    columns: dict[Role, tuple[str, ...]] = {
        "category": (*table.categories, *(f"{column}_band" for column in table.bands)),
        "list": table.lists,
        "number": table.numbers,
        "text": table.texts,
    }
    return {column: role for role, named in columns.items() for column in named}


def check_roles(main: str, side: Side, roles: Roles) -> None:
    """Refuse a role that there is not.

    Raises:
        DataError: names the layout by its main file, the column and the roles that there are.
    """
    for column, role in roles.items():
        if role not in ROLES:
            raise DataError(
                f"layout of {main}: {side}_roles gives {column!r} the role {role!r}; roles are "
                f"{', '.join(ROLES)}"
            )


def check_table(folder: Path, table: pd.DataFrame, side: Side, roles: Roles, *, whole: bool) -> None:
    """Refuse a table without the column of ids, or whose columns are not what their roles say.

    Args:
        folder: the publisher's, for messages.
        table: of users or items.
        side: which of them; also the name of the column of ids.
        roles: of its columns.
        whole: whether every file that the table is made from is there: then no column may be missing.

    Raises:
        DataError: names the column and the rule.
    """
    where, has = f"{folder}: the layout's table of {side}s", ", ".join(map(str, table.columns))
    if side not in table:
        raise DataError(f"{where} has no column {side!r}; it has {has}: return the ids in that column")
    missing = [column for column in roles if column not in table]
    if missing and whole:
        raise DataError(f"{where} has no column {missing[0]!r}, which {side}_roles names; it has {has}")
    for column in (column for column in roles if column in table):
        values = table[column].dropna()
        kind, is_list = pd.api.types.infer_dtype(values), roles[column] == "list"
        if kind == "mixed" and (several := values.map(pd.api.types.is_list_like)).any():
            values = values[several]
        elif not is_list or kind in TEXT:
            continue
        raise DataError(
            f"{where}: {column!r} has the role {roles[column]} and holds {values.iloc[0]!r}, which is no "
            f"{'text' if is_list else 'single value'}; a list is one text joined by {LIST_SEPARATOR}"
        )
