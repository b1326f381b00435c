"""Arrow tables as frames, without the losses of Arrow's own conversion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

NULLABLE = {
    "int8": pd.Int8Dtype(),
    "int16": pd.Int16Dtype(),
    "int32": pd.Int32Dtype(),
    "int64": pd.Int64Dtype(),
    "uint8": pd.UInt8Dtype(),
    "uint16": pd.UInt16Dtype(),
    "uint32": pd.UInt32Dtype(),
    "uint64": pd.UInt64Dtype(),
}


def to_frame(table: pa.Table, path: Path) -> pd.DataFrame:
    """Return the columns of a table, read from a file, as they are.

    Whole numbers with missing entries stay whole (Arrow makes floats of them, which merge above 2^53),
    decimals become text with every digit, text that was stored as bytes becomes text, and what was the
    index of a pandas frame is a column like any other.

    Raises:
        DataError: bytes are no text in UTF-8.
    """
    import pyarrow as pa
    import pyarrow.types as kinds

    incomplete = set()
    for position, field in enumerate(table.schema):
        stored_as_bytes = kinds.is_binary(field.type) or kinds.is_large_binary(field.type)
        if stored_as_bytes or kinds.is_decimal(field.type):
            try:
                column = table.column(position).cast(pa.string())
            except pa.ArrowInvalid as error:
                raise DataError(
                    f"{path}: column {field.name!r} contains bytes that are not text in UTF-8; write it as "
                    "text or as numbers"
                ) from error
            table = table.set_column(position, field.name, column)
        elif table.column(position).null_count:
            incomplete.add(str(field.type))
    nullable = {name: kind for name, kind in NULLABLE.items() if name in incomplete}
    return cast(
        "pd.DataFrame",
        table.to_pandas(
            ignore_metadata=True, date_as_object=False, types_mapper=lambda kind: nullable.get(str(kind))
        ),
    )
