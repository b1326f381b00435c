"""Tables of your own: any CSV, TSV or Parquet file, read with messages that name file, line and column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from benchmark.datasets.log import LIST_MARK
from benchmark.datasets.prepare.features import banded
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.store.parts import PARTS
from benchmark.datasets.tables.parse import numbers, plain_ids, seconds
from benchmark.datasets.tables.side_tables import TableSpec
from benchmark.datasets.tables.table_files import Place, TextFormat, read_columns
from benchmark.errors import SplitError

UNKNOWN_LIMIT = 0.5
"""Share of a part's rows with items that train does not have, above which the files do not fit together."""


def _silent(_: str) -> None:
    """Say nothing."""


def read_log(path: Path, spec: LogSpec, say: Callable[[str], None] = _silent) -> pd.DataFrame:
    """Return the log in one file: columns user, item and, where named, value and time, in file order.

    Raises:
        DataError: the file is missing, empty or not text in UTF-8; a column is missing; a value is
            text; a time is neither a number nor an ISO 8601 date, or in two units; ids are mixed.
    """
    frame, place = _typed(path, spec, say)
    for side in ("user", "item"):
        named = getattr(spec, side)
        frame[side] = plain_ids(frame[side], _where([place], [len(frame)], named), as_text=spec.ids == "text")
    return frame


def read_parts(paths: Sequence[Path], spec: LogSpec, say: Callable[[str], None] = _silent) -> pd.DataFrame:
    """Return train, validation and test files below each other, with column part (0, 1, 2).

    Raises:
        DataError: as :func:`read_log`.
        SplitError: a pair of user and item stands in two parts; most rows of validation or test have
            items that train does not have, and there is no table of items that would know them.
    """
    read = [_typed(path, spec, say) for path in paths]
    lengths = [len(one) for one, _ in read]
    ids = {side: _below([one[side] for one, _ in read]) for side in ("user", "item")}
    others = [one.drop(columns=["user", "item"]) for one, _ in read]
    frame = pd.concat(others, ignore_index=True).reindex(range(sum(lengths)))
    for place, side in enumerate(("user", "item")):
        where = _where([one for _, one in read], lengths, getattr(spec, side))
        frame.insert(place, side, plain_ids(ids[side], where, as_text=spec.ids == "text"))
    frame["part"] = np.repeat(np.arange(len(paths), dtype=np.int8), lengths)
    _refuse_overlap(frame, paths)
    _check_known(frame, paths, spec, say)
    return frame


def read_table(path: Path, spec: TableSpec, key: str, layout: TextFormat | None = None) -> pd.DataFrame:
    """Return a table of users or items: the id in column ``key``, the title, and the columns with a role.

    The values of a list are joined by |; words are "" where missing, numbers nan. A column cut into
    bands is there as it is and as a band. Of several lines with one id the first counts.

    Raises:
        DataError: as :func:`read_log`.
    """
    layout = layout or TextFormat(spec.columns, _mark(spec.separator))
    titles = (spec.title,) if spec.title else ()
    words = (*titles, *spec.categories, *spec.lists, *spec.texts)
    wanted = [spec.id, *words, *spec.numbers, *spec.bands]
    frame, place = read_columns(path, wanted, layout, ids=1 + len(words)), Place(path, layout)
    table = pd.DataFrame({key: plain_ids(frame[spec.id], _where([place], [len(frame)], spec.id))})
    for column in words:
        table["title" if column == spec.title else column] = _words(frame[column])
    for column in spec.lists:
        table[column] = table[column].str.replace(spec.list_separator, LIST_MARK, regex=False)
    for column in (*spec.numbers, *spec.bands):
        table[column] = numbers(frame[column], place, column)
    for column, limits in spec.bands.items():
        table[f"{column}_band"] = banded(table[column], limits)
    return table[table[key].notna()].drop_duplicates(key, ignore_index=True)


def _mark(separator: str) -> str:
    return "\t" if separator == "tab" else separator


def _words(column: pd.Series) -> pd.Series:
    """Return text, "" where missing; whole numbers without a point."""
    if pd.api.types.is_float_dtype(column.dtype) and (column.isna() | (column % 1 == 0)).all():
        column = column.astype("Int64")
    return column.astype("str").where(column.notna(), "")


def _where(places: Sequence[Place], lengths: Sequence[int], column: str) -> Callable[[int], str]:
    """Return a function that says where a row of the files, one below the other, stands."""
    starts = np.cumsum([0, *lengths])

    def where(row: int) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return f"{places[part].of(row - int(starts[part]))}: column {column!r}"

    return where


def _typed(path: Path, spec: LogSpec, say: Callable[[str], None]) -> tuple[pd.DataFrame, Place]:
    """Return the named columns with numbers as float64; ids stay as they were written."""
    wanted = {"user": spec.user, "item": spec.item}
    wanted |= {"value": spec.value} if spec.value else {}
    wanted |= {"time": spec.time} if spec.time else {}
    layout = TextFormat(spec.columns, _mark(spec.separator))
    frame = read_columns(path, list(wanted.values()), layout, ids=2).set_axis(list(wanted), axis=1)
    place = Place(path, layout)
    if spec.value:
        frame["value"] = numbers(frame["value"], place, spec.value)
    if spec.time:
        frame["time"] = seconds(frame["time"], place, spec.time, spec.time_unit, say)
    return frame, place


def _below(columns: Sequence[pd.Series]) -> pd.Series:
    if all(isinstance(column.dtype, pd.CategoricalDtype) for column in columns):
        return pd.Series(union_categoricals([column.array for column in columns]))
    return pd.concat([_uncoded(column) for column in columns], ignore_index=True)


def _uncoded(column: pd.Series) -> pd.Series:
    return column.astype("str") if isinstance(column.dtype, pd.CategoricalDtype) else column


def _refuse_overlap(frame: pd.DataFrame, paths: Sequence[Path]) -> None:
    pairs = frame[["user", "item", "part"]].drop_duplicates()
    twice = pairs[pairs.duplicated(["user", "item"], keep=False)]
    if twice.empty:
        return
    user, item = twice["user"].iloc[0], twice["item"].iloc[0]
    same = twice[(twice["user"] == user) & (twice["item"] == item)]
    parts = " and ".join(f"{PARTS[part]} ({paths[part].name})" for part in same["part"])
    count = len(twice[["user", "item"]].drop_duplicates())
    raise SplitError(
        f"{paths[0].parent}: {count} pairs of user and item stand in more than one part, such as user "
        f"{user}, item {item} in {parts}; every pair must stand in one part only: remove it from the others"
    )


def _check_known(
    frame: pd.DataFrame, paths: Sequence[Path], spec: LogSpec, say: Callable[[str], None]
) -> None:
    """Say which items of validation and test train does not have; refuse if they are most of a part."""
    known = frame.loc[frame["part"] == 0, "item"].unique()
    for part in (1, 2):
        items = frame.loc[frame["part"] == part, "item"]
        unknown = items[~items.isin(known)]
        if unknown.empty:
            continue
        share = len(unknown) / len(items)
        found = (
            f"{paths[part]}: {unknown.nunique()} items such as {unknown.iloc[0]} ({share:.0%} of its rows) "
            f"do not occur in {paths[0].name}"
        )
        if share > UNKNOWN_LIMIT and not spec.item_table:
            raise SplitError(
                f"{found}, whose items are such as {known[0]}; most rows of a part must be about items of "
                f"{PARTS[0]}: check that the files write ids alike, or give a table of items if these are new"
            )
        say(f"{found}: no model that learns from the log alone can find them")
