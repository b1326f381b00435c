"""Ids and features as DeepCTR's fields: at most a few values for each user, or each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.protocol import Array, Features, Floats32, Ids

LONGEST = 20
"""Values of a list that a row keeps, the most frequent first: each costs a look-up in every pair."""


@dataclass(frozen=True)
class Field:
    """What one field holds of n users or items; L values per row at most.

    Attributes:
        ids: (n, L), from 1; 0 where a row has fewer values, or none.
        size: how many different ids there can be, 0 included.
        weights: (n, L) by which the values' vectors are multiplied; None where all are 1.
    """

    ids: Ids
    size: int
    weights: Floats32 | None = None


def fields(seen: Ids, n: int, features: Features | None) -> list[Field]:
    """Return the ids of n users or items, and one field for each column of their features.

    Rows without a training row have the id 0, of which nothing is learned. A column is what precedes the
    ``=`` in the names of features; numbers have no ``=`` and share one field, in which each weighs its value.

    Args:
        seen: (N,) users or items of the training rows.
        n: how many there are.
        features: their features.

    >>> from scipy.sparse import csr_matrix
    >>> genres = Features(csr_matrix([[1.0, 1.0], [0.0, 1.0]]), ("genre=a", "genre=b"))
    >>> [field.ids.tolist() for field in fields(np.array([1, 1]), 2, genres)]
    [[[0], [2]], [[1, 2], [1, 0]]]
    """
    trained = np.bincount(seen, minlength=n) > 0
    own = Field((trained * np.arange(1, n + 1, dtype=np.int32))[:, None], n + 1)
    if features is None:
        return [own]
    columns = np.array([name.partition("=")[0] if "=" in name else "" for name in features.names])
    return [own, *(list_field(features, np.flatnonzero(columns == name)) for name in dict.fromkeys(columns))]


def list_field(features: Features, chosen: Array) -> Field:
    """Return the chosen features as one field: in each row the most frequent first."""
    counts = np.bincount(features.matrix.indices, minlength=features.matrix.shape[1])[chosen]
    part = features.matrix[:, chosen[np.argsort(-counts, kind="stable")]]
    part.sort_indices()
    lengths = np.diff(part.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = np.arange(part.nnz) - part.indptr[rows]
    kept = columns < LONGEST
    shape = len(lengths), max(1, min(LONGEST, int(lengths.max(initial=0))))
    ids, weights = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.float32)
    ids[rows[kept], columns[kept]] = part.indices[kept] + 1
    weights[rows[kept], columns[kept]] = part.data[kept]
    return Field(ids, len(chosen) + 1, None if (part.data == 1).all() else weights)


def pack_fields(side: str, packed: Sequence[Field]) -> dict[str, Array]:
    """Return the fields of "users" or "items" as named arrays."""
    state: dict[str, Array] = {}
    for index, field in enumerate(packed):
        state |= {f"{side}.{index}.ids": field.ids, f"{side}.{index}.size": np.array([field.size])}
        if field.weights is not None:
            state[f"{side}.{index}.weights"] = field.weights
    return state


def unpack_fields(side: str, state: Mapping[str, Array]) -> list[Field]:
    """Return the fields that :func:`pack_fields` took apart."""
    count = sum(name.startswith(f"{side}.") and name.endswith(".ids") for name in state)
    names = [f"{side}.{index}" for index in range(count)]
    return [
        Field(state[f"{name}.ids"], int(state[f"{name}.size"][0]), state.get(f"{name}.weights"))
        for name in names
    ]
