"""From a log to dense arrays: missing values, duplicates, rating range and likes, every step counted."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import Log, hash_arrays
from benchmark.datasets.specs import CONDITION, PrepareSpec
from benchmark.errors import DataError
from benchmark.protocol import Array, Interactions

Count: TypeAlias = dict[str, int | str]

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Prepared:
    """A log in dense ids, with the way back and the story of how it came about.

    Attributes:
        name: name of the log.
        interactions: all rows, in the order of the log.
        user_ids: the publisher's id of each user, (U,), ascending.
        item_ids: the publisher's id of each item, (I,), ascending.
        titles: title of each item, its id where it has none; None if no titles are known.
        genres: genres of each item joined by |, "" where it has none; None if no genres are known.
        parts: 0, 1, 2 (train, valid, test) of each row, (N,), where the log came in split files.
        counts: one entry a step: step, rows, users, items, note.
        positive: the condition for a like; None if every row is one.
        has_values: whether the log has a value column.
        scale: lowest and highest rating allowed; None where values are no ratings.
        licence: terms of use in a few words.
        origin: path or address it came from, or "generated".
        synthetic: whether it was generated.
        source_sha256: content hash of what was read.
        sha256: content hash of the arrays and ids.
    """

    name: str
    interactions: Interactions
    user_ids: Array
    item_ids: Array
    titles: list[str] | None
    genres: list[str] | None
    parts: NDArray[np.int8] | None
    counts: list[Count]
    positive: str | None
    has_values: bool
    scale: tuple[float, float] | None
    licence: str
    origin: str
    synthetic: bool
    source_sha256: str
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Hash the content."""
        rows = self.interactions
        named: list[tuple[str, Array]] = [
            ("users", rows.users),
            ("items", rows.items),
            ("values", rows.values),  # noqa: PD011 (our own column, no DataFrame)
            ("times", rows.times),
            ("positive", rows.positive),
            ("scale", np.array(rows.scale or (), dtype=np.float64)),
            ("user_ids", self.user_ids),
            ("item_ids", self.item_ids),
        ]
        object.__setattr__(self, "sha256", hash_arrays(named))


def prepare(log: Log, spec: PrepareSpec | None = None) -> Prepared:
    """Return the log in dense ids, 0..U-1 and 0..I-1 in ascending order of the publisher's ids.

    Rows keep the order of the log; nothing but missing values and duplicates is ever dropped.

    Raises:
        DataError: values are missing or doubled and the spec does not say what to do; a rating is
            outside the scale; the condition for a like fits no row; one user or one item is left.
    """
    spec = spec or PrepareSpec()
    frame, counts = log.frame.reset_index(drop=True), []
    if frame.empty:
        raise DataError(f"{log.name}: the log is empty; it must hold one row per interaction")
    counts.append(_count("read", frame))
    frame = _without_missing(frame, spec, log.name)
    counts.append(_count("missing values", frame, f"rows with one: {spec.missing}"))
    _check_values(frame, log)
    frame = _without_duplicates(frame, spec, log)
    counts.append(_count("duplicate pairs", frame, spec.duplicates))
    for side in ("user", "item"):
        _check_variety(frame[side], side, log.name)
    positive = _positive(frame, spec.positive, log.name)
    counts.append(
        _count("likes", frame[positive], f"positive: {spec.positive or 'every row'}; drops nothing")
    )
    return _coded(log, spec, frame, positive, counts)


def _count(step: str, frame: pd.DataFrame, note: str = "") -> Count:
    return {
        "step": step,
        "rows": len(frame),
        "users": int(frame["user"].nunique()),
        "items": int(frame["item"].nunique()),
        "note": note,
    }


def _row(frame: pd.DataFrame, place: int) -> str:
    """Return the row's number in the log as read, counted from 1."""
    return f"row {int(cast('int', frame.index[place])) + 1}"


def _without_missing(frame: pd.DataFrame, spec: PrepareSpec, name: str) -> pd.DataFrame:
    absent = frame.isna()
    lacking = absent.any(axis=1).to_numpy()
    if not lacking.any():
        return frame
    if spec.missing == "refuse":
        per_column = ", ".join(f"{column} {count}" for column, count in absent.sum().items() if count)
        raise DataError(
            f"{name}: {int(lacking.sum())} rows lack a value ({per_column}), the first is "
            f"{_row(frame, int(np.flatnonzero(lacking)[0]))}; every column must be filled: "
            "correct the log, or set prepare.missing: drop"
        )
    if lacking.all():
        raise DataError(
            f"{name}: no rows left: every row lacks a value; correct the log, or name other columns"
        )
    return frame[~lacking]


def _check_values(frame: pd.DataFrame, log: Log) -> None:
    """Refuse values that are not finite or not on the scale."""
    if "value" not in frame:
        return
    values = frame["value"].to_numpy()
    low, high = log.scale or (-np.finfo(np.float32).max, np.finfo(np.float32).max)
    wrong = np.flatnonzero(~((values >= low) & (values <= high)))
    if len(wrong):
        limits = f"lie on the scale {low:g} to {high:g}" if log.scale else "be finite numbers"
        raise DataError(
            f"{log.name}: {_row(frame, int(wrong[0]))} has the value {values[wrong[0]]:g} "
            f"({len(wrong)} such rows); all must {limits}: correct the log"
            + (", or set another scale" if log.scale else "")
        )


