"""What the columns of a log probably are, by their names and by what is in them: a guess."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from benchmark.datasets.tables.first_rows import FirstRows
from benchmark.errors import DataError

ColumnRole: TypeAlias = Literal["user", "item", "value", "time"]
ValueKind: TypeAlias = Literal["ratings", "counts", "yes and no", "event types", "unclear"]

ROLES: tuple[ColumnRole, ...] = ("user", "item", "value", "time")

IDS = r"(?:id|ids|name|index|no|nr|number|key|code|uuid|hash)?"
PEOPLE = "user|customer|visitor|member|client|person|reviewer|shopper|account|consumer|player|listener|buyer"
THINGS = (
    "item|product|movie|film|book|artist|track|song|video|article|content|game|news|anime|recipe|business|"
    "post|place|venue|restaurant|show|podcast|course|job|hotel"
)
NAMES: Mapping[ColumnRole, tuple[str, ...]] = {
    "user": (f"(?:{PEOPLE})s?{IDS}", "uid", f"session{IDS}"),
    "item": (f"(?:{THINGS})s?{IDS}", "iid|sku|asin|parentasin|isbn"),
    "time": ("timestamp|datetime|time|ts", ".*timestamp|.*datetime|unix.*", "date|day|when|.*(?:time|date)"),
    "value": (
        "ratings?|stars?|score|overall|bookrating|.*rating",
        "plays|playcount|listens|counts?|quantity|qty|clicks|views|weight|hours",
        "event|eventtype|action|interaction|interactiontype|(?:behavior|behaviour)(?:type)?|type",
        "value|label|liked?",
    ),
}
"""Patterns of the names of columns, without marks and capitals, those that say most first."""
MOMENT = re.compile(r"(?:.*[^a-z])?at|.*[a-z]At", re.DOTALL)
"""``ordered_at``, ``createdAt``."""

MOST_KINDS = 20
"""Different words of a column up to which they may be event types; different numbers that may be a scale."""
EPOCH = 100_000_000
"""Numbers from here on may be seconds since 1970."""


@dataclass(frozen=True)
class ColumnGuess:
    """Which column a role probably has.

    Attributes:
        column: its name, or its number.
        why: what speaks for it.
    """

    column: str
    why: str


@dataclass(frozen=True)
class ValueGuess:
    """What a column of values probably holds.

    Attributes:
        kind: of values.
        found: what was seen of them, in words.
        scale: lowest and highest rating; None for all but ratings.
        words: event types.
    """

    kind: ValueKind
    found: str
    scale: tuple[float, float] | None = None
    words: tuple[str, ...] = ()


def guess_roles(rows: FirstRows) -> dict[ColumnRole, ColumnGuess]:
    """Return which column is the user's, the item's and, if there are such, the value and the time.

    Raises:
        DataError: there are fewer than two columns.
    """
    columns = [str(name) for name in rows.frame.columns]
    if len(columns) < 2:
        raise DataError(
            f"has {len(columns)} column ({', '.join(columns) or 'none'}); a log needs a user and an item: "
            "give a table with one interaction a line"
        )
    found = dict(by_name(columns)) if rows.has_header else {}
    if "time" not in found:
        dated = [name for name in columns if name not in taken(found) and holds_moments(rows.frame[name])]
        if dated:
            found["time"] = ColumnGuess(dated[0], "holds moments")
    for role in ROLES[:2]:
        free = [name for name in columns if name not in taken(found)]
        if role not in found:
            if not free:
                del found["value" if "value" in found else "time"]
                free = [name for name in columns if name not in taken(found)]
            found[role] = ColumnGuess(free[0], "by its place alone")
    if "value" not in found:
        found |= value_by_its_numbers(rows, [name for name in columns if name not in taken(found)])
    return {role: found[role] for role in ROLES if role in found}


def value_by_its_numbers(rows: FirstRows, free: Sequence[str]) -> dict[ColumnRole, ColumnGuess]:
    """Return the column without a role that may be a value, if there is one such.

    Without a header line it is the first that may be; with one, under a name that says nothing, the only one.
    """
    if not rows.has_header:
        places = [name for name in free if is_value(rows.frame[name])]
        return {"value": ColumnGuess(places[0], "by its place and its numbers")} if places else {}
    few = [name for name in free if says_how_much(rows.frame[name], len(rows.frame))]
    why = "as the only other column of few numbers, or of yes and no"
    return {"value": ColumnGuess(few[0], why)} if len(few) == 1 else {}


def by_name(columns: Sequence[str]) -> Iterator[tuple[ColumnRole, ColumnGuess]]:
    """Yield the columns whose names say what they are."""
    used: set[str] = set()
    for role, patterns in NAMES.items():
        plain = {name: re.sub(r"[^a-z]", "", name.partition(":")[0].lower()) for name in columns}
        named = (name for pattern in patterns for name in columns if re.fullmatch(pattern, plain[name]))
        moments = (name for name in columns if role == "time" and MOMENT.fullmatch(name))
        column = next((name for name in (*named, *moments) if name not in used), None)
        if column is not None:
            used.add(column)
            yield role, ColumnGuess(column, "by its name")


def taken(found: Mapping[ColumnRole, ColumnGuess]) -> set[str]:
    """Return the columns that have a role."""
    return {guess.column for guess in found.values()}


def holds_moments(column: pd.Series) -> bool:
    """Return whether a column holds dates, or numbers as large as seconds since 1970 that differ much."""
    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(present.dtype):
        return True
    if pd.api.types.is_bool_dtype(present.dtype) or not len(present):
        return False
    if pd.api.types.is_numeric_dtype(present.dtype):
        return bool((present >= EPOCH).all() and present.nunique() > MOST_KINDS)
    return bool(present.head(100).astype("str").str.fullmatch(r"\d{4}-\d\d-\d\d(?:[T ].*)?").all())


def is_value(column: pd.Series) -> bool:
    """Return whether a column may hold ratings, counts or event types."""
    return pd.api.types.is_numeric_dtype(column.dtype) or column.nunique() <= MOST_KINDS


def says_how_much(column: pd.Series, rows: int) -> bool:
    """Return whether a column under an unknown name may say how much an item was liked.

    It holds yes and no, or few different numbers: an id, a price or a time has many.
    """
    present = column.dropna()
    kinds = present.nunique()
    if not 1 < kinds <= min(MOST_KINDS, max(2, rows // 5)):
        return False
    if pd.api.types.is_bool_dtype(present.dtype) or pd.api.types.is_numeric_dtype(present.dtype):
        return True
    return set(present.astype("str").str.strip().str.lower()) <= {"true", "false", "yes", "no"}


def guess_value(column: pd.Series, name: str) -> ValueGuess:
    """Return what a column of values holds."""
    present = column.dropna()
    if pd.api.types.is_bool_dtype(present.dtype) or not pd.api.types.is_numeric_dtype(present.dtype):
        return guess_words(present.astype("str").str.strip())
    low, high, kinds = float(present.min()), float(present.max()), present.nunique()
    found = f"{kinds} different numbers from {low:g} to {high:g}"
    if set(present.unique()) <= {0, 1}:
        return ValueGuess("yes and no", found)
    if low <= 0:
        return ValueGuess("unclear", f"{found}: what do those at or below 0 say?")
    is_named = re.search("rating|star|score|overall", name.lower()) is not None
    if high <= 10 and kinds <= MOST_KINDS and (is_named or high in {5, 10}):
        halves = bool((present % 1 != 0).any())
        return ValueGuess("ratings", found, (0.5 if halves and low < 1 else 1.0, 5.0 if high <= 5 else 10.0))
    return ValueGuess("counts", found)


def guess_words(column: pd.Series) -> ValueGuess:
    """Return what a column of words holds, those that occur most first."""
    words = column.value_counts()
    most = tuple(map(str, words.index[:MOST_KINDS]))
    if {word.lower() for word in most} <= {"true", "false"}:
        return ValueGuess("yes and no", "true and false")
    kind: ValueKind = "event types" if len(words) <= MOST_KINDS else "unclear"
    return ValueGuess(kind, f"{len(words)} different words", words=most)
