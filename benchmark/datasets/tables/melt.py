"""A matrix with a row for each user and a column for each item, turned into one row per interaction."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast

import numpy as np

from benchmark.datasets.log import Say, silent
from benchmark.datasets.tables.columnar import ColumnarFile
from benchmark.datasets.tables.header import NUMBER, TextHeader, read_header
from benchmark.datasets.tables.raw_file import kind_of, open_bytes
from benchmark.datasets.tables.text_format import MISSING, TextFormat
from benchmark.datasets.tables.text_lines import BodyStream
from benchmark.errors import DataError
from benchmark.files import atomic_path, write_errors_as_run_error
from benchmark.protocol import Array, Values

if TYPE_CHECKING:
    import pyarrow as pa

Zeros: TypeAlias = Literal["keep", "drop"]
BLOCK = 1 << 26


@dataclass(frozen=True)
class Melted:
    """What a matrix was turned into.

    Attributes:
        users: rows of the matrix.
        items: its columns.
        rows: interactions written.
        empty: cells without an entry.
        zeros: cells that are 0.
    """

    users: int
    items: int
    rows: int
    empty: int
    zeros: int


def melt(
    path: Path, out: Path, *, zeros: Zeros | None = None, numbered: bool = False, say: Say = silent
) -> Melted:
    """Write a row of user, item and value for each cell of a matrix that has an entry.

    Args:
        path: text, Parquet, Feather or ORC; the first column has the users' ids, the first line the items'.
        out: CSV or Parquet, by its suffix.
        zeros: whether a cell of 0 is a value or none; must be said if there are some.
        numbered: the file has neither ids of users nor of items: both are numbered from 1.
        say: takes one line of progress.

    Raises:
        DataError: a cell is not a number; there are zeros and ``zeros`` is not given; it is no matrix.
    """
    if out.suffix not in {".csv", ".parquet"}:
        raise DataError(
            f"{out}: the rows are written as CSV or Parquet; name a file that ends in .csv or .parquet"
        )
    users = items = rows = empty = n_zeros = 0
    with write_errors_as_run_error(out.parent), atomic_path(out) as temporary:
        writer = None
        for block in blocks_of(path, numbered=numbered):
            ids = block.users if block.users is not None else np.arange(users, users + len(block.cells)) + 1
            present, is_zero = ~np.isnan(block.cells), block.cells == 0
            users, items = users + len(ids), len(block.items)
            empty, n_zeros = empty + int((~present).sum()), n_zeros + int(is_zero.sum())
            if n_zeros and zeros is None:
                row, column = (int(found[0]) for found in np.nonzero(is_zero))
                raise DataError(
                    f"{path}: cells are 0, such as that of user {ids[row]}, item "
                    f"{block.items[column]}; say whether "
                    "that is a value (--zeros keep) or no interaction (--zeros drop)"
                )
            at, columns = np.nonzero(present & ~is_zero if zeros == "drop" else present)
            table = rows_of(ids[at], block.items[columns], block.cells[at, columns])
            writer = writer or writer_for(temporary, out.suffix, table.schema)
            writer.write_table(table)
            rows += len(at)
        if writer is None:
            raise DataError(f"{path}: no rows; it must contain a line for each user")
        writer.close()
    say(f"{path}: {users} users × {items} items: {rows} rows written to {out}; {empty} cells are empty")
    return Melted(users, items, rows, empty, n_zeros)


@dataclass(frozen=True)
class MatrixBlock:
    """Some rows of a matrix.

    Attributes:
        users: ids of its rows (B,); None if the file has none.
        items: ids of its columns (I,).
        cells: (B, I); nan where there is no entry.
    """

    users: Array | None
    items: Array
    cells: Values


def blocks_of(path: Path, *, numbered: bool) -> Iterator[MatrixBlock]:
    """Yield a matrix a few rows at a time.

    Raises:
        DataError: a cell is not a number, or it is not clear whether the first line and column are ids.
    """
    kind = kind_of(path)
    if kind == "json":
        raise DataError(f"{path}: JSON lines; a matrix is read from CSV, Parquet, Feather or ORC")
    if kind != "text":
        file = ColumnarFile(path, kind)
        table = file.read(file.names, (), silent)
        for batch in table.to_batches(max_chunksize=1 + BLOCK // (8 * len(file.names))):
            yield block_of(path, batch, file.names, numbered=numbered)
        return
    header = read_header(path, TextFormat(columns=() if numbered else None), ())
    if not numbered and NUMBER.fullmatch(header.names[0]):
        raise DataError(
            f"{path}: the first line begins with {header.names[0]}, so it may be a row or the items' "
            "ids; if the "
            "file has neither users' nor items' ids, say --numbered; else name the first column, such as user"
        )
    with open_bytes(path) as raw:
        stream, rows = BodyStream(raw, header.dialect, header.lines), 0
        for batch in read_batches(path, stream, header, first_is_id=not numbered):
            rows += batch.num_rows
            yield block_of(path, batch, header.names, numbered=numbered)
        if rows != stream.lines:
            raise DataError(f"{path}: {stream.lines} lines make {rows} rows; remove quotes and empty lines")


def read_batches(
    path: Path, stream: BodyStream, header: TextHeader, *, first_is_id: bool
) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a text file: numbers in all columns, but text in the first if that is an id.

    Raises:
        DataError: a cell is not a number, or a line has another number of cells.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    columns = [str(number) for number in range(len(header.names))]  # ids of items may occur twice
    try:
        yield from arrow.open_csv(
            cast("io.BytesIO", stream),
            arrow.ReadOptions(column_names=columns, block_size=BLOCK),
            arrow.ParseOptions(delimiter=header.dialect.separator),
            arrow.ConvertOptions(
                column_types={
                    name: pa.string() if first_is_id and name == "0" else pa.float64() for name in columns
                },
                null_values=list(MISSING),
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise DataError(
            f"{path}: not a matrix of numbers: {str(error).splitlines()[0]}; every cell but the first "
            "of a line must be a number or empty"
        ) from error


def block_of(path: Path, batch: pa.RecordBatch, names: Sequence[str], *, numbered: bool) -> MatrixBlock:
    """Return some rows of a matrix as arrays.

    Raises:
        DataError: two columns have one name, or a column contains no numbers.
    """
    first = 0 if numbered else 1
    items = np.arange(len(names)) + 1 if numbered else np.array(names[1:], dtype=object)
    if len(set(items.tolist())) < len(items):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path}: {names.count(twice)} columns are called {twice!r}; an item has one column")
    try:
        cells = [column.cast("float64").to_numpy(zero_copy_only=False) for column in batch.columns[first:]]
    except ValueError as error:
        raise DataError(f"{path}: {error}; every column but the first must contain numbers") from None
    users = None if numbered else batch.column(0).to_pandas().to_numpy()
    return MatrixBlock(users, items, np.column_stack(cells) if cells else np.empty((batch.num_rows, 0)))


def rows_of(users: Array, items: Array, values: Values) -> pa.Table:
    """Return rows of user, item and value; ids are text or whole numbers."""
    import pyarrow as pa

    return pa.table({"user": pa.array(users), "item": pa.array(items), "value": pa.array(values)})


def writer_for(path: Path, suffix: str, schema: pa.Schema) -> Writer:
    """Return what writes CSV or Parquet."""
    import pyarrow.parquet as pq
    from pyarrow import csv as arrow

    if suffix == ".parquet":
        return cast("Writer", pq.ParquetWriter(path, schema))
    return cast(
        "Writer", arrow.CSVWriter(path, schema, write_options=arrow.WriteOptions(quoting_style="needed"))
    )


class Writer(Protocol):
    """What Arrow's writers have in common."""

    def write_table(self, table: pa.Table) -> None:
        """Append rows."""

    def close(self) -> None:
        """Finish the file."""