def _without_duplicates(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Leave one row for each user and item, in its own place; last and first go by time where known."""
    doubled = frame.duplicated(["user", "item"], keep=False)
    if not doubled.any():
        return frame
    if spec.duplicates == "refuse":
        raise DataError(_duplicates_message(frame[doubled], log.name))
    if spec.duplicates == "sum" and log.scale:
        raise DataError(
            f"{log.name}: ratings on a scale cannot be added up; "
            "set prepare.duplicates to last, first or mean"
        )
    pair = ["user", "item"]
    in_time = frame.sort_values("time", kind="stable") if "time" in frame else frame
    kept = in_time.drop_duplicates(pair, keep="first" if spec.duplicates == "first" else "last")
    if spec.duplicates in {"mean", "sum"}:
        # Without values each row counts one: the sum is how often the pair occurred.
        values = frame.get("value", pd.Series(1.0, index=frame.index))
        groups = values.groupby([frame[side] for side in pair])
        merged = groups.mean() if spec.duplicates == "mean" else groups.sum()
        kept = kept.assign(value=merged.reindex(pd.MultiIndex.from_frame(kept[pair])).to_numpy())
    return kept.sort_index()


def _duplicates_message(doubled: pd.DataFrame, name: str) -> str:
    user, item = doubled["user"].iloc[0], doubled["item"].iloc[0]
    same = doubled[(doubled["user"] == user) & (doubled["item"] == item)]
    rows = ", ".join(_row(same, place) for place in range(min(3, len(same))))
    pairs = len(doubled.drop_duplicates(["user", "item"]))
    return (
        f"{name}: {pairs} pairs of user and item stand in more than one row, such as user {user}, "
        f"item {item} ({rows}); every pair must occur once\n"
        "  Say what to do with prepare.duplicates: last (keep the latest), first, "
        "mean (of the values), sum (of the values; without values, how often)"
    )


def _check_variety(ids: pd.Series, side: str, name: str) -> None:
    if ids.nunique() < 2:
        raise DataError(
            f"{name}: there is one {side} only ({ids.iloc[0]}); there must be at least two: "
            f"check that the key {side} names the column with the {side}s"
        )


def _positive(frame: pd.DataFrame, condition: str | None, name: str) -> NDArray[np.bool_]:
    """Return which rows are likes, (N,)."""
    if condition is None:
        return np.ones(len(frame), dtype=np.bool_)
    if "value" not in frame:
        raise DataError(
            f"{name}: positive: {condition!r} needs values, and the log has none; "
            "name the column with the key value, or leave positive out"
        )
    match = CONDITION.match(condition)
    assert match, "PrepareSpec has checked the condition"
    values = frame["value"].to_numpy()
    positive: NDArray[np.bool_] = COMPARE[match[1]](values, float(match[2]))
    if not positive.any():
        raise DataError(
            f"{name}: no row counts as a like: positive is {condition!r} and values go from "
            f"{values.min():g} to {values.max():g}; choose a condition within them"
        )
    return positive


def _coded(
    log: Log, spec: PrepareSpec, frame: pd.DataFrame, positive: NDArray[np.bool_], counts: list[Count]
) -> Prepared:
    users, user_ids = _codes(frame["user"])
    items, item_ids = _codes(frame["item"])
    has_values = "value" in frame
    interactions = Interactions(
        users=users,
        items=items,
        values=(frame["value"].to_numpy() if has_values else np.ones(len(frame))).astype(np.float32),
        times=np.floor(frame["time"].to_numpy()).astype(np.int64)
        if "time" in frame
        else np.empty(0, np.int64),
        positive=positive,
        n_users=len(user_ids),
        n_items=len(item_ids),
        scale=log.scale if has_values else None,
    )
    titles = _about_items(log, item_ids, "title")
    return Prepared(
        name=log.name,
        interactions=interactions,
        user_ids=user_ids,
        item_ids=item_ids,
        titles=[title or str(one) for title, one in zip(titles, item_ids, strict=True)] if titles else None,
        genres=_about_items(log, item_ids, "genres"),
        parts=frame["part"].to_numpy().astype(np.int8) if "part" in frame else None,
        counts=counts,
        positive=spec.positive,
        has_values=has_values,
        scale=interactions.scale,
        licence=log.licence,
        origin=log.origin,
        synthetic=log.synthetic,
        source_sha256=log.sha256,
    )


def _codes(ids: pd.Series) -> tuple[NDArray[np.int32], Array]:
    """Return dense codes (N,) and the ids they stand for, ascending: numbers as numbers, text as text."""
    codes, distinct = pd.factorize(ids, sort=True)
    whole = pd.api.types.is_integer_dtype(distinct.dtype)
    return codes.astype(np.int32), np.asarray(distinct, dtype=np.int64 if whole else np.str_)


def _about_items(log: Log, item_ids: Array, column: str) -> list[str] | None:
    """Return a column of the item table in the order of the dense ids, "" where an item is not in it."""
    if log.items is None or column not in log.items:
        return None
    table = dict(zip(log.items["item"].astype("str"), log.items[column], strict=True))
    found = [str(table.get(str(one), "")) for one in item_ids]
    if column == "title" and not any(found):
        raise DataError(
            f"{log.name}: no item of the log is in the table of titles: the log has items such as "
            f"{item_ids[0]}, the table {log.items['item'].iloc[0]}; check the key item of titles"
        )
    return found
