"""What lists offer beyond hits, where items have features: diversity and serendipity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.protocol import Array, Ids, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def diversity(lists: Ids, features: csr_matrix) -> Values:
    """Per-user intra-list diversity, (U,): 1 - mean cosine of all pairs of items shown that have features.

    nan for a list with fewer than two such items. Castells, Hurley & Vargas 2015, section 26.3.

    Args:
        lists: (U, K), -1 past the end.
        features: (I, F); a row without entries is unknown.

    >>> from scipy.sparse import csr_matrix
    >>> diversity(np.array([[0, 1], [0, 2]]), csr_matrix([[1, 0], [2, 0], [0, 1]])).tolist()
    [0.0, 1.0]
    """
    directions, known = _directions(features)
    shown = _indicator(lists, known)
    n = _row_sums(shown)
    total = _row_sums((shown @ directions).power(2))  # n + 2 x the sum of all pairs' cosines
    return np.where(n > 1, 1.0 - (total - n) / np.maximum(n * (n - 1), 1), np.nan)


def serendipity(lists: Ids, hits: NDArray[np.bool_], features: csr_matrix, history: csr_matrix) -> Values:
    """Per-user serendipity, (U,): what is useful and far from what the user knew, divided by K.

    The sum over hits of 1 - mean cosine of the hit's features to those of the user's training items that
    have any. A hit without features adds nothing; nan for a user whose training items have none. Useful
    and unexpected as in Ge, Delgado & Jannach 2010, section 3.2; distance as in Zhang et al. 2012.

    Args:
        lists: (U, K), -1 past the end.
        hits: (U, K) which places are hits.
        features: (I, F); a row without entries is unknown.
        history: (U, I), an entry at each training pair of these users.

    >>> from scipy.sparse import csr_matrix
    >>> shown, known = csr_matrix([[1, 0], [0, 1]]), csr_matrix([[1, 0]])
    >>> serendipity(np.array([[0, 1]]), np.array([[True, True]]), shown, known).tolist()
    [0.5]
    """
    directions, known = _directions(features)
    useful = _indicator(np.where(hits, lists, -1), known)
    has_features = known.astype(np.float64)
    n_history = np.asarray(history @ has_features).ravel()
    cosines = _row_sums((useful @ directions).multiply(history @ directions))
    far = _row_sums(useful) - cosines / np.maximum(n_history, 1.0)
    return np.where(n_history > 0, far / lists.shape[1], np.nan)


def _directions(features: csr_matrix) -> tuple[csr_matrix, NDArray[np.bool_]]:
    """Return features (I, F) of length 1, and which items (I,) have any."""
    from scipy.sparse import diags_array

    matrix = features.astype(np.float64)
    length = np.sqrt(_row_sums(matrix.power(2)))
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return (diags_array(scale) @ matrix).tocsr(), length > 0


def _indicator(lists: Ids, known: NDArray[np.bool_]) -> csr_matrix:
    """Return (U, I) with a one at each item shown that has features."""
    from scipy.sparse import csr_matrix

    shown = (lists >= 0) & known[lists]
    rows, _ = np.nonzero(shown)
    return csr_matrix((np.ones(len(rows)), (rows, lists[shown])), shape=(len(lists), len(known)))


def _row_sums(matrix: csr_matrix) -> Values:
    sums: Array = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
    return sums
