"""All columns of a table as text: what is looked at where the column that a suite names does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmark.datasets.specs import TableSpec
from benchmark.datasets.tables.csv_parquet import (
    PARQUET,
    TextFormat,
    find_separator,
    open_text,
    read_columns,
    split_line,
)
from benchmark.datasets.tables.parse import words
from benchmark.datasets.tables.read import separator
from benchmark.errors import DataError


def columns_as_text(path: Path, spec: TableSpec) -> Iterator[tuple[str, pd.Series]]:
    """Yield the name and the entries of each column, "" where one is missing; what is not text is left out.

    Args:
        path: of a table that has been read before.
        spec: how it is written.
    """
    text_format = TextFormat(spec.columns, separator(spec.separator))
    names = column_names(path, spec, text_format)
    for name in dict.fromkeys(names):
        try:
            yield name, words(read_columns(path, [name], text_format, ids=1)[name]).str.strip()
        except DataError:  # named twice, or nested
            continue


def column_names(path: Path, spec: TableSpec, text_format: TextFormat) -> list[str]:
    """Return the names of all columns, in the order of the file."""
    if spec.columns:
        return list(spec.columns)
    if path.suffix in PARQUET:
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    with open_text(path, text_format.encoding) as file:
        first = next((line for line in file if line.strip()), "").rstrip("\r\n")
    return split_line(first, find_separator(first, [spec.id], text_format))
