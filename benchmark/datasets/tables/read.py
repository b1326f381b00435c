"""Logs and side tables: any file that is read, with messages that name file, line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from benchmark.datasets.clock import Clock
from benchmark.datasets.log import LIST_SEPARATOR, PARTS, SIDES, Part, Say, Side, silent
from benchmark.datasets.specs import LogSpec, TableSpec
from benchmark.datasets.tables.header import read_header
from benchmark.datasets.tables.identifiers import Where, plain_ids
from benchmark.datasets.tables.item_lists import POSITION, blank_separated, read_lists
from benchmark.datasets.tables.parse import Notation, banded, numbers, words
from benchmark.datasets.tables.table_file import Location, open_table, read_file
from benchmark.datasets.tables.text_format import TextFormat, separator_of
from benchmark.datasets.tables.time_entries import Times
from benchmark.datasets.tables.timestamps import below_each_other, read_times
from benchmark.datasets.tables.typed_columns import columns_by_number, with_table_types, with_typed_columns
from benchmark.datasets.tables.value_column import (
    refuse_booleans,
    values_below_each_other,
    with_event_weights,
    with_feedback,
)
from benchmark.errors import DataError, SplitError

CLOCK = "clock"
UNKNOWN_LIMIT = 0.5
"""Share of a part's rows with items that train does not have, above which the files do not fit together."""


def read_log(path: Path, spec: LogSpec, say: Say = silent) -> pd.DataFrame:
    """Return the log in one file, in file order: columns user, item and, if named, value and time.

    Values are numbers or booleans; event types are in a column ``event`` instead, as categories. What each
    row weighs is in ``weight``, if the spec says anything about it.

    Times are whole numbers; ``clock_of`` says of which unit.

    Raises:
        DataError: the file is missing, empty or not text in UTF-8; a column is missing; a value is
            text that no key explains; a time is neither a number nor a date as the spec says, or in two
            units; ids are mixed.
    """
    rows = read_rows(path, spec, say)
    frame = rows.frame
    for side in SIDES:
        where = locator([rows.location], [len(frame)], rows.columns[side])
        frame[side] = plain_ids(frame[side], where, Notation.of(spec), say)
    return with_times(with_event_weights(frame, spec, path), rows.times)


def read_parts(
    paths: Sequence[Path], spec: LogSpec, say: Say = silent, parts: Sequence[Part] = PARTS
) -> pd.DataFrame:
    """Return train, validation and test files below each other, with column part (0, 1, 2).

    ``parts`` names the part of each path; train comes first.

    Raises:
        DataError: as :func:`read_log`.
        SplitError: a pair of user and item is in two parts; most rows of validation or test have
            items that train does not have, and there is no table of items that would know them.
    """
    read = [read_rows(path, spec, say) for path in paths]
    lengths = [len(rows.frame) for rows in read]
    locations = [rows.location for rows in read]
    others = [rows.frame.drop(columns=[*SIDES]) for rows in read]
    frame = pd.concat(others, ignore_index=True).reindex(range(sum(lengths)))
    for column in {"value", "event"} & set(frame):
        frame[column] = values_below_each_other(others, column)
    for position, side in enumerate(SIDES):
        ids = stacked([rows.frame[side] for rows in read])
        where = locator(locations, lengths, read[0].columns[side])
        frame.insert(position, side, plain_ids(ids, where, Notation.of(spec), say))
    times = [rows.times for rows in read if rows.times]
    frame = with_times(frame, below_each_other(times, locations) if times else None)
    labels = np.array([PARTS.index(part) for part in parts], dtype=np.int8)
    frame = frame.assign(part=np.repeat(labels, lengths))
    refuse_overlap(frame, dict(zip(labels.tolist(), paths, strict=True)))
    check_items(frame, paths, say, has_table=spec.item_table is not None)
    return with_event_weights(frame, spec, paths[0].parent)


