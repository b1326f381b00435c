"""The steps of preparation: each takes the rows of a log and returns those that stay, in their order."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import pandas as pd

from benchmark.datasets.log import SIDES, Log
from benchmark.datasets.specs import PrepareSpec, TimeWindow
from benchmark.errors import DataError
from benchmark.protocol import Array, Longs

LARGEST = float(np.finfo(np.float32).max)


def column(frame: pd.DataFrame, name: str) -> Array | None:
    """Return a column of the log as an array (N,); None if the log does not have it."""
    return frame[name].to_numpy() if name in frame else None


def row_number(frame: pd.DataFrame, index: int) -> str:
    """Return the row's number in the log as read, counted from 1."""
    return f"row {int(cast('int', frame.index[index])) + 1}"


def without_missing(frame: pd.DataFrame, spec: PrepareSpec, name: str) -> pd.DataFrame:
    """Return the rows without missing entries: refused, dropped, or with values filled in."""
    values = frame.get("value")
    if spec.missing not in {"refuse", "drop"} and values is not None and values.hasnans:
        if pd.api.types.is_bool_dtype(values.dtype):
            raise DataError(
                f"{name}: {int(values.isna().sum())} rows lack a value, and booleans are not filled in with "
                f"{spec.missing}; set prepare.missing: drop"
            )
        frame = frame.assign(value=values.fillna(values.mean() if spec.missing == "mean" else spec.missing))
    incomplete = [name for name in frame if frame[name].hasnans]
    if not incomplete:
        return frame
    absent = frame[incomplete].isna()
    lacking = absent.any(axis=1).to_numpy()
    if spec.missing != "drop":
        per_column = ", ".join(f"{one} {count}" for one, count in absent.sum().items() if count)
        fills = "; values alone can be filled with mean or a number" if "value" in absent else ""
        raise DataError(
            f"{name}: {int(lacking.sum())} rows lack a value ({per_column}), the first is "
            f"{row_number(frame, int(np.flatnonzero(lacking)[0]))}; every column must be filled: "
            f"correct the log, or set prepare.missing: drop{fills}"
        )
    if lacking.all():
        raise DataError(
            f"{name}: no rows left: every row lacks a value; correct the log, or name other columns"
        )
    return frame[~lacking]


def within_time(frame: pd.DataFrame, window: TimeWindow, log: Log) -> pd.DataFrame:
    """Return the rows from ``window.since`` on and before ``window.until``."""
    clock, name = log.clock, log.name
    times = column(frame, "time")
    if times is None:
        raise DataError(
            f"{name}: prepare.time needs times, and the log has none; "
            "name the column with the key time, or leave prepare.time out"
        )
    inside = np.ones(len(times), dtype=np.bool_)
    try:
        if window.since is not None:
            inside &= times >= clock.moment(window.since)
        if window.until is not None:
            inside &= times < clock.moment(window.until)
    except DataError as error:
        raise DataError(f"{name}: prepare.time: {error}") from error
    if not inside.any():
        raise DataError(
            f"{name}: no row falls in the time window (since {window.since}, until {window.until}): times "
            f"go from {clock.written_out(int(times.min()))} to {clock.written_out(int(times.max()))}; change "
            "prepare.time"
        )
    return frame if inside.all() else frame[inside]


def on_scale(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Return rows whose values are finite and on the scale: others are refused, dropped, or clipped to it."""
    values = column(frame, "value")
    if values is None:
        return frame
    low, high = log.scale or (-LARGEST, LARGEST)
    inside = (values >= low) & (values <= high)
    if inside.all():
        return frame
    if log.scale and spec.outside_scale == "clip":
        return frame.assign(value=np.clip(values, low, high))
    if log.scale and spec.outside_scale == "drop":
        return frame[inside]
    wrong = np.flatnonzero(~inside)
    limits = f"lie on the scale {low:g} to {high:g}" if log.scale else "be finite numbers"
    raise DataError(
        f"{log.name}: {row_number(frame, int(wrong[0]))} has the value {values[wrong[0]]:g} "
        f"({len(wrong)} such rows); all values must {limits}: correct the log"
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


def pair_numbers(frame: pd.DataFrame) -> Longs:
    """Return one number for each pair of user and item, (N,)."""
    users, items = (pd.factorize(frame[side])[0] for side in SIDES)
    numbers: Longs = users.astype(np.int64) * (int(items.max()) + 1) + items
    return numbers


def repeats(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return how many rows repeat a pair of user and item, and how many of these its time too, in words."""
    pairs = pair_numbers(frame)
    again = len(pairs) - len(np.unique(pairs))
    if not again:
        return ("no pair of user and item occurs twice, so pairs: repeat changes no row",)
    found = [f"{again} of {len(pairs)} rows have a pair of user and item that another row has: all are kept"]
    times = column(frame, "time")
    if times is not None:
        order = np.lexsort((times, pairs))
        same = (np.diff(pairs[order]) == 0) & (np.diff(times[order]) == 0)
        if same.any():
            found.append(
                f"{int(same.sum())} rows equal another one in user, item and time: each counts as an event "
                "of its own; if they are copies, remove them from the log"
            )
    return tuple(found)


def without_duplicates(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Return one row for each user and item; "last" and "first" go by time if the log has times."""
    pairs = pair_numbers(frame)
    ascending = np.sort(pairs)
    if not (ascending[1:] == ascending[:-1]).any():
        return frame
    if spec.duplicates == "refuse":
        raise DataError(duplicates_message(frame, pairs, log.name))
    if spec.duplicates == "sum" and log.scale:
        raise DataError(
            f"{log.name}: ratings on a scale cannot be added up; "
            "set prepare.duplicates to last, first or mean"
        )
    times, values = column(frame, "time"), column(frame, "value")
    in_time = np.arange(len(frame)) if times is None else np.argsort(times, kind="stable")
    keep: Literal["first", "last"] = "first" if spec.duplicates == "first" else "last"
    stays = np.sort(in_time[~pd.Series(pairs[in_time]).duplicated(keep=keep).to_numpy()])
    kept = frame.iloc[stays]
    if spec.duplicates in {"mean", "sum"}:
        # Without values each row counts one: the sum is how often the pair occurred.
        merged = {"value": np.ones(len(frame)) if values is None else values}
        merged |= {name: frame[name].to_numpy() for name in ("weight", "liked", "disliked") if name in frame}
        for name, entries in merged.items():
            groups = pd.Series(entries).groupby(pairs)
            # A pair is liked if one of its events is a like.
            rule = "any" if entries.dtype == np.bool_ else spec.duplicates
            kept = kept.assign(**{name: groups.agg(rule).reindex(pairs[stays]).to_numpy()})
    return kept


def duplicates_message(frame: pd.DataFrame, pairs: Longs, name: str) -> str:
    """Return how many pairs occur more than once, an example, and the choices that the suite has."""
    repeated = pd.Series(pairs).duplicated(keep=False).to_numpy()
    first = pairs[repeated][0]
    same = frame[pairs == first]
    user, item = (same[side].iloc[0] for side in SIDES)
    rows = ", ".join(row_number(same, index) for index in range(min(3, len(same))))
    return (
        f"{name}: {len(np.unique(pairs[repeated]))} pairs of user and item occur in more than one row, such "
        f"as user {user}, item {item} ({rows}); every pair must occur once\n"
        "  Say what to do with prepare.duplicates: last (keep the latest), first, "
        "mean (of the values), sum (of the values; without values, how often)\n"
        "  If users come back to items (groceries, music, news): pairs: repeat keeps every row, seen: allow "
        "recommends them again"
    )
