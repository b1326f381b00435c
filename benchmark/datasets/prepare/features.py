"""Tables of users and items as sparse features and texts, in the order of the dense ids.

A category or a value of a list is one feature, 1 where it applies. A number is one feature, standardised to
mean 0 and standard deviation 1 over the rows that have it, so that no entry means the mean. A value that
one row alone has is left out, and so are all but the most frequent values of a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_MARK, Log, Roles, hash_arrays
from benchmark.errors import DataError
from benchmark.protocol import Array, Features

if TYPE_CHECKING:
    from scipy.sparse import coo_matrix

FEWEST_ROWS = 2  # a value of one row alone says no more than its id
MOST_VALUES = 1000
"""Values of one column that become features, the most frequent first: free tags have tens of thousands."""


def banded(numbers: pd.Series, limits: Sequence[float]) -> pd.Series:
    """Return the band of each number as text, "" where missing; a band starts at its limit.

    >>> banded(pd.Series([17, 18, 24, 25, None]), (18, 25)).tolist()
    ['under 18', '18-24', '18-24', '25+', '']
    >>> banded(pd.Series([0.5, 0.1]), (0.25,)).tolist()
    ['0.25+', 'under 0.25']
    """
    whole = all(float(limit).is_integer() for limit in limits) and (numbers.dropna() % 1 == 0).all()
    inner = [f"{low:g}-{high - 1:g}" if whole else f"{low:g}-{high:g}" for low, high in pairwise(limits)]
    names = np.array([f"under {limits[0]:g}", *inner, f"{limits[-1]:g}+"], dtype=object)
    bands = pd.Series(names[np.searchsorted(limits, numbers.to_numpy(), side="right")])
    return bands.where(numbers.notna().to_numpy(), "").set_axis(numbers.index).astype("str")


def aligned(log: Log, side: str, ids: Array) -> pd.DataFrame | None:
    """Return the log's table of users or items in the order of ``ids``; None where it has none.

    Ids match whether they are numbers or text. A row without a line in the table has "" for words and nan
    for numbers.

    Raises:
        DataError: no id of the log is in the table.
    """
    table = log.users if side == "user" else log.items
    if table is None:
        return None
    places = pd.Index(table[side].astype("str")).get_indexer(pd.Index(ids.astype(np.str_)))
    if (places < 0).all():
        kind = "titles" if "title" in table else f"{side}s"
        raise DataError(
            f"{log.name}: no {side} of the log is in the table of {kind}: the log has {side}s such as "
            f"{ids[0]}, the table {table[side].iloc[0]}; check which column of the table is named as the id"
        )
    found = table.drop(columns=side).take(np.maximum(places, 0)).reset_index(drop=True)
    return found.mask(pd.Series(places < 0), np.nan).fillna(
        {column: "" for column in found if not pd.api.types.is_numeric_dtype(found[column].dtype)}
    )


def features(table: pd.DataFrame | None, roles: Roles | None) -> Features | None:
    """Return the columns with a role as features, and title, lists and texts as words; None without any.

    >>> words = {"title": ["A", "B", "C"], "genres": ["x|y", "x", ""]}
    >>> table = pd.DataFrame(words | {"price": [1.0, 3.0, None]})
    >>> found = features(table, {"genres": "list", "price": "number"})
    >>> found.names, found.matrix.toarray().tolist(), found.texts
    (('genres=x', 'price'), [[1.0, -1.0], [1.0, 1.0], [0.0, 0.0]], ('A x y', 'B x', 'C'))
    """
    if table is None or roles is None:
        return None
    from scipy.sparse import coo_matrix, csr_matrix, hstack

    blocks, names = [], []
    for column, role in roles.items():
        if column in table and role != "text":
            block, named = (
                _number(table[column]) if role == "number" else _values(table[column], role == "list")
            )
            blocks.append(block)
            names += [f"{column}={value}" for value in named] if role != "number" else [column] * len(named)
    empty = coo_matrix(np.empty((len(table), 0), dtype=np.float32))
    matrix = csr_matrix(hstack([empty, *blocks]), dtype=np.float32)
    matrix.sort_indices()
    texts = _texts(table, roles)
    return Features(matrix, tuple(names), texts) if names or texts else None


def _values(column: pd.Series, several: bool) -> tuple[coo_matrix, list[str]]:
    """Return a 0/1 column for each value that enough rows have, and the values, ascending."""
    from scipy.sparse import coo_matrix

    rows, codes, distinct = _coded(_words(column), several)
    pairs = np.unique(rows * max(1, len(distinct)) + codes)  # a value twice in one list counts once
    rows, codes = np.divmod(pairs, max(1, len(distinct)))
    counts = np.bincount(codes, minlength=len(distinct))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    kept = kept[counts[kept] >= FEWEST_ROWS]
    new = np.full(len(distinct), -1)
    new[kept] = np.arange(len(kept))
    chosen = new[codes] >= 0
    ones = np.ones(int(chosen.sum()), dtype=np.float32)
    block = coo_matrix((ones, (rows[chosen], new[codes[chosen]])), shape=(len(column), len(kept)))
    return block, [distinct[one] for one in kept]


def _coded(words: pd.Series, several: bool) -> tuple[Array, Array, list[str]]:
    """Return row and code of each value, "" left out, and the values the codes stand for, ascending.

    Arrow cuts the lists: a million values take a tenth of a second, and no Python object each.
    """
    import pyarrow as pa
    from pyarrow import compute

    texts = pa.array(words, type=pa.string())
    lists = compute.split_pattern(texts, LIST_MARK if several else "\x00")
    values = compute.utf8_trim_whitespace(compute.list_flatten(lists)).dictionary_encode()
    rows, codes = compute.list_parent_indices(lists).to_numpy(), values.indices.to_numpy()
    found = np.array(values.dictionary.to_pylist(), dtype=object)
    order = np.argsort(found, kind="stable")
    ranks = np.empty(len(found), dtype=np.int64)
    ranks[order] = np.arange(len(found))
    present = found[codes] != "" if len(found) else np.empty(0, dtype=np.bool_)
    return rows[present].astype(np.int64), ranks[codes[present]], found[order].tolist()


def _number(column: pd.Series) -> tuple[coo_matrix, list[str]]:
    """Return the standardised column and its name, or nothing where all rows are alike."""
    from scipy.sparse import coo_matrix

    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    rows = np.flatnonzero(np.isfinite(numbers))
    spread = float(numbers[rows].std()) if len(rows) else 0.0
    if spread == 0.0:
        return coo_matrix((len(column), 0)), []
    values = ((numbers[rows] - numbers[rows].mean()) / spread).astype(np.float32)
    return coo_matrix((values, (rows, np.zeros(len(rows), dtype=int))), shape=(len(column), 1)), [""]


def _words(column: pd.Series) -> pd.Series:
    """Return text on a plain index, "" where missing, whole numbers without a point."""
    column = column.reset_index(drop=True)
    if pd.api.types.is_float_dtype(column.dtype) and (column.isna() | (column % 1 == 0)).all():
        column = column.astype("Int64")
    return column.astype("str").where(column.notna(), "")


def _texts(table: pd.DataFrame, roles: Roles) -> tuple[str, ...]:
    """Return title, values of lists and texts of each row in one line; () where the table has no words."""
    said = [column for column, role in roles.items() if role in {"list", "text"} and column in table]
    columns = (["title"] if "title" in table else []) + said
    if not columns:
        return ()
    joined = _words(table[columns[0]]).str.replace(LIST_MARK, " ", regex=False)
    for column in columns[1:]:
        joined = joined.str.cat(_words(table[column]).str.replace(LIST_MARK, " ", regex=False), sep=" ")
    return tuple(joined.str.replace(r"\s+", " ", regex=True).str.strip().tolist())


def describe(found: Features | None) -> dict[str, Any] | None:
    """Return how many features there are, of how many rows something is known, and the content hash."""
    if found is None:
        return None
    matrix = found.matrix
    arrays: list[tuple[str, Array]] = [
        ("shape", np.array(matrix.shape, dtype=np.int64)),
        ("starts", matrix.indptr.astype(np.int64)),
        ("columns", matrix.indices.astype(np.int64)),
        ("values", matrix.data),
        ("names", np.array(found.names, dtype=object)),
        ("texts", np.array(found.texts, dtype=object)),
    ]
    known = int(np.count_nonzero(np.diff(matrix.indptr)))
    return {"count": len(found.names), "known": known, "sha256": hash_arrays(arrays)}
