"""The beginning of a table: enough rows to guess what its columns are, however large the file is."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.datasets.log import silent
from benchmark.datasets.tables.arrow_frame import to_frame
from benchmark.datasets.tables.columnar import ColumnarFile
from benchmark.datasets.tables.delimited import DelimitedFile
from benchmark.datasets.tables.header import NUMBER, WIDE
from benchmark.datasets.tables.raw_file import kind_of, open_bytes
from benchmark.datasets.tables.table_file import TableFile, open_table, part_files
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 4 << 20
"""Bytes of a text that are looked at: some 150,000 rows."""
MOST_ROWS = 200_000
"""Rows of other files that are looked at."""


@dataclass(frozen=True)
class FirstRows:
    """The beginning of a table.

    Attributes:
        frame: its columns as the file has them; numbers from 1 as names where no header line names them.
        has_header: whether its first line names the columns.
        whole: whether the frame is all there is.
    """

    frame: pd.DataFrame = field(repr=False)
    has_header: bool
    whole: bool


def first_rows(path: Path) -> FirstRows:
    """Return the beginning of a file, or of the first part of a folder.

    Raises:
        DataError: it is missing, empty, of no kind that is read, or a matrix of users and items.
    """
    if path.is_dir():
        parts = part_files(path)
        if not parts:
            raise DataError(f"{path}: a folder without parts of a table; give the path of a file")
        found = first_rows(parts[0])
        return FirstRows(found.frame, found.has_header, found.whole and len(parts) == 1)
    if (kind := kind_of(path)) not in {"text", "json"}:
        return columnar_rows(ColumnarFile(path, kind))
    with tempfile.TemporaryDirectory(prefix="bench-init-") as folder:
        copy = Path(folder) / "beginning"
        whole = copy_beginning(path, copy)
        try:
            return text_rows(copy, whole=whole)
        except DataError as error:
            raise DataError(str(error).replace(str(copy), str(path))) from error


def copy_beginning(path: Path, copy: Path) -> bool:
    """Copy the first lines of a text, unpacked; return whether these are all."""
    with open_bytes(path) as file, copy.open("wb") as written:
        start = file.read(MOST_BYTES)
        if len(start) < MOST_BYTES:
            written.write(start)
            shutil.copyfileobj(file, written)  # a stream may give less than it was asked for
            return True
        end = start.rfind(b"\n") + 1
        if start.startswith(b"\xff\xfe"):  # UTF-16: the other half of the line's end
            end += 1
        written.write(start[:end] if end > 1 else start)
    return False


def text_rows(path: Path, *, whole: bool) -> FirstRows:
    """Return the rows of a text file.

    Raises:
        DataError: it is not a table.
    """
    file = open_table(path, TextFormat())
    has_header = True
    if isinstance(file, DelimitedFile):
        numbers = [name for name in file.names if NUMBER.fullmatch(name)]
        if len(file.names) >= WIDE and len(numbers) >= len(file.names) - 1:
            file.require(("user", "item"))  # says that it is a matrix, and what to do
        if numbers:
            has_header, file = False, open_table(path, TextFormat(columns=()))
    return FirstRows(to_frame(read_once_each(file), path), has_header, whole)


def read_once_each(file: TableFile) -> pa.Table:
    """Return the columns of a file whose names are there once."""
    return file.read([name for name in file.names if file.names.count(name) == 1], (), silent)


def columnar_rows(file: ColumnarFile) -> FirstRows:
    """Return the first rows of a file of columns, those that hold lists or mappings left out.

    Raises:
        DataError: it is damaged.
    """
    import pyarrow.parquet as pq
    import pyarrow.types as kinds

    names = [one.name for one in file.schema if not kinds.is_nested(one.type)]
    if file.kind != "parquet":
        table = file.read(names, (), silent)
    else:
        opened = pq.ParquetFile(file.path)
        batch = next(opened.iter_batches(MOST_ROWS, columns=names), None)
        if batch is None:
            raise DataError(f"{file.path}: no rows; it must contain one row per interaction")
        import pyarrow as pa

        table = pa.Table.from_batches([batch])
        return FirstRows(to_frame(table, file.path), True, opened.metadata.num_rows == table.num_rows)
    return FirstRows(to_frame(table.slice(0, MOST_ROWS), file.path), True, table.num_rows <= MOST_ROWS)
