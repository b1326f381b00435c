"""Tables of users and items as sparse features and texts, in the order of the dense ids.

A category or a value of a list is one feature, 1 where it applies. A number is one feature, standardised to
mean 0 and standard deviation 1 over the rows that have it, so that no entry means the mean. Values that
only one row has are left out, and so are all but the most frequent values of a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.datasets.log import LIST_SEPARATOR, Log, Roles, Side, hash_arrays
from benchmark.datasets.manifest import FeatureSummary, SplitFeatures
from benchmark.datasets.prepare.table_match import match_table
from benchmark.datasets.tables.parse import distinct_values, words
from benchmark.errors import DataError
from benchmark.protocol import Array, Features, Interactions

if TYPE_CHECKING:
    from scipy.sparse import coo_matrix

FEWEST_ROWS = 2  # a value that only one row has says no more than the row's id
MOST_VALUES = 1000
"""Values of one column that become features, the most frequent first: free tags have tens of thousands."""


def aligned(log: Log, side: Side, ids: Array) -> pd.DataFrame | None:
    """Return the log's table of users or items in the order of ``ids``; None if it has none.

    Ids match whether they are numbers or text. An id that is not in the table has "" for words and nan
    for numbers.

    Raises:
        DataError: no id of the log is in the table.
    """
    table = log.users if side == "user" else log.items
    if table is None:
        return None
    lines = pd.Index(table[side].astype("str")).get_indexer(pd.Index(ids.astype(np.str_)))
    if (lines < 0).all():
        kind = "titles" if "title" in table else f"{side}s"
        matched = match_table(log, side, ids)
        assert matched, "there is a table"
        first = matched.findings[0]
        raise DataError(
            f"{log.name}: no {side} of the log is in the table of {kind}: the log has {side}s such as "
            f"{ids[0]}, the table {table[side].iloc[0]}; {first.text}"
        )
    found = table.drop(columns=side).take(np.maximum(lines, 0)).reset_index(drop=True)
    return found.mask(pd.Series(lines < 0), np.nan).fillna(
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

    blocks, names = [coo_matrix(np.empty((len(table), 0), dtype=np.float32))], []
    for column, role in roles.items():
        if column not in table or role == "text":
            continue
        if role == "number":
            block = number_feature(table[column])
            names += [column] * block.shape[1]
        else:
            block, values = value_features(table[column], several=role == "list")
            names += [f"{column}={value}" for value in values]
        blocks.append(block)
    matrix = csr_matrix(hstack(blocks), dtype=np.float32)
    matrix.sort_indices()
    texts = row_texts(table, roles)
    return Features(matrix, tuple(names), texts) if names or texts else None


def value_features(column: pd.Series, *, several: bool) -> tuple[coo_matrix, list[str]]:
    """Return a 0/1 column for each value that enough rows have, and the values, ascending.

    Args:
        column: one value a row, or several.
        several: whether the values of a row are separated by ``LIST_SEPARATOR``.
    """
    from scipy.sparse import coo_matrix

    rows, codes, distinct = distinct_values(column, several=several)
    pairs = np.unique(rows * max(1, len(distinct)) + codes)  # a value twice in one list counts once
    rows, codes = np.divmod(pairs, max(1, len(distinct)))
    counts = np.bincount(codes, minlength=len(distinct))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    kept = kept[counts[kept] >= FEWEST_ROWS]
    feature_of_code = np.full(len(distinct), -1)
    feature_of_code[kept] = np.arange(len(kept))
    chosen = feature_of_code[codes] >= 0
    ones = np.ones(int(chosen.sum()), dtype=np.float32)
    block = coo_matrix((ones, (rows[chosen], feature_of_code[codes[chosen]])), shape=(len(column), len(kept)))
    return block, [distinct[one] for one in kept]


def number_feature(column: pd.Series) -> coo_matrix:
    """Return the standardised column as one feature (n, 1), or none (n, 0) if all rows are alike."""
    from scipy.sparse import coo_matrix

    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    rows = np.flatnonzero(np.isfinite(numbers))
    deviation = float(numbers[rows].std()) if len(rows) else 0.0
    if deviation == 0.0:
        return coo_matrix((len(column), 0))
    values = ((numbers[rows] - numbers[rows].mean()) / deviation).astype(np.float32)
    return coo_matrix((values, (rows, np.zeros(len(rows), dtype=int))), shape=(len(column), 1))


def row_texts(table: pd.DataFrame, roles: Roles) -> tuple[str, ...]:
    """Return title, values of lists and texts of each row in one line; () if the table has no words."""
    columns = ["title"] if "title" in table else []
    columns += [column for column, role in roles.items() if role in {"list", "text"} and column in table]
    if not columns:
        return ()
    spaced = [words(table[column]).str.replace(LIST_SEPARATOR, " ", regex=False) for column in columns]
    joined = spaced[0].str.cat(pd.concat(spaced[1:], axis=1), sep=" ") if len(spaced) > 1 else spaced[0]
    return tuple(joined.str.replace(r"\s+", " ", regex=True).str.strip().tolist())


def describe_features(rows: Interactions) -> SplitFeatures:
    """Return what a manifest says about features of users and items; their hash leaves the split's alone."""
    users, items = (summary(found) for found in (rows.user_features, rows.item_features))
    hashes = [
        (side, np.array([one.sha256], dtype=object))
        for side, one in (("users", users), ("items", items))
        if one
    ]
    return SplitFeatures(users=users, items=items, sha256=hash_arrays(hashes) if hashes else None)


def summary(found: Features | None) -> FeatureSummary | None:
    """Return how many features there are, how many rows have any, and their content hash."""
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
    rows = int(np.count_nonzero(np.diff(matrix.indptr)))
    return FeatureSummary(count=len(found.names), rows=rows, sha256=hash_arrays(arrays))
