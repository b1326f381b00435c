"""Tables in memory of pandas, Polars or Arrow: taken as Arrow, stored as Parquet, given back in kind."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from benchmark.errors import DataError, did_you_mean
from benchmark.files import atomic_path, file_sha256, known_sha256, write_errors_as_run_error

if TYPE_CHECKING:
    import pyarrow as pa

FrameKind: TypeAlias = Literal["pandas", "polars", "arrow"]
SHOWN = 20
"""Columns that a message lists."""


@runtime_checkable
class Frame(Protocol):
    """A table in memory: a DataFrame of pandas or Polars, a Table of Arrow, or what else streams like it.

    The Arrow PyCapsule interface: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule that streams the rows."""
        ...


def is_column(value: object) -> bool:
    """Return whether a value is a single column: a Series of pandas or Polars, or an array of Arrow.

    These stream as frames do, but have no columns.
    """
    return type(value).__name__ in {"Series", "Index", "ChunkedArray", "Array"} and isinstance(value, Frame)


def values_of_column(column: Any) -> list[Any]:
    """Return the values of a single column."""
    for method in ("to_list", "tolist", "to_pylist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def kind_of(frame: Frame) -> FrameKind:
    """Return which library a frame is of; what is neither pandas nor Polars is given back as Arrow."""
    kinds: dict[str, FrameKind] = {"pandas": "pandas", "polars": "polars"}
    return kinds.get(type(frame).__module__.partition(".")[0], "arrow")


def as_kind(table: pa.Table, kind: FrameKind) -> Any:
    """Return a table as a frame of a library."""
    if kind == "polars":
        import polars as pl

        return pl.from_arrow(table)
    return table.to_pandas() if kind == "pandas" else table


def as_arrow(frame: Frame, wanted: Sequence[str] | None, what: str) -> pa.Table:
    """Return columns of a frame, text as text and categories as their values.

    Args:
        frame: whose index, if it is of pandas and its levels have names, counts as columns.
        wanted: names of columns; all if None.
        what: the frame is called so in complaints.

    Raises:
        DataError: a column is missing or twice there, or holds what is neither numbers, text nor dates.
    """
    import pyarrow as pa

    if is_column(frame):
        raise DataError(f"{what}: is a single column ({type(frame).__name__}); give a frame with columns")
    try:
        table = _pandas(frame, wanted, what) if kind_of(frame) == "pandas" else _streamed(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{what}: cannot be held as a table of Arrow ({reason}); a column must hold one kind of values: "
            "numbers, text or dates"
        ) from error
    names = table.column_names
    _require(names, wanted, what)
    chosen = names if wanted is None else list(dict.fromkeys(wanted))
    columns = [_plain(table.column(name), name, what, strict=wanted is not None) for name in chosen]
    return pa.table(columns, names=chosen)


def store_frame(table: pa.Table, folder: Path, stem: str) -> Path:
    """Store a table as Parquet under a name made of its content; return the file.

    Equal rows make the same file, whichever kind of frame they came in and however it was cut in chunks.

    Raises:
        RunError: it cannot be written.
    """
    import pyarrow.parquet as pq

    with write_errors_as_run_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / f".{stem}.parquet"
        with atomic_path(written) as temporary:
            # Without Arrow's own schema: it tells text of pandas from that of Polars, and has their versions.
            pq.write_table(table.combine_chunks(), temporary, compression="zstd", store_schema=False)
        digest = file_sha256(written)
        target = folder / f"{stem}-{digest[:16]}.parquet"
        if target.is_file() and known_sha256(target) == digest:
            written.unlink()  # untouched, so that nobody reads it again
        else:
            written.replace(target)
    return target


def _require(names: Sequence[str], wanted: Sequence[str] | None, what: str) -> None:
    """Check that each wanted column is there, once."""
    for name in names if wanted is None else wanted:
        if name not in names:
            listed = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            hint = did_you_mean(name, names) or "."
            raise DataError(
                f"{what}: has no column {name!r}; it has {listed}{hint} Name the columns, as in "
                'user="uid", item="sku"'
            )
        if names.count(name) > 1:
            raise DataError(f"{what}: has {names.count(name)} columns {name!r}; rename one of them")


def _pandas(frame: Any, wanted: Sequence[str] | None, what: str) -> pa.Table:
    """Return columns of a DataFrame of pandas, among them wanted levels of its index."""
    import pyarrow as pa

    names = [str(name) for name in frame.columns]
    levels = [name for name in frame.index.names if name is not None and str(name) not in names]
    if needed := [name for name in levels if wanted is None or str(name) in wanted]:
        frame = frame.reset_index(level=needed)
        names = [str(name) for name in frame.columns]
    _require(names, wanted, what)
    if wanted is not None:
        frame = frame.iloc[:, [names.index(name) for name in dict.fromkeys(wanted)]]
    return pa.Table.from_pandas(
        frame.set_axis([str(name) for name in frame.columns], axis=1), preserve_index=False
    )


def _streamed(frame: Any) -> pa.Table:
    """Return a frame of another library as Arrow."""
    import pyarrow as pa

    polars = sys.modules.get("polars")
    # Its own conversion has text as every version of Arrow knows it.
    return frame.to_arrow() if polars and isinstance(frame, polars.DataFrame) else pa.table(frame)


def _plain(column: pa.ChunkedArray, name: str, what: str, *, strict: bool) -> pa.ChunkedArray:
    """Return a column in a type that Parquet keeps as it is; nested ones are refused if ``strict``."""
    import pyarrow as pa
    import pyarrow.types as kinds

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name.startswith("pandas."):  # a period is stored as a count, an interval as a pair
            raise _refused(what, name, kind.extension_name.removeprefix("pandas."))
        return _plain(
            pa.chunked_array([one.storage for one in column.chunks], kind.storage_type),
            name,
            what,
            strict=strict,
        )
    if kinds.is_dictionary(kind):
        return _plain(column.cast(kind.value_type), name, what, strict=strict)
    if kinds.is_duration(kind) or kinds.is_time(kind) or (strict and kinds.is_nested(kind)):
        raise _refused(what, name, str(kind))
    if kinds.is_string(kind) or kind == pa.string_view():
        return column.cast(pa.large_string())  # all text of a column may pass 2 GB
    return column.cast(pa.float32()) if kinds.is_float16(kind) else column


def _refused(what: str, name: str, kind: str) -> DataError:
    """Return the complaint about a column of a kind that nobody could read as it is meant."""
    return DataError(f"{what}: column {name!r} contains {kind}; it must contain numbers, text or dates")
