"""How files write the columns of a hostile log: separators, quotes, encodings, compression, typed formats."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
from hostile_columns import Cells
from hypothesis import strategies as st


@dataclass(frozen=True)
class TextShape:
    """How a text file is written."""

    separator: str
    quoting: Literal["minimal", "all", "none"]
    encoding: Literal["utf-8", "utf-8-sig", "utf-16", "latin-1"]
    newline: str
    last_newline: bool
    header: bool
    blank_lines: bool
    comment: bool
    multiline: bool
    stray_quotes: bool
    purchases: bool
    compression: Literal["none", "gz", "gz without suffix", "bz2", "zst", "zip"]


@st.composite
def text_shapes(draw: st.DrawFn) -> TextShape:
    """Return how a text file is written; rare hardships are rare, so that most logs have one or two."""
    rarely = st.integers(0, 11).map(lambda drawn: drawn == 0)
    stray = draw(rarely)
    return TextShape(
        separator=draw(st.sampled_from([",", ",", ",", ";", "\t", "|", "::", " "])),
        quoting="none" if stray else draw(st.sampled_from(["minimal", "minimal", "all"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])),
        newline=draw(st.sampled_from(["\n", "\n", "\r\n"])),
        last_newline=draw(st.booleans()),
        header=not draw(rarely),
        blank_lines=draw(rarely),
        comment=draw(rarely),
        multiline=not stray and draw(rarely),
        stray_quotes=stray,
        purchases=draw(rarely),
        compression=draw(
            st.sampled_from(["none", "none", "none", "gz", "gz without suffix", "bz2", "zst", "zip"])
        ),
    )


def fitting(shape: TextShape, columns: Mapping[str, Cells]) -> TextShape:
    """Return the shape, changed where it could not write these cells at all."""
    cells = [cell for one in columns.values() for cell in one.written]
    changes: dict[str, Any] = {}
    separator = shape.separator
    if any(" " in cell for cell in cells) and separator == " ":
        separator = changes["separator"] = ";"
    if any(":" in cell for cell in cells) and separator == "::":
        separator = changes["separator"] = "|"
    decimal_comma = any(one.keys.get("decimal") for one in columns.values())
    if decimal_comma and separator == ",":
        separator = changes["separator"] = ";"
    bare = separator in {"::", " "}  # nobody writes quotes in such files
    if bare or shape.stray_quotes:
        changes |= {"quoting": "none", "multiline": False}
        if any(mark in cell for cell in cells for mark in ('"', separator)) or any(
            cell != cell.strip() for cell in cells
        ):
            changes |= {"separator": ",", "quoting": "minimal", "stray_quotes": False}
    if bare:
        changes["stray_quotes"] = False
    if shape.encoding == "latin-1" and not all(encodes(cell, "latin-1") for cell in cells):
        changes["encoding"] = "utf-8"
    if shape.comment and any(cell.startswith("#") for cell in cells):
        changes["comment"] = False
    return TextShape(**{**vars(shape), **changes})


def encodes(cell: str, encoding: str) -> bool:
    """Return whether a text can be written in an encoding."""
    try:
        cell.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def text_body(shape: TextShape, columns: Mapping[str, Cells], rows: int) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a text file before compression, and the keys that its shape needs."""
    cures: dict[str, Any] = {}
    table = {name: list(cells.written) for name, cells in columns.items()}
    if shape.stray_quotes:
        titles = [f"part {row}" for row in range(rows)]
        titles[1], titles[rows - 2] = '"the stray', 'one 5" too'
        table["title"] = titles
        cures["quoted"] = False
    if shape.multiline:
        titles = [f"part {row}" for row in range(rows)]
        titles[1] = "two\nlines"
        table["title"] = titles
        cures["multiline"] = True
    if shape.purchases:
        table["event"] = ["buy"] * rows
    lines = [line(shape, [table[name][row] for name in table]) for row in range(rows)]
    if shape.purchases:
        other = {name: cells[0] for name, cells in table.items()} | {"event": "view"}
        lines.insert(2, line(shape, list(other.values())))
        cures["rows"] = 'event == "buy"'
    if shape.header:
        lines.insert(0, line(shape, list(table)))
    else:
        cures["columns"] = tuple(table)
        cures["separator"] = shape.separator  # entries may have signs that cut the lines as well
    if shape.blank_lines:
        lines.insert(len(lines) // 2, "")
        lines.append("")
    if shape.comment:
        lines.insert(0, "# exported on a Monday")
        cures["comment"] = "#"
    text = shape.newline.join(lines) + (shape.newline if shape.last_newline else "")
    if shape.encoding == "latin-1" and not text.isascii():
        cures["encoding"] = "latin-1"
    return text.encode(shape.encoding), cures


def line(shape: TextShape, cells: Sequence[str]) -> str:
    """Return one line, quoted as the shape says."""
    if shape.quoting == "none":
        return shape.separator.join(cells)
    return shape.separator.join(
        f'"{cell.replace(chr(34), chr(34) * 2)}"'
        if shape.quoting == "all" or re.search(f'["\n\r{re.escape(shape.separator)}]|^ | $', cell)
        else cell
        for cell in cells
    )


def packed(body: bytes, shape: TextShape) -> tuple[dict[str, bytes], str]:
    """Return the file with its name, compressed as the shape says."""
    stem = "log.tsv" if shape.separator == "\t" else "log.csv"
    match shape.compression:
        case "gz":
            return {f"{stem}.gz": gzip.compress(body)}, f"{stem}.gz"
        case "gz without suffix":
            return {stem: gzip.compress(body)}, stem
        case "bz2":
            return {f"{stem}.bz2": bz2.compress(body)}, f"{stem}.bz2"
        case "zst":
            return {f"{stem}.zst": pa.Codec("zstd").compress(body, asbytes=True)}, f"{stem}.zst"
        case "zip":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                archive.writestr(stem, body)
            return {"log.zip": buffer.getvalue()}, "log.zip"
    return {stem: body}, stem


def binary_files(kind: str, columns: Mapping[str, Cells]) -> tuple[dict[str, bytes], str]:
    """Return the files of a typed format, and the path that a suite names."""
    frame = pd.DataFrame({name: pd.Series(list(cells.typed or ())) for name, cells in columns.items()})
    if kind == "jsonl":
        rows = [
            {name: plain(value) for name, value in zip(frame, row, strict=True)}
            for row in frame.itertuples(index=False, name=None)
        ]
        return {"log.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()}, "log.jsonl"
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if kind == "parts":
        half = len(frame) // 2
        parts = {
            f"log.parquet/part-0000{n}.snappy.parquet": stored(
                table.slice(start, length), pa.parquet.write_table
            )
            for n, (start, length) in enumerate([(0, half), (half, len(frame) - half)])
        }
        return {**parts, "log.parquet/_SUCCESS": b""}, "log.parquet"
    write = {
        "parquet": pa.parquet.write_table,
        "feather": pa.feather.write_feather,
        "orc": pa.orc.write_table,
    }[kind]
    if kind == "orc" and any(pa.types.is_unsigned_integer(column.type) for column in table.schema):
        kind, write = "parquet", pa.parquet.write_table  # ORC has no unsigned numbers
    return {f"log.{kind}": stored(table, write)}, f"log.{kind}"


def plain(value: Any) -> Any:
    """Return a cell as JSON writes it."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def stored(table: pa.Table, write: Callable[[pa.Table, Any], None]) -> bytes:
    """Return the bytes that a writer of pyarrow makes."""
    buffer = io.BytesIO()
    write(table, buffer)
    return buffer.getvalue()
