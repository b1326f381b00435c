"""Logs as people really have them, drawn by hypothesis together with the truth that a reader must find.

Ids, values, times, separators, encodings, quoting, compression and file formats are drawn together. A log
is written byte by byte, never by the code under test. :func:`judge` reads one and says whether what came
back is the truth, a refusal, or a fault.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hostile_columns import NS, ids_of, times_of, values_of
from hostile_files import binary_files, fitting, packed, text_body, text_shapes
from hypothesis import strategies as st

from benchmark.datasets.log import Log
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec
from benchmark.errors import BenchError

Need: TypeAlias = Literal["nothing", "keys", "ambiguous"]
"""What a reader must be told: nothing, some keys, or that no key can settle it."""

Outcome: TypeAlias = Literal["read", "read with keys", "refused"]

UNTOLD = {"rows", "timezone"}
"""Keys of which no file shows that it needs them: without, it is another log, and a sound one."""

LINE = re.compile(r":\d+: |: row \d+|there is no column")  # a whole file lacks a column
CURE = re.compile(r"\b(set|say|give|correct|write|name|leave|convert|copy|remove)\b")
"""What a refusal must say: where, and what to do."""

PER_UNIT = {"s": NS, "ms": NS // 1000, "us": NS // 1_000_000, "ns": 1}


@dataclass(frozen=True)
class HostileLog:
    """A written log: its files' bytes by name, how a suite names it, and its truth.

    Attributes:
        files: bytes by path below the folder; the first one is the log, or lies in the folder that is.
        path: what the suite's ``path`` says.
        keys: the entry's keys beside name and path that name columns: given always.
        cures: keys that must be said before it can be read; empty if none is needed.
        need: what must be said.
        users: id of each row, as text.
        items: likewise.
        values: value of each row; None without values.
        times: nanoseconds since 1970 of each row; None without times.
    """

    files: Mapping[str, bytes]
    path: str
    keys: Mapping[str, Any]
    cures: Mapping[str, Any]
    need: Need
    users: tuple[str, ...]
    items: tuple[str, ...]
    values: tuple[float, ...] | None
    times: tuple[int, ...] | None


@st.composite
def hostile_logs(draw: st.DrawFn) -> HostileLog:
    """Return a log with its truth."""
    rows = draw(st.integers(8, 40))
    users, items = draw(ids_of(rows, "u")), draw(ids_of(rows, "i"))
    values, times = draw(values_of(rows)), draw(times_of(rows))
    columns = {"user": users, "item": items} | {
        name: cells for name, cells in (("value", values), ("time", times)) if cells is not None
    }
    typed = all(cells.typed is not None for cells in columns.values())
    kind = draw(st.sampled_from(["text"] * 4 + ["parquet", "parts", "feather", "orc", "jsonl"]))
    names = {"value": "value", "time": "time"}
    keys = {role: names[role] for role in names if role in columns}
    cures = {key: value for cells in columns.values() for key, value in cells.keys.items()}
    ambiguous = any(cells.ambiguous for cells in columns.values())
    if kind != "text" and typed:
        files, path = binary_files(kind, columns)
        typed_ids = {k: v for k, v in cures.items() if k == "ids"}
        need: Need = "ambiguous" if ambiguous else "keys" if typed_ids else "nothing"
        cures = typed_ids
    else:
        shape = fitting(draw(text_shapes()), columns)
        body, more = text_body(shape, columns, rows)
        cures |= more
        files, path = packed(body, shape)
        need = "ambiguous" if ambiguous else "keys" if cures else "nothing"
    is_typed = kind != "text" and typed
    if (
        "ids" in cures
    ):  # ids: text keeps what is written as text as it is; floats of a typed file have no text
        users, items = (
            one
            if is_typed and isinstance((one.typed or ("",))[0], float)
            else replace(one, truth=one.written)
            for one in (users, items)
        )
    return HostileLog(
        files=files,
        path=path,
        keys=keys,
        cures=cures,
        need=need,
        users=tuple(map(str, users.truth)),
        items=tuple(map(str, items.truth)),
        values=None if values is None else values.truth,
        times=None if times is None else times.truth,
    )


def judge(log: HostileLog, folder: Path) -> Outcome:
    """Read a log as a user would: first with nothing but its columns, then with the keys that it needs.

    Raises:
        AssertionError: something else than the truth was read, a refusal names no place or no cure, or a log
            that must be read was refused.
    """
    for name, content in log.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    base = {"name": "hostile", "path": str(folder / log.path), **log.keys}
    untold = {key: value for key, value in log.cures.items() if key in UNTOLD}
    found, refusal = attempt({**base, **untold})
    if found is not None:
        assert log.need != "ambiguous", "could be two things and was read"
        wrong = difference(log, found)
        assert not wrong, f"misread in silence, needs {[*log.cures] or 'no key'}: {wrong}"
        return "read"
    assert log.need != "nothing", f"needs no key and was refused: {refusal}"
    assert str(folder) in refusal, f"names no file: {refusal}"
    if log.need == "ambiguous":
        assert LINE.search(refusal), f"names no line: {refusal}"
        assert CURE.search(refusal), f"says not what to do: {refusal}"
        return "refused"
    assert any(key in refusal for key in log.cures), f"names no key: {refusal}"
    found, refusal = attempt({**base, **log.cures})
    assert found is not None, f"has {[*log.cures]} and was refused: {refusal}"
    wrong = difference(log, found)
    assert not wrong, f"misread with {[*log.cures]}: {wrong}"
    return "read with keys"


def attempt(entry: Mapping[str, Any]) -> tuple[Log | None, str]:
    """Return the log that a suite's entry names, or why it was refused."""
    try:
        return open_log(LogSpec.model_validate(entry)), ""
    except BenchError as error:
        return None, str(error)


def difference(log: HostileLog, found: Log) -> str:
    """Return what differs from the truth in the first place that does; empty if nothing does."""
    frame = found.frame
    if len(frame) != len(log.users):
        return f"{len(frame)} rows, not {len(log.users)}"
    expected: dict[str, Sequence[Any] | None] = {
        "user": log.users,
        "item": log.items,
        "value": log.values,
        "time": log.times,
    }
    for name, truth in expected.items():
        if truth is None:
            continue
        if name not in frame:
            return f"no column {name}"
        column = frame[name]
        if name == "time":
            read: list[Any] = [int(one) * PER_UNIT[found.clock.unit] for one in column]
        elif name == "value":
            read = [float(one) for one in column]
        else:
            read = [str(one) for one in column]
        pairs = enumerate(zip(read, truth, strict=True))
        wrong = [row for row, (a, b) in pairs if a != b and not (is_nan(a) and is_nan(b))]
        if wrong:
            return f"{name} of row {wrong[0]} is {read[wrong[0]]!r}, not {truth[wrong[0]]!r}"
    return ""


def is_nan(cell: Any) -> bool:
    """Return whether a cell is the number that stands for a missing one."""
    return isinstance(cell, float) and math.isnan(cell)
