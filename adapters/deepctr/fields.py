"""Ids and features as DeepCTR's fields: a few numbers of values for each user, or each item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.protocol import Array, Features, Ids, Scores

LONGEST = 20
"""Values of a list that a row keeps, the most frequent first: each costs a look-up in every pair."""


@dataclass(frozen=True)
class Field:
    """What one field holds of n users or items; L values a row at most.

    Attributes:
        ids: (n, L), from 1; 0 where a row has fewer values, or is unknown.
        size: numbers of values there can be, the 0 included.
        weights: (n, L) by which the values' vectors are multiplied; None where all are 1.
    """

    ids: Ids
    size: int
    weights: Scores | None = None


def fields(seen: Ids, n: int, features: Features | None) -> list[Field]:
    """Return the ids of n users or items, and one field for each column of their features.

    Who has no training row has the id 0, which nothing is learned of. A column is what stands before the
    ``=`` in the names of features; numbers have no ``=`` and share one field, in which each weighs its value.

    Args:
        seen: (N,) who has a training row.
        n: how many there are.
        features: what is known of them.

    >>> from scipy.sparse import csr_matrix
    >>> known = Features(csr_matrix([[1.0, 1.0], [0.0, 1.0]]), ("genre=a", "genre=b"))
    >>> [field.ids.tolist() for field in fields(np.array([1, 1]), 2, known)]
    [[[0], [2]], [[1, 2], [1, 0]]]
    """
    known = np.bincount(seen, minlength=n) > 0
    own = Field((known * np.arange(1, n + 1, dtype=np.int32))[:, None], n + 1)
    if features is None:
        return [own]
    columns = np.array([name.partition("=")[0] if "=" in name else "" for name in features.names])
    return [own, *(_column(features, np.flatnonzero(columns == name)) for name in dict.fromkeys(columns))]


def _column(features: Features, chosen: Array) -> Field:
    """Return the chosen features as one field: in each row the most frequent first."""
    counts = np.bincount(features.matrix.indices, minlength=features.matrix.shape[1])[chosen]
    part = features.matrix[:, chosen[np.argsort(-counts, kind="stable")]]
    part.sort_indices()
    lengths = np.diff(part.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    places = np.arange(part.nnz) - part.indptr[rows]
    kept = places < LONGEST
    shape = len(lengths), max(1, min(LONGEST, int(lengths.max(initial=0))))
    ids, weights = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.float32)
    ids[rows[kept], places[kept]] = part.indices[kept] + 1
    weights[rows[kept], places[kept]] = part.data[kept]
    return Field(ids, len(chosen) + 1, None if (part.data == 1).all() else weights)
