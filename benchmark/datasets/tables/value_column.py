"""What the value column of a log holds: numbers, booleans or event types; and what a row weighs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from benchmark.datasets.log import Say
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.identifiers import distinct_ids
from benchmark.datasets.tables.parse import Notation, numbers, words
from benchmark.datasets.tables.table_file import Location
from benchmark.datasets.tables.text_format import MISSING
from benchmark.errors import DataError, did_you_mean

TRUE = frozenset({"true", "t", "yes", "y", "on"})
FALSE = frozenset({"false", "f", "no", "n", "off"})
"""Words for true and false, in any case."""

MOST_EVENT_TYPES = 50
"""More distinct words than that are no event types, rather titles or comments in a wrong column."""

LIKE_A_NUMBER = re.compile(r"[-+]?[.,]?\d")


def with_feedback(frame: pd.DataFrame, location: Location, spec: LogSpec, say: Say) -> pd.DataFrame:
    """Return the rows of one file with values and weights read as the spec says.

    ``value`` becomes float64, or the nullable type boolean where the column holds true and false. Event types
    stand in the column ``event`` instead, as categories of text. A column of weights becomes ``weight``.

    Raises:
        DataError: a value is neither; the column holds words and no key says which of them are likes.
    """
    notation = Notation.of(spec)
    missing = frozenset([*MISSING, *spec.missing_values])
    if spec.value:
        column = frame["value"]
        if spec.has_event_types:
            frame = frame.drop(columns="value").assign(event=event_types(column, spec.value, missing, say))
        elif (truths := booleans(column, missing, zero_and_one=declares_booleans(spec))) is not None:
            frame = frame.assign(value=truths)
        else:
            refuse_words(column, location, spec.value, missing)
            frame = frame.assign(value=numbers(column, location, spec.value, notation))
    if isinstance(spec.weight, str):
        if spec.weight != spec.value:
            column = frame["weight"]
        elif "value" not in frame or pd.api.types.is_bool_dtype(frame["value"].dtype):
            raise DataError(
                f"{location.path}: column {spec.value!r} contains booleans or event types, which weigh "
                "nothing by themselves; name a column of numbers with weight, or give "
                "a number for each event type: {view: 1, buy: 5}"
            )
        if pd.api.types.is_bool_dtype(column.dtype):
            raise DataError(
                f"{location.row(0)}: column {spec.weight!r} contains booleans; a weight must be a number"
            )
        frame = frame.assign(weight=numbers(column, location, spec.weight, notation))
    return frame


def refuse_booleans(times: pd.Series, location: Location, name: str) -> None:
    """Check that a column of times does not hold true and false.

    Raises:
        DataError: it does.
    """
    if pd.api.types.is_bool_dtype(times.dtype):
        raise DataError(
            f"{location.row(0)}: column {name!r} contains booleans, which are no times; it must contain "
            "numbers, text or dates: name another column with time"
        )


def declares_booleans(spec: LogSpec) -> bool:
    """Return whether a condition of the spec is true or false."""
    return isinstance(spec.positive, bool) or isinstance(spec.negative, bool)


def booleans(
    column: pd.Series, missing: frozenset[str] = frozenset(MISSING), *, zero_and_one: bool
) -> pd.Series | None:
    """Return the column as the nullable type boolean; None if it holds something else.

    Args:
        column: as the file has it.
        missing: words for a missing entry.
        zero_and_one: the suite says that these are booleans: take 0 and 1, t and f, yes and no as such.

    >>> booleans(pd.Series([True, None, False], dtype=object), zero_and_one=False).tolist()
    [True, <NA>, False]
    >>> booleans(pd.Series(["t", "F", ""]), zero_and_one=True).tolist()
    [True, False, <NA>]
    >>> booleans(pd.Series([1.0, 0.0]), zero_and_one=False) is None
    True
    """
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype("boolean")
    if pd.api.types.is_numeric_dtype(column.dtype):
        present = column.dropna()
        return column.astype("boolean") if zero_and_one and present.isin([0, 1]).all() else None
    codes, distinct = distinct_ids(column)
    if len(distinct) > len(missing) + len(TRUE) + len(FALSE) + 2 or not len(distinct):
        return None
    truths = {word: truth_of(word, zero_and_one=zero_and_one) for word in distinct}
    if not all(isinstance(word, bool) or word in missing or truths[word] is not None for word in distinct):
        return None
    if all(truth is None for truth in truths.values()):
        return None
    known = pd.array([truths[word] for word in distinct] + [None], dtype="boolean")
    return pd.Series(known.take(codes), index=column.index)  # code -1 is the None at the end


def truth_of(word: object, *, zero_and_one: bool) -> bool | None:
    """Return what a word says: true and false always, other words and 0 and 1 where told to; else None."""
    text = str(word).strip().lower()
    if text in {"true", "false"}:
        return text == "true"
    if not zero_and_one:
        return None
    return True if text in TRUE | {"1"} else False if text in FALSE | {"0"} else None


def event_types(column: pd.Series, name: str, missing: frozenset[str], say: Say) -> pd.Series:
    """Return event types as categories of text, blanks around them trimmed, missing where empty."""
    codes, distinct = distinct_ids(column)
    written = words(distinct)
    trimmed = written.str.strip()
    if padded := int((trimmed != written).sum()):
        say(f"column {name!r}: trimmed blanks of {padded} event types")
    new_codes, types = pd.factorize(trimmed.where(~trimmed.isin(list(missing))), sort=True)
    by_row = np.append(new_codes, -1)[codes]  # code -1 is the -1 at the end
    return pd.Series(pd.Categorical.from_codes(by_row, categories=types), index=column.index)


def refuse_words(column: pd.Series, location: Location, name: str, missing: frozenset[str]) -> None:
    """Check that a column that no key explains holds numbers rather than words.

    Raises:
        DataError: it holds a few words, none of which looks like a number; the message proposes the key.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return
    counts = column[~column.isin(list(missing))].value_counts()
    if (
        counts.empty
        or len(counts) > MOST_EVENT_TYPES
        or any(map(LIKE_A_NUMBER.match, map(str, counts.index)))
    ):
        return
    first = int(np.flatnonzero((column.notna() & ~column.isin(list(missing))).to_numpy())[0])
    few = ", ".join(f"{word} ({count})" for word, count in counts.head(5).items())
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    where = f"{location.row(first)}: column {name!r}"
    if all(truth_of(word, zero_and_one=True) is not None for word in counts.index):
        raise DataError(
            f"{where} contains {few} instead of numbers; if these are yes and no, say which rows are likes: "
            "positive: true"
        )
    raise DataError(
        f"{where} contains words instead of numbers: {few}{more}; if these are event types, say which are "
        f"likes: positive: [{counts.index[-1]}]; if they stand for a missing value, missing_values: "
        f"[{counts.index[0]}]; if they say nothing of likes, leave value out"
    )


