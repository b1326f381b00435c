"""Publishers' files that are no plain table, read as streams: JSON lines, and what comes line by line."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from benchmark.datasets.log import SIDES, Say, Side
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.identifiers import Where, plain_ids
from benchmark.datasets.tables.parse import Notation, numbers
from benchmark.datasets.tables.raw_file import open_bytes
from benchmark.datasets.tables.read import with_times
from benchmark.datasets.tables.table_file import Location
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.datasets.tables.timestamps import read_times
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1 << 24
"""Bytes of JSON that are parsed at a time; a line must fit."""


@dataclass(frozen=True)
class NumberedRows(Location):
    """A file whose rows are named by their number."""

    text_format: TextFormat = field(default_factory=TextFormat)

    def row(self, index: int) -> str:
        """Return ``"FILE: row N"``, from 1."""
        return f"{self.path}: row {index + 1}"


def json_columns(file: IO[bytes], path: Path, columns: Mapping[str, pa.DataType]) -> pd.DataFrame:
    """Return columns of JSON lines, missing where a line does not name them; text as categories.

    The file is read block by block and only these columns are kept: 20 GB of reviews take what their ids,
    ratings and times take.

    Args:
        file: open, unpacked.
        path: for messages.
        columns: the type of each.

    Raises:
        DataError: a line is not JSON, or a value has another type.
    """
    import pyarrow as pa
    from pyarrow import json

    schema, batches = pa.schema(list(columns.items())), []
    parse = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        with json.open_json(file, json.ReadOptions(use_threads=False, block_size=BLOCK), parse) as reader:
            batches = [pa.table({name: coded(batch.column(name)) for name in columns}) for batch in reader]
    except pa.ArrowInvalid as error:
        if "Empty JSON" not in str(error):
            raise DataError(
                f"{path}: not JSON lines as published: {str(error).splitlines()[0]}; fetch the file again"
            ) from error
    if not batches:
        raise DataError(f"{path}: no rows; it must contain one line of JSON per row")
    return cast("pd.DataFrame", pa.concat_tables(batches).unify_dictionaries().to_pandas())


def coded(column: pa.Array) -> pa.Array:
    """Return text as codes into its distinct values, everything else as it is."""
    import pyarrow.types as kinds

    return column.dictionary_encode() if kinds.is_string(column.type) else column


def text_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Yield the number, from 1, and the text of every line that is not blank.

    Raises:
        DataError: the file is damaged, or not text in this encoding.
    """
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode(encoding).strip("\r\n")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}:{number}: byte {error.object[error.start]:#04x} is not text in {encoding}; "
                    "fetch the file again"
                ) from error
            if text.strip():
                yield number, text


@dataclass
class Codes:
    """Ids as codes into the distinct ones, for files that are read line by line: four bytes a row."""

    distinct: dict[str, int] = field(default_factory=dict)
    rows: array[int] = field(default_factory=lambda: array("i"))

    def append(self, text: str) -> None:
        """Add a row."""
        self.rows.append(self.distinct.setdefault(text, len(self.distinct)))

    def column(self) -> pd.Series:
        """Return the rows as categories of text."""
        names = pd.Index(list(self.distinct), dtype="str")
        return pd.Series(pd.Categorical.from_codes(np.array(self.rows, dtype=np.int32), names))


def finished(
    frame: pd.DataFrame, path: Path, log: LogSpec, say: Say, *, text: Sequence[Side] = ()
) -> pd.DataFrame:
    """Return columns as they are written as the log that ``log`` says they are: ids, values, times.

    Args:
        frame: the publisher's columns, perhaps with the column part.
        path: where they come from, for messages.
        log: which column is what.
        say: takes one line of progress.
        text: whose ids stay as written, whatever they look like.

    Raises:
        DataError: there are no rows, an id, a value or a time is not one.
    """
    if frame.empty:
        raise DataError(f"{path}: no rows; it must contain one line per row")
    location = NumberedRows(path)
    made: dict[str, pd.Series] = {}
    notation = Notation.of(log)
    for side in SIDES:
        name = getattr(log, side)
        kept = replace(notation, as_text=True) if side in text else notation
        made[side] = plain_ids(frame[name], where(location, name), kept, say)
    if log.value:
        made["value"] = numbers(frame[log.value], location, log.value, notation)
    if "part" in frame:
        made["part"] = frame["part"]
    times = read_times(frame[log.time], location, log.time, log, say) if log.time else None
    return with_times(pd.DataFrame(made), times).reset_index(drop=True)


def where(location: Location, column: str) -> Where:
    """Return a function that says where a row is."""
    return lambda row: f"{location.row(row)}: column {column!r}"
