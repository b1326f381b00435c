"""Ids of users and items: whole numbers or text, compared as people mean them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmark.datasets.log import BLANKS, Say, as_compared, silent
from benchmark.datasets.tables.parse import Notation
from benchmark.errors import DataError
from benchmark.protocol import Array, Ids, Longs

Where: TypeAlias = Callable[[int], str]
"""Takes the index of a row; returns file, line and column for a message."""

WHOLE = r"-?(?:0|[1-9][0-9]{0,17})"
WHOLE_FLOAT = r"(-?(?:0|[1-9][0-9]{0,17}))\.0*"
DECIMAL = r"-?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?"
ROUNDED = r"-?[0-9](?:\.[0-9]+)?[eE]\+[0-9]+"
"""As a spreadsheet shows a long number, 1.23457E+18: its other digits are lost."""
NUMERAL = r"-?[0-9]+(?:\.[0-9]*)?"
DIGIT = re.compile(r"\d")
YAML_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
LARGEST = np.iinfo(np.int64).max
EXACT_FLOATS = {"float16": 2**11, "float32": 2**24, "float64": 2**53}
"""From which number on floats of a kind cannot be told from their neighbours."""


def plain_ids(
    column: pd.Series, where: Where, notation: Notation | None = None, say: Say = silent
) -> pd.Series:
    """Return ids as int64 if all are whole numbers in plain writing, else as text.

    "007" and "7" are different ids, so a column with such a number stays text. Blanks around an id are
    trimmed, two ways to encode one letter are one, and 5863.0 is 5863 where all ids are written so; each is
    said. Missing ids stay missing. Works on the distinct ids, of which there are few.

    Args:
        column: ids as written, or as a Parquet file has them.
        where: file, line and column of a row, for messages.
        notation: which ids stand for none, and whether whatever is written is kept.
        say: takes what was made of the ids that the file does not say.

    Raises:
        DataError: an id is a number with a fraction, or a float too large to be told from its neighbours;
            or, unless ids are kept as written, some ids are whole numbers and others words without a digit
            or numbers in another writing.
    """
    notation = notation or Notation()
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind):
        raise DataError(f"{where(0)} contains booleans; it must contain numbers, text or dates")
    whole = pd.api.types.is_integer_dtype(kind) and not column.hasnans
    if whole and not (notation.missing or notation.as_text) and column.max() <= LARGEST:
        return column.astype("int64")
    codes, ids = distinct_ids(column)
    if pd.api.types.is_float_dtype(ids.dtype):
        narrow = kind if pd.api.types.is_float_dtype(kind) else ids.dtype
        ids = from_floats(ids, codes, where, EXACT_FLOATS[narrow.name.lower()])
        if not notation.as_text and len(ids):
            say(f"{where(0)} has whole numbers written as floats, {ids.iloc[0]}.0; read as {ids.iloc[0]}")
    if pd.api.types.is_integer_dtype(ids.dtype):
        codes, ids = without_absent(codes, ids, ids.astype("str").isin(notation.missing))
        if len(ids) and ids.max() > LARGEST and not notation.as_text:
            say(f"{where(0)} has whole numbers above 2^63, such as {ids.max()}; kept as text, digit by digit")
        exact = notation.as_text or (len(ids) and ids.max() > LARGEST)
        ids = ids.astype("str" if exact else "int64")
    else:
        codes, ids = from_text(codes, ids.astype("str"), where, notation, say)
    if (codes >= 0).all():
        return ids.take(codes).set_axis(column.index)
    nullable = ids.astype("Int64") if ids.dtype.kind == "i" else ids
    return nullable.reindex(codes).set_axis(column.index)


def distinct_ids(column: pd.Series) -> tuple[Longs, pd.Series]:
    """Return codes (N,), -1 where missing, and the distinct ids that they stand for."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64), pd.Series(column.cat.categories)
    codes, distinct = pd.factorize(column)
    return codes, pd.Series(distinct)


def without_absent(codes: Longs, ids: pd.Series, absent: pd.Series) -> tuple[Longs, pd.Series]:
    """Return codes and distinct ids without those that stand for none; their rows have the code -1."""
    if not absent.any():
        return codes, ids
    stays = ~absent.to_numpy(dtype=np.bool_)
    renumbered = np.where(stays, np.cumsum(stays) - 1, -1)
    return np.append(renumbered, -1)[codes], ids[stays].reset_index(drop=True)


def from_floats(ids: pd.Series, codes: Longs, where: Where, limit: int) -> pd.Series:
    """Return distinct floats below ``limit`` as int64.

    Raises:
        DataError: one has a fraction, or is so large that its neighbours are the same float.
    """
    fractions = ~(np.isfinite(ids) & (ids == ids.round())).astype("bool")
    if fractions.any():
        raise DataError(
            f"{where(first_row(fractions, codes))} has fractions; an id must be a whole number or text"
        )
    merged = (ids.abs() >= limit).astype("bool")
    if merged.any():
        raise DataError(
            f"{where(first_row(merged, codes))} has {ids[merged].iloc[0]:.0f} as a float; from {limit} on "
            "several whole numbers are one float, so different ids may have become the same: write the "
            "column again from its source, as whole numbers or as text"
        )
    return ids.astype("int64")


