"""Any file with a table: what it is, the columns wanted of it, and where each of its rows stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

import numpy as np
import pandas as pd

from benchmark.datasets.log import Say, silent
from benchmark.datasets.specs import parse_rows
from benchmark.datasets.tables.arrow_frame import to_frame
from benchmark.datasets.tables.columnar import ColumnarFile
from benchmark.datasets.tables.delimited import DelimitedFile
from benchmark.datasets.tables.header import read_header, require_columns
from benchmark.datasets.tables.json_lines import JsonLines
from benchmark.datasets.tables.keep_rows import RowChooser, filter_columns, listed, text_columns
from benchmark.datasets.tables.raw_file import kind_of, require_file
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.datasets.tables.text_lines import records
from benchmark.errors import DataError
from benchmark.protocol import Longs

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = (".parquet", ".pq", ".orc", ".feather", ".arrow")
TEXTS = (".csv", ".tsv", ".json", ".jsonl", ".txt")
"""Suffixes of parts; those of text must begin with "part" besides, as other tables lie in folders too."""
COMPRESSED = (".gz", ".bz2", ".zst", ".xz", ".lz4")
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
PARTITION = re.compile(r"([^=/]+)=([^/]*)")


class TableFile(Protocol):
    """A file with a table, opened far enough to know its columns."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def names(self) -> list[str]:
        """Names of all columns."""

    @property
    def types(self) -> dict[str, str]:
        """RecBole's types of columns, by name; empty in other files."""

    def require(self, wanted: Sequence[str]) -> None:
        """Check that the file has every wanted column, and once."""

    def read(self, wanted: Sequence[str], as_written: Sequence[str], say: Say) -> pa.Table:
        """Return the wanted columns; those ``as_written`` keep every character."""


@dataclass(frozen=True)
class Location:
    """Files and how they are written: what a message needs to name a line.

    Attributes:
        path: the file, or a folder of parts.
        text_format: how text in it is written.
        kept: index in the file of each row that was kept; None if all were.
        lengths: rows of each part, by its path; empty for a single file.
    """

    path: Path
    text_format: TextFormat
    kept: Longs | None = None
    lengths: tuple[tuple[Path, int], ...] = field(default=(), repr=False)

    def row(self, index: int) -> str:
        """Return ``"FILE:LINE"`` of a row (from 0), or ``"FILE: row N"`` (from 1) of a file without lines."""
        if self.kept is not None:
            return replace(self, kept=None).row(int(self.kept[index]))
        for path, length in self.lengths:
            if index < length:
                return Location(path, self.text_format).row(index)
            index -= length
        kind = kind_of(self.path)
        if kind == "json":
            lines = JsonLines(self.path, self.text_format).objects()
            return f"{self.path}:{next(islice(lines, index, None))[0]}"
        if kind != "text":
            return f"{self.path}: row {index + 1}"
        header = read_header(self.path, self.text_format, ())
        lines_of = records(self.path, replace(header.dialect, sparse=True), "replace")
        found = next(islice(lines_of, index + self.text_format.has_header, None))
        return f"{self.path}:{found.line}"

    def written(self, name: str) -> pd.Series | None:
        """Return a column as text files write it, categories of text; None for other files."""
        file = open_table(self.path, self.text_format)
        files = file.files if isinstance(file, PartFolder) else [file]
        if name not in files[0].names or not all(isinstance(one, DelimitedFile) for one in files):
            return None
        cells = to_frame(file.read([name], [name], silent), self.path)[name]
        return cells if self.kept is None else cells.iloc[self.kept]


def read_columns(
    path: Path,
    wanted: Sequence[str],
    text_format: TextFormat,
    *,
    ids: int,
    texts: int = 0,
    say: Say = silent,
) -> pd.DataFrame:
    """Return the wanted columns of a file; the first ``ids`` are ids, the ``texts`` after them text.

    Raises:
        DataError: the file is missing, empty, cut off, not text in its encoding or not a table; a column
            is missing.
    """
    file = open_table(path, text_format)
    file.require(wanted)
    frame, _ = read_file(file, wanted, wanted[: ids + texts], text_format, say=say)
    return frame


