"""Diversity and serendipity of lists, from the features of items; nan for everybody where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.register import metric
from benchmark.protocol import Array, Ids, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@metric(
    "diversity",
    kind="catalogue",
    formula="1 - mean cosine of the features of all pairs of items in the list that have features",
    source="Castells, Hurley & Vargas 2015, 26.3",
    high=2.0,
)
def diversity(lists: Ids, features: csr_matrix | None) -> Values:
    """Per-user intra-list diversity, (E,): 1 - mean cosine of all pairs of items shown that have features.

    nan for a list with fewer than two such items. Castells, Hurley & Vargas 2015, section 26.3.

    Args:
        lists: (E, K), -1 past the end.
        features: (I, F); a row without entries is unknown. None where no item has features.

    >>> from scipy.sparse import csr_matrix
    >>> diversity(np.array([[0, 1], [0, 2]]), csr_matrix([[1, 0], [2, 0], [0, 1]])).tolist()
    [0.0, 1.0]
    """
    if features is None:
        return np.full(len(lists), np.nan)
    directions, described = _directions(features)
    shown = _indicator(lists, described)
    n = _row_sums(shown)
    total = _row_sums((shown @ directions).power(2))  # n + 2 x the sum of all pairs' cosines
    return np.where(n > 1, 1.0 - (total - n) / np.maximum(n * (n - 1), 1), np.nan)


@metric(
    "serendipity",
    kind="catalogue",
    formula="sum over hits of 1 - mean cosine of its features to those of the user's training items, / k",
    source="Ge, Delgado & Jannach 2010, 3.2, with the distance of Zhang et al. 2012",
    high=2.0,
)
def serendipity(
    lists: Ids,
    hits: NDArray[np.bool_],
    relevant: NDArray[np.integer[Any]],
    features: csr_matrix | None,
    history: csr_matrix,
) -> Values:
    """Per-user serendipity, (E,): what is useful and unlike the user's history, divided by K.

    The sum over hits of 1 - mean cosine of the hit's features to those of the user's training items that
    have any. A hit without features adds nothing. nan for a user with nothing to find, or whose training
    items have no features. Useful and unexpected as in Ge, Delgado & Jannach 2010, section 3.2; distance as
    in Zhang et al. 2012.

    Args:
        lists: (E, K), -1 past the end.
        hits: (E, K) which positions are hits.
        relevant: (E,) number of items that each user should be shown.
        features: (I, F); a row without entries is unknown. None where no item has features.
        history: (E, I), an entry at each training pair of these users.

    >>> from scipy.sparse import csr_matrix
    >>> features, history = csr_matrix([[1, 0], [0, 1]]), csr_matrix([[1, 0]])
    >>> serendipity(np.array([[0, 1]]), np.array([[True, True]]), np.array([2]), features, history).tolist()
    [0.5]
    """
    if features is None:
        return np.full(len(lists), np.nan)
    directions, described = _directions(features)
    useful = _indicator(np.where(hits, lists, -1), described)
    n_history = np.asarray(history @ described.astype(np.float64)).ravel()
    # Summed over a user's history, the cosines of a hit are one product with the sum of its directions.
    cosines = _row_sums((useful @ directions).multiply(history @ directions))
    far = _row_sums(useful) - cosines / np.maximum(n_history, 1.0)
    return np.where((n_history > 0) & (relevant > 0), far / lists.shape[1], np.nan)


def _directions(features: csr_matrix) -> tuple[csr_matrix, NDArray[np.bool_]]:
    """Return features (I, F) of length 1, and which items (I,) have any."""
    from scipy.sparse import diags_array

    matrix = features.astype(np.float64)
    length = np.sqrt(_row_sums(matrix.power(2)))
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return (diags_array(scale) @ matrix).tocsr(), length > 0


def _indicator(lists: Ids, described: NDArray[np.bool_]) -> csr_matrix:
    """Return (E, I) with a one at each item shown that has features."""
    from scipy.sparse import csr_matrix

    shown = (lists >= 0) & described[lists]
    rows, _ = np.nonzero(shown)
    return csr_matrix((np.ones(len(rows)), (rows, lists[shown])), shape=(len(lists), len(described)))


def _row_sums(matrix: csr_matrix) -> Values:
    sums: Array = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
    return sums