def with_event_weights(frame: pd.DataFrame, spec: LogSpec, path: Path) -> pd.DataFrame:
    """Return a whole log with the weight of each row's event type; 1 for a type that none is given for.

    Raises:
        DataError: a condition or ``weight`` names an event type that the log does not have, or a type that
            counts as a like has no weight.
    """
    if "event" not in frame:
        return frame
    types = list(frame["event"].cat.categories)
    weights = spec.weight if isinstance(spec.weight, dict) else {}
    conditions = {"positive": spec.positive, "negative": spec.negative}
    named = {key: found for key, found in conditions.items() if isinstance(found, tuple)}
    for key, found in {**named, "weight": tuple(weights)}.items():
        refuse_unknown_types(found, types, f"{path}: {key}")
    unweighted = [kind for kind in named.get("positive", ()) if kind not in weights]
    if weights and unweighted:
        raise DataError(
            f"{path}: weight gives no number for {unweighted[0]!r}, which positive lists; give one for each "
            f"event type that is a like, such as {{{unweighted[0]}: 1}}"
        )
    if not weights:
        return frame
    of_types = np.array([weights.get(kind, 1.0) for kind in types] + [np.nan])  # code -1: missing
    return frame.assign(weight=of_types[frame["event"].cat.codes])


def refuse_unknown_types(named: tuple[str, ...], types: list[str], where: str) -> None:
    """Check that the log has every event type that a key names.

    Raises:
        DataError: it lacks one; the message names the one that may be meant.
    """
    for kind in named:
        if kind not in types:
            shown = ", ".join(types[:10]) + (f" and {len(types) - 10} more" if len(types) > 10 else "")
            raise DataError(
                f"{where} names the event type {kind!r}{did_you_mean(kind, types)}; the log has {shown}"
            )


def values_below_each_other(parts: list[pd.DataFrame], column: str) -> pd.Series:
    """Return event types, or values, of several files as one column.

    Raises:
        DataError: one file has booleans and another numbers.
    """
    columns = [part[column] for part in parts]
    if column == "event":
        return pd.Series(union_categoricals([one.array for one in columns], sort_categories=True))
    if len({pd.api.types.is_bool_dtype(one.dtype) for one in columns}) > 1:
        raise DataError(
            "the value column has booleans in one part of the split and numbers in another; write them alike"
        )
    return pd.concat(columns, ignore_index=True)