def open_table(path: Path, text_format: TextFormat) -> TableFile:
    """Return a file, or a folder of parts, ready to be read.

    Raises:
        DataError: it is missing, empty or of no kind that is read.
    """
    if path.is_dir():
        return PartFolder.open(path, text_format)
    kind = kind_of(path)
    if kind == "json":
        return JsonLines(path, text_format)
    if kind == "text":
        return DelimitedFile(path, text_format)
    return ColumnarFile(path, kind)


def read_file(
    file: TableFile,
    wanted: Sequence[str],
    as_written: Sequence[str],
    text_format: TextFormat,
    *,
    rows: str | None = None,
    say: Say = silent,
) -> tuple[pd.DataFrame, Location]:
    """Return the wanted columns of the rows that meet a condition, and where they stand.

    Raises:
        DataError: the file is not what ``text_format`` says; no row is left.
    """
    condition = parse_rows(rows) if rows else None
    compared = filter_columns(condition)
    hint = "rows compares columns of the file; correct its name"
    require_columns(file.path, compared, file.names, hint)
    file.require(compared)
    every = list(dict.fromkeys([*wanted, *compared]))
    # A column that the log has is read as the log wants it, and as text only if it is compared with text.
    table = file.read(every, list(dict.fromkeys([*as_written, *text_columns(condition)])), say)
    if not table.num_rows:
        raise DataError(f"{file.path}: no rows; it must contain one line per row")
    lengths = file.lengths if isinstance(file, PartFolder) else ()
    location = Location(file.path, text_format, lengths=tuple(lengths))
    if condition is not None:
        mask = RowChooser(table, str(file.path), text_format.decimal, say).chosen(condition)
        kept = np.flatnonzero(mask)
        say(f"{file.path}: rows: {rows} keeps {len(kept)} of {len(mask)} rows")
        if not len(kept):
            first = table.column(compared[0]).to_pandas()
            raise DataError(
                f"{file.path}: no row meets rows: {rows}; column {compared[0]!r} has "
                f"{listed(first)}: correct the condition"
            )
        import pyarrow as pa

        table, location = table.filter(pa.array(mask)), replace(location, kept=kept)
    frame = to_frame(table.select(list(wanted)), file.path)
    if condition is not None:  # ids of rows that were left out are nobody's
        for name in frame.columns[[isinstance(kind, pd.CategoricalDtype) for kind in frame.dtypes]]:
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame, location


