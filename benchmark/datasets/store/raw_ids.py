"""The ids of a stored split as its publisher writes them, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.log import Side, as_compared
from benchmark.datasets.tables.identifiers import distinct_ids
from benchmark.errors import DataError
from benchmark.protocol import Array, Ids


def raw_ids(folder: Path, side: Side) -> Array:
    """Return the publisher's id of each dense one, (U,) or (I,): whole numbers, or text.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = folder / f"{side}s.parquet"
    try:
        return pd.read_parquet(path, columns=["id"])["id"].to_numpy()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged or missing ({error}); run the suite anew with --fresh") from error


def dense_ids(written: pd.Series, known: Array) -> Ids:
    """Return the dense id of each raw one, (N,), -1 for those that the split does not have.

    An id counts as written; one that the split does not have so, in the writing in which ids are compared.

    Args:
        written: (N,), none missing.
        known: raw id of each dense one.

    >>> dense_ids(pd.Series(["7", "07", " x "]), np.array(["07", "x", "7"], dtype=object)).tolist()
    [2, 0, 1]
    >>> dense_ids(pd.Series(["7", "07"]), np.array([7, 8])).tolist()
    [0, -1]
    """
    codes, distinct = distinct_ids(written)
    if known.dtype.kind == "i" and distinct.dtype.kind == "i":
        places: Ids = pd.Index(known).get_indexer(pd.Index(distinct))[codes].astype(np.int32)
        return places
    index, texts = pd.Index(known.astype(str)), distinct.astype(str)
    found = index.get_indexer(pd.Index(texts))
    missing = np.flatnonzero(found < 0)
    if len(missing):
        found[missing] = index.get_indexer(pd.Index([as_compared(text) for text in texts.iloc[missing]]))
    matched: Ids = found[codes].astype(np.int32)
    return matched