def read_table(
    path: Path,
    spec: TableSpec,
    side: Side,
    text_format: TextFormat | None = None,
    notation: Notation | None = None,
    say: Say = silent,
) -> pd.DataFrame:
    """Return a table of users or items: id, title, and the columns with a role.

    The id is in the column "user" or "item", the title in "title". The values of a list are joined by |;
    words are "" where missing, numbers nan. A column cut into bands is there as it is and as a band. Of
    several lines with one id the first counts.

    Raises:
        DataError: as :func:`read_log`.
    """
    text_format = text_format or TextFormat(spec.columns, separator_of(spec.separator))
    file = open_table(path, text_format)
    spec = with_table_types(spec, file, side, say)
    titles = (spec.title,) if spec.title else ()
    texts = (*titles, *spec.categories, *spec.lists, *spec.texts)
    wanted, notation = [spec.id, *texts, *spec.numbers, *spec.bands], notation or Notation()
    as_written = len(wanted) if notation.decimal == "," else 1 + len(texts)
    file.require(wanted)
    frame, location = read_file(file, wanted, wanted[:as_written], text_format, say=say)
    where = locator([location], [len(frame)], spec.id)
    table = pd.DataFrame({side: plain_ids(frame[spec.id], where, notation, say)})
    for column in texts:
        table["title" if column == spec.title else column] = words(frame[column], notation)
    for column in spec.lists:
        table[column] = table[column].str.replace(spec.list_separator, LIST_SEPARATOR, regex=False)
    for column in (*spec.numbers, *spec.bands):
        table[column] = numbers(frame[column], location, column, notation)
    for column, limits in spec.bands.items():
        table[f"{column}_band"] = banded(table[column], limits)
    named = table[table[side].notna()]
    kept = named.drop_duplicates(side, ignore_index=True)
    if len(named) < len(table):
        say(f"{path}: {len(table) - len(named)} lines without an id are left out")
    if len(kept) < len(named):
        example = named[side][named[side].duplicated()].iloc[0]
        say(
            f"{path}: {len(named) - len(kept)} of {len(named)} lines repeat the id of an earlier one, "
            f"such as {example}; the first counts"
        )
    return kept


@dataclass(frozen=True)
class FileRows:
    """The rows of one file: ids as written, values and weights as read, and the times.

    Attributes:
        frame: columns user, item and perhaps value, event and weight.
        times: None if the file has none.
        location: where its rows stand.
        columns: what the file calls user and item.
    """

    frame: pd.DataFrame
    times: Times | None
    location: Location
    columns: Mapping[Side, str]


def read_rows(path: Path, spec: LogSpec, say: Say) -> FileRows:
    """Return the named columns of a log.

    Raises:
        DataError: as :func:`read_log`.
    """
    text_format = TextFormat.of(spec)
    if spec.layout == "lists":
        return read_item_lists(path, spec, text_format, say)
    file = open_table(path, text_format)
    if spec.columns is None and columns_by_number(spec, file, say):
        text_format = replace(text_format, columns=())
        file = open_table(path, text_format)
    spec = with_typed_columns(spec, file, say)
    named = {"user": spec.user, "item": spec.item, "time": spec.time, "value": spec.value}
    if isinstance(spec.weight, str) and spec.weight != spec.value:
        named["weight"] = spec.weight
    wanted = {role: column for role, column in named.items() if column}
    file.require([*wanted.values()])
    as_written = columns_as_written(spec) if spec.decimal == "." else [*wanted.values()]
    frame, location = read_file(file, [*wanted.values()], as_written, text_format, rows=spec.rows, say=say)
    frame = frame.set_axis(list(wanted), axis=1)
    refuse_repeated_header(frame, location, (spec.user, spec.item))
    times, faults = None, []
    if spec.time:
        try:
            refuse_booleans(frame["time"], location, spec.time)
            times = read_times(frame.pop("time"), location, spec.time, spec, say)
        except DataError as error:
            faults.append(str(error))
    try:
        frame = with_feedback(frame, location, spec, say)
    except DataError as error:
        faults.append(str(error))
    if faults:
        raise DataError("\n".join(faults))
    return FileRows(frame, times, location, {"user": spec.user, "item": spec.item})


def refuse_repeated_header(frame: pd.DataFrame, location: Location, names: tuple[str, str]) -> None:
    """Check that no row is a header line, as where two exports were joined.

    Raises:
        DataError: one is; it would be a user and an item.
    """
    if all(name.isdigit() for name in names):  # places of columns: there is no header line to repeat
        return
    for pair in (names, names[::-1]):
        columns = frame["user"], frame["item"]
        kinds = [column.dtype for column in columns]
        if not all(
            isinstance(kind, pd.CategoricalDtype) and name in kind.categories
            for kind, name in zip(kinds, pair, strict=True)
        ):
            continue
        rows = np.flatnonzero((columns[0] == pair[0]) & (columns[1] == pair[1]))
        if len(rows):
            raise DataError(
                f"{location.row(int(rows[0]))}: repeats the header line"
                + (
                    f"; remove it, or say rows: '`{names[0]}` != \"{names[0]}\"'"
                    if pair == names
                    else " with the columns in another order; join the exports again in one order"
                )
            )