@dataclass
class PartFolder:
    """A folder of files that are one table, as Spark and Hive write them.

    Attributes:
        path: the folder.
        files: its parts, in the order of their names, numbers by size.
        partitions: columns that the names of sub-folders give, of each part.
        lengths: rows of each part, once they were read.
    """

    path: Path
    files: list[TableFile]
    partitions: list[dict[str, str | None]]
    lengths: list[tuple[Path, int]] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, text_format: TextFormat) -> PartFolder:
        """Return the parts of a folder.

        Raises:
            DataError: there are none; sub-folders do not give the same columns.
        """
        parts = part_files(path)
        if not parts:
            raise DataError(
                f"{path}: a folder without parts ({', '.join(TABLES)} files, or text named part-...); "
                "give the path of a file"
            )
        partitions = [partition_of(part.relative_to(path)) for part in parts]
        columns = list(partitions[0])
        for part, one in zip(parts, partitions, strict=True):
            if list(one) != columns:
                raise DataError(
                    f"{part}: its folders give the columns {list(one)}, those of {parts[0]} give {columns}; "
                    "all parts must lie equally deep"
                )
        return cls(path, [open_table(part, text_format) for part in parts], partitions)

    @property
    def names(self) -> list[str]:
        """Names of all columns of the first part, then those that sub-folders give."""
        return [*self.files[0].names, *self.partitions[0]]

    @property
    def types(self) -> dict[str, str]:
        """RecBole's types of columns, as the first part says."""
        return self.files[0].types

    def require(self, wanted: Sequence[str]) -> None:
        """Check that every part has the wanted columns that no sub-folder gives.

        Raises:
            DataError: one has not.
        """
        require_columns(self.path, wanted, self.names)
        for file, given in zip(self.files, self.partitions, strict=True):
            file.require([name for name in wanted if name not in given])

    def read(self, wanted: Sequence[str], as_written: Sequence[str], say: Say) -> pa.Table:
        """Return the wanted columns of all parts, one below the other.

        Raises:
            DataError: a part is damaged, or the parts have other kinds in one column.
        """
        import pyarrow as pa

        tables: list[pa.Table] = []
        self.lengths = []
        for file, given in zip(self.files, self.partitions, strict=True):
            inside = [name for name in wanted if name not in given]
            table = file.read(inside, as_written, say)
            for name in wanted:
                if name in given:
                    same = pa.repeat(pa.scalar(given[name], pa.string()), table.num_rows)
                    table = table.append_column(name, same.dictionary_encode())
            tables.append(table.select(list(wanted)))
            self.lengths.append((file.path, table.num_rows))
        filled = [table for table in tables if table.num_rows] or tables[:1]
        try:
            return pa.concat_tables(filled, promote_options="permissive").unify_dictionaries()
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise DataError(
                f"{self.path}: {self._different(filled)}; all parts must have the same kind in a column"
            ) from error

    def _different(self, tables: Iterable[pa.Table]) -> str:
        """Return which column has two kinds in two parts."""
        files = [path.name for path, length in self.lengths if length]
        seen: dict[str, tuple[str, str]] = {}
        for name, table in zip(files, tables, strict=True):
            for one in table.schema:
                kind, first = seen.setdefault(one.name, (str(one.type), name))
                if kind != str(one.type):
                    return f"column {one.name!r} contains {kind} in {first} and {one.type} in {name}"
        return "its parts do not fit together"


BARE_PART = re.compile(r"part-(?:[mr]-)?\d+")
"""What Hadoop and older Spark call a part of text."""


def part_files(folder: Path) -> list[Path]:
    """Return the parts in a folder and below it, none if it has none; names that begin with _ or . are notes.

    Raises:
        DataError: a part is a pipe or a device; or the names are those of several tables.
    """
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if any(step.startswith(("_", ".")) for step in inside.parts) or path.is_dir():
            continue
        name = inside.name.lower()
        for suffix in COMPRESSED:
            name = name.removesuffix(suffix)
        is_text = (name.endswith(TEXTS) and name.startswith("part")) or BARE_PART.fullmatch(name)
        if name.endswith(TABLES) or is_text:
            require_file(path)
            if path.stat().st_size or name.endswith(TABLES):
                found.append(path)
    families = {family(path.name): path for path in found}
    if len(families) > 1:
        first, second, *_ = families.values()
        raise DataError(
            f"{folder}: {first.name} and {second.name} may be parts of one table or two tables; give "
            "the path of one file, or of a folder with the parts of one table"
        )
    return sorted(found, key=by_number)


def family(name: str) -> str:
    """Return what the names of the parts of one table have in common.

    >>> family("part-00001-9c2f4e5a-0b1d-4c3e-8f7a-1234567890ab.snappy.parquet")
    'part-.snappy.parquet'
    """
    plain = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\d+", "#", name.lower())
    return re.sub(r"[-_.]?#(?:[-_.]?c?#)*", "-", plain).replace("--", "-")


def by_number(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Return the key that sorts part-2 before part-10."""
    pieces = re.findall(r"\d+|\D+", path.as_posix())
    return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces)


def partition_of(inside: Path) -> dict[str, str | None]:
    """Return the columns that the folders of a part give.

    >>> partition_of(Path("day=2024-05-31/shop=a%20b/part-0.parquet"))
    {'day': '2024-05-31', 'shop': 'a b'}
    """
    steps = (PARTITION.fullmatch(step) for step in inside.parts[:-1])
    given = {unquote(match[1]): unquote(match[2]) for match in steps if match}
    return {name: None if value == HIVE_NULL else value for name, value in given.items()}