def from_text(
    codes: Longs, ids: pd.Series, where: Where, notation: Notation, say: Say
) -> tuple[Longs, pd.Series]:
    """Return codes and distinct ids of text: as they are compared, or as written where the suite says so.

    Raises:
        DataError: see :func:`plain_ids`.
    """
    trimmed = ids.str.strip().str.strip(BLANKS).str.strip()
    absent = (trimmed == "") | trimmed.isin(notation.missing) | ids.isin(notation.missing)
    if notation.as_text:
        return without_absent(codes, ids, absent.astype("bool"))
    padded = (trimmed != ids) & (trimmed != "")
    if padded.any() and (rows := rows_of(padded, codes)):
        say(f"{where(first_row(padded, codes))} has {ids[padded].iloc[0]!r}: trimmed blanks of {rows} ids")
    composed = trimmed.str.normalize("NFC") if not trimmed.str.isascii().all() else trimmed
    other = composed != trimmed
    if other.any() and (rows := rows_of(other, codes)):
        say(
            f"{where(first_row(other, codes))} has {trimmed[other].iloc[0]!r} with accents as characters of "
            f"their own: composed them in {rows} ids (Unicode NFC)"
        )
    codes, ids = without_absent(codes, composed, absent.astype("bool"))
    return codes, plain_numbers(ids, codes, where, say)


def rows_of(some: pd.Series, codes: Longs) -> int:
    """Return how many rows have one of some distinct ids."""
    return int(np.append(some.to_numpy(dtype=np.bool_), False)[codes].sum())


def first_row(wrong: pd.Series, codes: Longs) -> int:
    """Return the index of the first row with one of the wrong ids, 0 if there is none."""
    return int(np.append(wrong.to_numpy(dtype=np.bool_), False)[codes].argmax())


def plain_numbers(ids: pd.Series, codes: Longs, where: Where, say: Say) -> pd.Series:
    """Return ids as int64 if all are whole numbers in plain writing, else as they are.

    Raises:
        DataError: whole numbers are mixed with words without a digit or with decimal numbers, or a
            spreadsheet has rounded them.
    """
    whole = ids.str.fullmatch(WHOLE).astype("bool")
    if whole.all():
        return ids.astype("int64") if len(ids) else ids
    rounded = ids.str.fullmatch(ROUNDED).astype("bool")
    if rounded.any() and (rounded | ids.str.fullmatch(NUMERAL).astype("bool")).all():
        raise DataError(
            f"{where(first_row(rounded, codes))} has {ids[rounded].iloc[0]!r}, a long number that a "
            "spreadsheet has rounded, so different ids may have become the same: write the column again "
            "from its source, or set ids: text to keep them as written"
        )
    if ids.str.fullmatch(WHOLE_FLOAT).astype("bool").all():
        numbers = ids.str.replace(r"\.0*$", "", regex=True).astype("int64")
        from_floats(numbers.astype("float64"), codes, where, EXACT_FLOATS["float64"])
        say(f"{where(0)} has whole numbers written as floats, {ids.iloc[0]}; read as {numbers.iloc[0]}")
        return numbers
    slip = ~whole & (~ids.str.contains(r"\d").astype("bool") | ids.str.fullmatch(DECIMAL).astype("bool"))
    if whole.any() and slip.any():
        wrong = ids[slip].iloc[0]
        raise DataError(
            f"{where(first_row(slip, codes))} has {wrong!r} where other ids are whole numbers, such as "
            f"{ids[whole].iloc[0]}; all must be of one kind: correct it, or set ids: text to keep them as "
            "written"
            + ("" if DIGIT.search(wrong) else f", or missing_values: [{quoted(wrong)}] if it stands for none")
        )
    return ids


def quoted(word: str) -> str:
    """Return a word as YAML needs it in a list.

    >>> quoted("None"), quoted("-1"), quoted("n/a: x")
    ('None', '"-1"', '"n/a: x"')
    """
    return word if word.isalpha() and word.lower() not in YAML_WORDS else json.dumps(word, ensure_ascii=False)


def codes_among(written: pd.Series, known: Array) -> Ids:
    """Return which of the known ids each one is, (N,), -1 for those that are not known.

    An id counts as written; one that is not known so, in the writing in which ids are compared.

    Args:
        written: (N,); one that is missing is not known.
        known: distinct ids.

    >>> codes_among(pd.Series(["7", "07", " x "]), np.array(["07", "x", "7"], dtype=object)).tolist()
    [2, 0, 1]
    >>> codes_among(pd.Series(["7", "07"]), np.array([7, 8])).tolist()
    [0, -1]
    """
    codes, distinct = distinct_ids(written)
    if known.dtype.kind == "i" and distinct.dtype.kind == "i":
        found = pd.Index(known).get_indexer(pd.Index(distinct))
        return np.append(found, -1)[codes].astype(np.int32)
    index, texts = pd.Index(known.astype(str)), distinct.astype(str)
    found = index.get_indexer(pd.Index(texts))
    missing = np.flatnonzero(found < 0)
    if len(missing):
        found[missing] = index.get_indexer(pd.Index([as_compared(text) for text in texts.iloc[missing]]))
    return np.append(found, -1)[codes].astype(np.int32)