def columns_as_written(spec: LogSpec) -> list[str]:
    """Return the columns in which text stays as it is: ids first, formatted times, event types."""
    columns = [spec.user, spec.item]
    if spec.time and spec.time_format not in {None, "excel"}:
        columns.append(spec.time)
    if spec.value and spec.has_event_types:
        columns.append(spec.value)
    return columns


def read_item_lists(path: Path, spec: LogSpec, text_format: TextFormat, say: Say) -> FileRows:
    """Return a row for each item of each line; its time is its place if the spec says so.

    Raises:
        DataError: as :func:`read_log`.
    """
    text_format = replace(text_format, columns=text_format.columns or (), quoted=False)
    header = read_header(path, text_format, ())
    if text_format.separator == "auto":
        header = blank_separated(header)
    lists = read_lists(path, header, SIDES, say)
    if not lists.table.num_rows:
        raise DataError(f"{path}: no rows; it must contain a user and that user's items in every line")
    frame = lists.table.to_pandas()
    order = Times(frame.pop(POSITION), Clock("order", "order"), "order")
    times = order if spec.time_unit == "order" else None
    location = Location(path, text_format, kept=lists.records)
    return FileRows(frame, times, location, {"user": "user", "item": "item"})


def with_times(frame: pd.DataFrame, times: Times | None) -> pd.DataFrame:
    """Return the frame with a column of times, and what they mean among the attributes of the frame."""
    if times is not None:
        frame["time"] = times.column
        frame.attrs[CLOCK] = [times.clock.unit, times.clock.written]
    return frame


def clock_of(frame: pd.DataFrame) -> Clock:
    """Return what the times of a frame mean that :func:`read_log` or :func:`read_parts` returned."""
    return Clock(*frame.attrs.get(CLOCK, ()))


def locator(locations: Sequence[Location], lengths: Sequence[int], column: str) -> Where:
    """Return a function that says where a row of the files, one below the other, is."""
    starts = np.cumsum([0, *lengths])

    def where(row: int) -> str:
        file = int(np.searchsorted(starts, row, side="right")) - 1
        return f"{locations[file].row(row - int(starts[file]))}: column {column!r}"

    return where


def stacked(columns: Sequence[pd.Series]) -> pd.Series:
    """Return columns of ids below each other; categories stay categories."""
    if all(isinstance(column.dtype, pd.CategoricalDtype) for column in columns):
        return pd.Series(union_categoricals([column.array for column in columns]))
    plain = [
        column.astype("str") if isinstance(column.dtype, pd.CategoricalDtype) else column
        for column in columns
    ]
    return pd.concat(plain, ignore_index=True)


def refuse_overlap(frame: pd.DataFrame, paths: Mapping[int, Path]) -> None:
    """Check that no pair of user and item is in two parts, whose files are given by their labels.

    Raises:
        SplitError: some are; the message gives an example.
    """
    pairs = frame[[*SIDES, "part"]].drop_duplicates()
    shared = pairs[pairs.duplicated([*SIDES], keep=False)]
    if shared.empty:
        return
    user, item = (shared[side].iloc[0] for side in SIDES)
    same = (shared["user"] == user) & (shared["item"] == item)
    parts = " and ".join(f"{PARTS[part]} ({paths[part].name})" for part in shared.loc[same, "part"])
    count = len(shared[[*SIDES]].drop_duplicates())
    raise SplitError(
        f"{paths[0].parent}: {count} pairs of user and item are in more than one part, such as user "
        f"{user}, item {item} in {parts}; every pair must be in one part only: remove it from the others"
    )


def check_items(frame: pd.DataFrame, paths: Sequence[Path], say: Say, *, has_table: bool) -> None:
    """Say which items of validation and test do not occur in train.

    Raises:
        SplitError: they are most of a part, and no table of items knows them.
    """
    in_train, *held_out = (items for _, items in frame.groupby("part")["item"])
    train_items = in_train.unique()
    for path, items in zip(paths[1:], held_out, strict=True):
        unknown = items[~items.isin(train_items)]
        if unknown.empty:
            continue
        share = len(unknown) / len(items)
        found = (
            f"{path}: {unknown.nunique()} items such as {unknown.iloc[0]} ({share:.0%} of its rows) "
            f"do not occur in {paths[0].name}"
        )
        if share > UNKNOWN_LIMIT and not has_table:
            raise SplitError(
                f"{found}, whose items are such as {train_items[0]}; most rows of a part must be about items "
                "of train: check that the files write ids alike, or give a table of items if these are new"
            )
        say(f"{found}: no model that learns from the log alone can recommend them")
