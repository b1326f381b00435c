"""Tables in Parquet, Feather and ORC files: the wanted columns, in types that the parsers know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmark.datasets.log import Say
from benchmark.datasets.tables.header import WIDE, matrix, require_columns
from benchmark.datasets.tables.raw_file import FileKind
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ColumnarFile:
    """A Parquet, Feather or ORC file."""

    path: Path
    kind: FileKind

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns and their types.

        Raises:
            DataError: it is damaged, or no such file.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import ipc, orc

        try:
            if self.kind == "parquet":
                return pq.read_schema(self.path)
            if self.kind == "orc":
                return orc.ORCFile(str(self.path)).schema
            try:
                with pa.memory_map(str(self.path)) as file:
                    return ipc.open_file(file).schema
            except pa.ArrowInvalid:  # Feather of before 2020
                return self._feather(None).schema
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return list(self.schema.names)

    @property
    def types(self) -> dict[str, str]:
        """No types of RecBole's."""
        return {}

    def require(self, wanted: Sequence[str]) -> None:
        """Check that every wanted column is there.

        Raises:
            DataError: one is missing, or twice there; or it is a matrix of users and items.
        """
        import pyarrow.types as kinds

        if not set(wanted) <= set(self.names) and len(self.names) >= WIDE:
            others = [field.type for field in self.schema][1:]
            if all(kinds.is_integer(kind) or kinds.is_floating(kind) for kind in others):
                raise matrix(self.path, len(self.names))
        require_columns(self.path, wanted, self.names)

    def read(self, wanted: Sequence[str], as_written: Sequence[str], say: Say) -> pa.Table:
        """Return the wanted columns, none of them nested; the first two ``as_written``, ids, no booleans.

        Raises:
            DataError: the file is damaged, or a column is neither of numbers nor of text or dates.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow import orc

        del say
        try:
            if self.kind == "parquet":
                # One file, whatever the names of the folders that it is in.
                table = pq.ParquetFile(self.path).read(columns=list(wanted))
            elif self.kind == "orc":
                table = orc.ORCFile(str(self.path)).read(columns=list(wanted))
            else:
                table = self._feather(list(wanted))
            columns = [self._plain(table, name, strict=name in as_written[:2]) for name in wanted]
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error
        return pa.table(columns, names=list(wanted))

    def _feather(self, wanted: list[str] | None) -> pa.Table:
        from pyarrow import feather

        return feather.read_table(str(self.path), columns=wanted, memory_map=False)

    def _plain(self, table: pa.Table, name: str, *, strict: bool) -> pa.ChunkedArray:
        """Return a column as numbers, text, booleans or dates.

        Raises:
            DataError: it is nested, or bytes that are not text; or, if ``strict``, booleans.
        """
        import pyarrow as pa
        import pyarrow.types as kinds

        column = table.column(name)
        if isinstance(column.type, pa.BaseExtensionType):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
        kind = column.type
        if kinds.is_nested(kind) or (strict and kinds.is_boolean(kind)):
            raise DataError(
                f"{self.path}: column {name!r} contains {kind}; it must contain numbers, text or dates"
            )
        if kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind):
            try:
                return column.cast(pa.binary()).cast(pa.string())
            except pa.ArrowInvalid:
                example = next(value for value in column.to_pylist() if not is_text(value))
                raise DataError(
                    f"{self.path}: column {name!r} contains bytes that are not text, such as "
                    f"{example.hex()[:32]}; write it as text, for example in hexadecimal"
                ) from None
        if kinds.is_decimal(kind):
            return column.cast(pa.string())  # with every digit
        return cast("pa.ChunkedArray", column)

    def _damaged(self, error: Exception) -> DataError:
        first_sentence = str(error).split(". ")[0].splitlines()[0].rstrip(".")
        return DataError(f"{self.path}: damaged or cut off: {first_sentence}; copy or write it again")


def is_text(value: bytes | None) -> bool:
    """Whether bytes are text in UTF-8, or nothing."""
    try:
        return value is None or value.decode() is not None
    except UnicodeDecodeError:
        return False
