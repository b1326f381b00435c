"""Text with a user and then all of the user's items a line, in order, as LightGCN's data sets are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from benchmark.datasets.log import Say
from benchmark.datasets.tables.encodings import not_text
from benchmark.datasets.tables.header import TextHeader
from benchmark.datasets.tables.raw_file import damaged, open_bytes
from benchmark.datasets.tables.text_lines import BodyStream
from benchmark.errors import DataError
from benchmark.protocol import Longs

if TYPE_CHECKING:
    import pyarrow as pa

POSITION = "position"
"""What the column is called that counts a user's items from 1."""
BLOCKS = (1 << 22, 1 << 30)


@dataclass(frozen=True)
class ItemLists:
    """Rows cut out of lists.

    Attributes:
        table: columns user and item as categories of text, and position, whole numbers.
        records: index of the line that each row comes from.
    """

    table: pa.Table
    records: Longs


def read_lists(path: Path, header: TextHeader, names: Sequence[str], say: Say) -> ItemLists:
    """Return a row for each item of each line, columns called by ``names`` (user, item) and POSITION.

    Raises:
        DataError: it is not text in its encoding, or damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    dialect = replace(header.dialect, quoted=False)
    lines = whole_lines(path, header, dialect.separator)
    text = pc.utf8_trim(lines, " " if dialect.separator == " " else f" {dialect.separator}")
    if dialect.separator == " ":
        pieces = pc.split_pattern_regex(text, " +")
    else:
        pieces = pc.split_pattern(text, dialect.separator)
    lengths = pc.list_value_length(pieces).to_numpy().astype(np.int64)
    counts = np.maximum(lengths - 1, 0)
    words = pc.list_flatten(pieces).combine_chunks()
    if isinstance(words, pa.ChunkedArray):
        words = pa.concat_arrays(words.chunks) if words.num_chunks else pa.array([], pa.string())
    starts = np.cumsum(lengths) - lengths
    is_item = np.ones(len(words), dtype=bool)
    is_item[starts[lengths > 0]] = False
    owners = np.repeat(np.arange(len(lengths)), counts)
    users = pc.dictionary_encode(words.take(pa.array(starts)))
    if alone := int((counts == 0).sum()):
        say(f"{path}: {alone} users without an item, left out")
    position = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    columns = [
        users.take(pa.array(owners)),
        pc.dictionary_encode(words.filter(pa.array(is_item))),
        pa.array(position),
    ]
    return ItemLists(pa.table(columns, names=[*names, POSITION]), owners)


def whole_lines(path: Path, header: TextHeader, separator: str) -> pa.ChunkedArray:
    """Return the lines of a file as one column of text.

    Raises:
        DataError: it is not text in its encoding, or damaged.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    dialect = replace(header.dialect, quoted=False)
    unused = next(mark for mark in "\x01\x02" if mark != separator)
    for block in BLOCKS:
        with open_bytes(path) as file:
            try:
                table = arrow.read_csv(
                    cast("pa.NativeFile", BodyStream(file, dialect, header.lines)),
                    arrow.ReadOptions(column_names=["line"], block_size=block),
                    arrow.ParseOptions(delimiter=unused, quote_char=False),
                    arrow.ConvertOptions(column_types={"line": pa.string()}, strings_can_be_null=False),
                )
            except (pa.ArrowInvalid, UnicodeError) as error:
                if "straddl" in str(error) and block != BLOCKS[-1]:
                    continue
                first = str(error).splitlines()[0]
                raise not_text(path, dialect.encoding) or DataError(
                    f"{path}: not one user and its items a line: {first}"
                ) from None
            except OSError as error:
                raise damaged(path, error) from error
            return table.column("line")
    raise DataError(f"{path}: a line of over {BLOCKS[-1]:,} bytes; it must be one user and its items")


def blank_separated(header: TextHeader) -> TextHeader:
    """Return the header of lists whose separator was looked for: the mark that the first line has."""
    found = re.search(r"[\t,;| ]", header.first.text)
    return replace(header, dialect=replace(header.dialect, separator=found[0] if found else " "))
