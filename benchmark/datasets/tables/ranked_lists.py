"""Files of lists that were made elsewhere: a row for each user and item, with the item's rank or score.

Recognised besides our own columns (user, item, rank or score) are those of

- RecTools, and LensKit alike: user_id, item_id, score, rank (``rectools/columns.py``,
  ``Columns.Recommendations``);
- WarpRec: user_id, item_id, rating, the last one a score (``warprec/data/writer/local_writer.py``,
  ``write_recs``); with ``header: false`` as Elliot's;
- Elliot: user, item and score, separated by tabs, without a header (``elliot/utils/write.py``,
  ``store_recommendation``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import Say
from benchmark.datasets.tables.delimited import DelimitedFile
from benchmark.datasets.tables.header import HEADER_WORD, NUMBER, SHOWN
from benchmark.datasets.tables.identifiers import plain_ids
from benchmark.datasets.tables.parse import Notation, numbers
from benchmark.datasets.tables.raw_file import require_file
from benchmark.datasets.tables.read import locator
from benchmark.datasets.tables.table_file import Location, TableFile, open_table, read_file
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError
from benchmark.protocol import Values

USERS, ITEMS = ("user", "user_id"), ("item", "item_id")
RANKS, SCORES = ("rank",), ("score", "rating")
WITHOUT_HEADER = ("user", "item", "score")
"""The columns of a text file without a header line."""
WANTED = (
    "columns user, item and rank or score are wanted, or those of RecTools and LensKit (user_id, item_id, "
    "score, rank), WarpRec (user_id, item_id, rating) or Elliot (user, item, score, separated by tabs, "
    "without a header)"
)


@dataclass(frozen=True)
class RankedRows:
    """The rows of a file of lists.

    Attributes:
        location: names a row for a message.
        users: (N,) as the file has them, compared as ids are.
        items: (N,) likewise.
        order: (N,) finite; of a user's items the one with the lowest comes first.
        by: the column that the order comes from.
        is_rank: whether that is a rank; else a score with its sign turned.
    """

    location: Location
    users: pd.Series
    items: pd.Series
    order: Values
    by: str
    is_rank: bool


@dataclass(frozen=True)
class ListColumns:
    """Which columns of a file say what: their names there."""

    user: str
    item: str
    by: str
    is_rank: bool


def read_ranked(path: Path, say: Say, *, users_as_text: bool, items_as_text: bool) -> RankedRows:
    """Return the rows of a file of lists.

    Args:
        path: of a CSV, TSV, Parquet or other table.
        say: takes what was made of the file that it does not say.
        users_as_text: whether the data set's ids of users are text, so that the file's are kept as written.
        items_as_text: likewise of items.

    Raises:
        DataError: it cannot be read, lacks a column, or an entry is missing or no number.
    """
    require_file(path)
    text_format = TextFormat()
    file = open_table(path, text_format)
    columns = columns_of(file.names)
    if columns is None and is_row(file):
        text_format = TextFormat(columns=WITHOUT_HEADER)
        file = open_table(path, text_format)
        columns = ListColumns(*WITHOUT_HEADER, is_rank=False)
        say(f"{path}: no header line; read as {', '.join(WITHOUT_HEADER)}")
    if columns is None:
        shown = ", ".join(map(repr, file.names[:SHOWN])) + (", ..." if len(file.names) > SHOWN else "")
        raise DataError(f"{path}: has the columns {shown}; {WANTED}")
    wanted = [columns.user, columns.item, columns.by]
    file.require(wanted)
    frame, location = read_file(file, wanted, wanted[:2], text_format, say=say)
    order = numbers(frame[columns.by], location, columns.by, Notation(decimal_said=True)).to_numpy(np.float64)
    rows = RankedRows(
        location,
        ids_of(frame[columns.user], location, columns.user, say, as_text=users_as_text),
        ids_of(frame[columns.item], location, columns.item, say, as_text=items_as_text),
        order if columns.is_rank else -order,
        columns.by,
        columns.is_rank,
    )
    refuse_missing(rows, columns)
    if not text_format.has_header:
        refuse_ranks(rows)
    return rows


def columns_of(names: Sequence[str]) -> ListColumns | None:
    """Return which columns say what; None if one is missing. A rank wins over a score.

    >>> columns_of(["user_id", "item_id", "score", "rank"])
    ListColumns(user='user_id', item='item_id', by='rank', is_rank=True)
    """
    by_lower = {name.lower(): name for name in reversed(names)}

    def first(options: Sequence[str]) -> str | None:
        return next((by_lower[option] for option in options if option in by_lower), None)

    user, item, rank = first(USERS), first(ITEMS), first(RANKS)
    by = rank or first(SCORES)
    if user is None or item is None or by is None:
        return None
    return ListColumns(user, item, by, is_rank=rank is not None)


def is_row(file: TableFile) -> bool:
    """Return whether the first line of a text file is no header but a row of user, item and score."""
    names = file.names
    return (
        isinstance(file, DelimitedFile)
        and len(names) == len(WITHOUT_HEADER)
        and bool(NUMBER.fullmatch(names[2]))
        and not any(HEADER_WORD.fullmatch(name.lower()) for name in names)
    )


def ids_of(column: pd.Series, location: Location, name: str, say: Say, *, as_text: bool) -> pd.Series:
    """Return the ids of a column, compared as the data set's are."""
    where = locator([location], [len(column)], name)
    return plain_ids(column, where, Notation(as_text=as_text), say)


def refuse_missing(rows: RankedRows, columns: ListColumns) -> None:
    """Check that nothing is missing.

    Raises:
        DataError: a user, an item or a rank or score is; the message names the first such row.
    """
    for name, missing in (
        (columns.user, rows.users.isna().to_numpy()),
        (columns.item, rows.items.isna().to_numpy()),
        (columns.by, ~np.isfinite(rows.order)),
    ):
        if missing.any():
            raise DataError(
                f"{rows.location.row(int(missing.argmax()))}: column {name!r} is empty or not finite "
                f"({int(missing.sum()):,} such rows); every row needs a user, an item and a rank or score"
            )


def refuse_ranks(rows: RankedRows) -> None:
    """Check that the third column of a file without a header is no rank: its order would be reversed.

    Raises:
        DataError: it counts 1, 2, 3 for every user.
    """
    written = -rows.order
    counts = pd.Series(written).groupby(rows.users.to_numpy()).rank(method="first").to_numpy()
    if len(written) and counts.max() > 1 and (written == counts).all():
        raise DataError(
            f"{rows.location.path}: has no header line, and its third column counts 1, 2, 3 for every user, "
            "so it may be a rank; read as a score it would reverse every list: add a header line, user, "
            "item, rank"
        )
