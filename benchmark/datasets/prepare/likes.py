"""Which rows are likes, which are known dislikes, and how much each counts: labels, nothing is dropped."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import Log
from benchmark.datasets.prepare.steps import column, row_number
from benchmark.datasets.specs import CONDITION, NO_SCALE, Condition, PrepareSpec, written
from benchmark.datasets.tables.value_column import refuse_unknown_types
from benchmark.errors import DataError
from benchmark.protocol import Floats32

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True)
class RowLabels:
    """What the rows of a prepared log are to models and metrics.

    Attributes:
        positive: whether a row is a like, (N,).
        negative: whether it is a known dislike, (N,); empty where the suite names none.
        weights: confidence of each row, (N,); empty where the suite gives none.
        note: how it was decided.
    """

    positive: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    weights: Floats32
    note: str


def marked(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Return complete rows with plain numbers: what event types and booleans say is marked beforehand.

    Event types become columns ``liked`` and, if the suite names dislikes, ``disliked``, and their weights the
    values. Booleans become ones and zeros.

    Raises:
        DataError: the values are event types or booleans, and no key says which of them are likes; or a key
            does not fit the values.
    """
    if "event" in frame:
        return with_events_marked(frame, spec, log)
    if isinstance(spec.positive, tuple) or isinstance(spec.negative, tuple):
        key = "positive" if isinstance(spec.positive, tuple) else "negative"
        raise DataError(
            f"{log.name}: {key} lists event types, and the log has none; name their column with value, and "
            f"list them in the entry of the data set or in prepare ({log.provenance.origin})"
        )
    values = frame.get("value")
    if values is None:
        return frame
    if pd.api.types.is_bool_dtype(values.dtype):
        refuse_arithmetic(spec, log)
        if spec.positive is None:
            refuse_unexplained(frame, log, f"{len(frame)} rows of true and false", "true")
        return frame.assign(value=values.to_numpy(dtype=np.float64))
    for key, condition in (("positive", spec.positive), ("negative", spec.negative)):
        if isinstance(condition, bool) and not values.isin([0, 1]).all():
            raise DataError(
                f"{log.name}: {key} is {written(condition)}, which needs booleans, and values go from "
                f"{values.min():g} to {values.max():g}; give a comparison such as '>= 4'"
            )
    return frame


