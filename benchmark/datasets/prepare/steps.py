"""The steps of preparation: each takes the rows of a log and returns those that stay, in their order."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import Log
from benchmark.datasets.moments import moment
from benchmark.datasets.specs import CONDITION, PrepareSpec, TimeWindow
from benchmark.errors import DataError

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}
LARGEST = float(np.finfo(np.float32).max)


def row_number(frame: pd.DataFrame, place: int) -> str:
    """Return the row's number in the log as read, counted from 1."""
    return f"row {int(cast('int', frame.index[place])) + 1}"


def without_missing(frame: pd.DataFrame, spec: PrepareSpec, name: str) -> pd.DataFrame:
    """Return rows without a gap: refused, dropped, or with values filled in."""
    if spec.missing not in {"refuse", "drop"}:
        frame = _filled(frame, spec.missing)
    gaps = [column for column in frame if frame[column].hasnans]
    if not gaps:
        return frame
    absent = frame[gaps].isna()
    lacking = absent.any(axis=1).to_numpy()
    if spec.missing != "drop":
        raise DataError(_gaps_message(frame, absent, lacking, name))
    if lacking.all():
        raise DataError(
            f"{name}: no rows left: every row lacks a value; correct the log, or name other columns"
        )
    return frame[~lacking]


def _filled(frame: pd.DataFrame, by: str | float) -> pd.DataFrame:
    """Return the rows with empty values filled by their mean or by a number."""
    if "value" not in frame or not frame["value"].hasnans:
        return frame
    fill = frame["value"].mean() if by == "mean" else by
    return frame.assign(value=frame["value"].fillna(fill))


def _gaps_message(frame: pd.DataFrame, absent: pd.DataFrame, lacking: NDArray[np.bool_], name: str) -> str:
    per_column = ", ".join(f"{column} {count}" for column, count in absent.sum().items() if count)
    fills = "; values alone can be filled with mean or a number" if "value" in absent else ""
    return (
        f"{name}: {int(lacking.sum())} rows lack a value ({per_column}), the first is "
        f"{row_number(frame, int(np.flatnonzero(lacking)[0]))}; every column must be filled: "
        f"correct the log, or set prepare.missing: drop{fills}"
    )


def within_time(frame: pd.DataFrame, window: TimeWindow, name: str) -> pd.DataFrame:
    """Return the rows from ``window.since`` on and before ``window.until``."""
    if "time" not in frame:
        raise DataError(
            f"{name}: prepare.time needs times, and the log has none; "
            "name the column with the key time, or leave prepare.time out"
        )
    times = frame["time"].to_numpy()
    inside = np.ones(len(times), dtype=np.bool_)
    if window.since is not None:
        inside &= times >= moment(window.since)
    if window.until is not None:
        inside &= times < moment(window.until)
    if not inside.any():
        raise DataError(
            f"{name}: no row is since {window.since} and until {window.until}: times "
            f"go from {times.min():.0f} to {times.max():.0f}, in seconds since 1970; change prepare.time"
        )
    return frame if inside.all() else frame[inside]


def on_scale(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Return rows whose values are finite and on the scale: others refused, dropped, or moved to its end."""
    if "value" not in frame:
        return frame
    values = frame["value"].to_numpy()
    low, high = log.scale or (-LARGEST, LARGEST)
    right = (values >= low) & (values <= high)
    if right.all():
        return frame
    if log.scale and spec.outside_scale == "clip":
        return frame.assign(value=np.clip(values, low, high))
    if log.scale and spec.outside_scale == "drop":
        return frame[right]
    wrong = np.flatnonzero(~right)
    limits = f"lie on the scale {low:g} to {high:g}" if log.scale else "be finite numbers"
    raise DataError(
        f"{log.name}: {row_number(frame, int(wrong[0]))} has the value {values[wrong[0]]:g} "
        f"({len(wrong)} such rows); all must {limits}: correct the log"
        + (", set another scale, or set prepare.outside_scale to drop or clip" if log.scale else "")
    )


def rescaled(frame: pd.DataFrame, to: tuple[float, float], log: Log) -> pd.DataFrame:
    """Return the rows with values mapped linearly from the log's scale to another."""
    if "value" not in frame or log.scale is None:
        raise DataError(
            f"{log.name}: prepare.rescale needs ratings on a known scale, and the log has none; "
            "give the data set's scale, or leave prepare.rescale out"
        )
    (low, high), (new_low, new_high) = log.scale, to
    share = (frame["value"] - low) / (high - low)
    return frame.assign(value=new_low + share * (new_high - new_low))


def without_duplicates(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Return one row for each user and item, in its own place; last and first go by time where known."""
    pairs = _pairs(frame)
    ascending = np.sort(pairs)
    if not (ascending[1:] == ascending[:-1]).any():
        return frame
    if spec.duplicates == "refuse":
        raise DataError(
            _duplicates_message(frame[pd.Series(pairs).duplicated(keep=False).to_numpy()], log.name)
        )
    if spec.duplicates == "sum" and log.scale:
        raise DataError(
            f"{log.name}: ratings on a scale cannot be added up; "
            "set prepare.duplicates to last, first or mean"
        )
    in_time = (
        np.argsort(frame["time"].to_numpy(), kind="stable") if "time" in frame else np.arange(len(frame))
    )
    keep: Literal["first", "last"] = "first" if spec.duplicates == "first" else "last"
    stays = np.sort(in_time[~pd.Series(pairs[in_time]).duplicated(keep=keep).to_numpy()])
    kept = frame.iloc[stays]
    if spec.duplicates in {"mean", "sum"}:
        # Without values each row counts one: the sum is how often the pair occurred.
        values = frame["value"].to_numpy() if "value" in frame else np.ones(len(frame))
        groups = pd.Series(values).groupby(pairs)
        merged = groups.mean() if spec.duplicates == "mean" else groups.sum()
        kept = kept.assign(value=merged.reindex(pairs[stays]).to_numpy())
    return kept


def _pairs(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Return one number for each pair of user and item, (N,)."""
    users, items = (pd.factorize(frame[side])[0] for side in ("user", "item"))
    return users.astype(np.int64) * (int(items.max()) + 1) + items


def _duplicates_message(doubled: pd.DataFrame, name: str) -> str:
    user, item = doubled["user"].iloc[0], doubled["item"].iloc[0]
    same = doubled[(doubled["user"] == user) & (doubled["item"] == item)]
    rows = ", ".join(row_number(same, place) for place in range(min(3, len(same))))
    pairs = len(doubled.drop_duplicates(["user", "item"]))
    return (
        f"{name}: {pairs} pairs of user and item stand in more than one row, such as user {user}, "
        f"item {item} ({rows}); every pair must occur once\n"
        "  Say what to do with prepare.duplicates: last (keep the latest), first, "
        "mean (of the values), sum (of the values; without values, how often)"
    )


def likes(frame: pd.DataFrame, condition: str | None, name: str) -> NDArray[np.bool_]:
    """Return which rows count as a like, (N,)."""
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
