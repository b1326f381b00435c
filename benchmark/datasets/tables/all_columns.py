"""All columns of a table as text: what is looked at where the column that a suite names does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmark.datasets.tables.parse import words
from benchmark.datasets.tables.table_file import open_table, read_columns
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.errors import DataError


def columns_as_text(path: Path, text_format: TextFormat) -> Iterator[tuple[str, pd.Series]]:
    """Yield the name and the entries of each column, "" where one is missing; what is not text is left out.

    Args:
        path: of a table that has been read before.
        text_format: how it is written.
    """
    for name in dict.fromkeys(open_table(path, text_format).names):
        try:
            yield name, words(read_columns(path, [name], text_format, ids=1)[name]).str.strip()
        except DataError:  # named twice, or nested
            continue