def require_explained(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> None:
    """Check that values at or below 0, as they were read, are not taken for likes in silence.

    Raises:
        DataError: there are some, no key says which rows are likes, and no scale explains them: one that
            starts above 0, or that has more than two different values on it.
    """
    if spec.positive is not None or "value" not in frame or "liked" in frame:
        return
    low = frame["value"] <= 0
    if not low.any() or (log.scale is not None and (log.scale[0] > 0 or frame["value"].nunique() > 2)):
        return
    found = f"{len(frame)} rows, {int(low.sum())} of them at or below 0"
    refuse_unexplained(frame[low.to_numpy()], log, found, '"> 0"')


def refuse_unexplained(frame: pd.DataFrame, log: Log, found: str, example: str) -> None:
    """Refuse a log whose values may mean likes or dislikes; the first row of the frame is named.

    Raises:
        DataError: always.
    """
    value = frame["value"].iloc[0]
    raise DataError(
        f"{log.name}: {log.provenance.origin}: {row_number(frame, 0)} has the value "
        f"{value if isinstance(value, bool | np.bool_) else f'{value:g}'}; {found}: say positive, which rows "
        f"are likes, such as positive: {example}"
        + (f"; the scale {log.scale[0]:g} to {log.scale[1]:g} alone does not say it" if log.scale else "")
    )


def refuse_arithmetic(spec: PrepareSpec, log: Log) -> None:
    """Check that booleans are neither added up nor averaged.

    Raises:
        DataError: they would be.
    """
    if spec.duplicates in {"mean", "sum"}:
        raise DataError(
            f"{log.name}: the values are booleans, and duplicates: {spec.duplicates} calculates with them; "
            "set prepare.duplicates to last or first"
        )


def with_events_marked(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> pd.DataFrame:
    """Return the rows of a log of event types, marked.

    Raises:
        DataError: no key lists the event types that are likes, or one is not in the log.
    """
    if log.scale:
        raise DataError(f"{log.name}: {NO_SCALE}")
    events, origin = frame["event"], log.provenance.origin
    kinds = list(events.cat.categories)
    masks: dict[str, NDArray[np.bool_]] = {}
    for key, condition in (("positive", spec.positive), ("negative", spec.negative)):
        if condition is None and key == "negative":
            continue
        if not isinstance(condition, tuple):
            raise DataError(
                f"{log.name}: {origin}: {len(frame)} rows of the event types {', '.join(kinds)}, "
                + (
                    f"and {key} is {written(condition)}: list"
                    if condition is not None
                    else f"say {key}: list"
                )
                + f" those that count, such as {key}: [{kinds[-1]}]"
            )
        refuse_unknown_types(condition, kinds, f"{log.name}: {key}")
        masks["liked" if key == "positive" else "disliked"] = events.isin(condition).to_numpy()
    if "weight" in frame:
        masks["value"] = frame["weight"].to_numpy()
    return frame.drop(columns="event").assign(**masks)


def labels(frame: pd.DataFrame, spec: PrepareSpec, log: Log) -> RowLabels:
    """Return what each row is, by the values after all other steps.

    Raises:
        DataError: a condition has no values to look at, or no row meets it; a row meets both; a like weighs
            nothing.
    """
    positive = meeting(frame, "positive", spec.positive, log)
    negative = np.empty(0, dtype=np.bool_)
    note = f"positive: {written(spec.positive)}"
    if spec.negative is not None:
        negative = meeting(frame, "negative", spec.negative, log)
        if spec.positive is None:
            positive = ~negative
            note = "positive: every row that is no known dislike"
        both = positive & negative
        if both.any():
            first = row_number(frame, int(np.flatnonzero(both)[0]))
            raise DataError(
                f"{log.name}: {int(both.sum())} rows are both positive ({written(spec.positive)}) and "
                f"negative ({written(spec.negative)}), the first is {first}; "
                "a row is one or the other: change a condition"
                + (", or set prepare.duplicates to last or first" if "liked" in frame else "")
            )
        note += f"; negative: {written(spec.negative)}, {int(negative.sum()):,} rows"
    weights = np.empty(0, dtype=np.float32)
    given = column(frame, "weight")
    if given is not None:
        weights = given.astype(np.float32)
        wrong = np.flatnonzero(~np.isfinite(weights) | (positive & ~(weights > 0)))
        if len(wrong):
            raise DataError(
                f"{log.name}: {row_number(frame, int(wrong[0]))} has the weight {given[wrong[0]]:g} "
                f"({len(wrong)} such rows); the weight of a like must be a number above 0: correct the log, "
                "or name another column with weight"
            )
        note += f"; weight: {log.weight}"
    return RowLabels(positive, negative, weights, f"{note}; drops nothing")


def meeting(frame: pd.DataFrame, key: str, condition: Condition | None, log: Log) -> NDArray[np.bool_]:
    """Return which rows meet the condition of a key, (N,); all where there is none."""
    marks = column(frame, "liked" if key == "positive" else "disliked")
    if marks is not None:
        met: NDArray[np.bool_] = marks.astype(np.bool_)
    elif condition is None:
        return np.ones(len(frame), dtype=np.bool_)
    else:
        values = column(frame, "value")
        if values is None:
            raise DataError(
                f"{log.name}: {key}: {condition!r} needs values, and the log has none; "
                f"name the column with the key value, or leave {key} out"
            )
        if isinstance(condition, bool):
            met = values == float(condition)
        else:
            match = CONDITION.match(str(condition))
            assert match, "PrepareSpec has checked the condition"
            met = COMPARE[match[1]](values, float(match[2]))
    if not met.any():
        values = column(frame, "value")
        found = "" if values is None else f" and values go from {values.min():g} to {values.max():g}"
        raise DataError(
            f"{log.name}: no row is {key}: the condition is {written(condition)!r}{found}; "
            "choose a condition within them"
        )
    return met
