"""Ranking metrics: which places of a list are hits in, one value per user out.

Everywhere ``hits`` is (B, K) bool, place by place, with K at least k (places past the end of a short
list are False), and ``relevant`` is (B,), the number of items each user should be shown. A user with
nothing to find is nan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.protocol import Values

Hits: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.integer[Any]]
Gains: TypeAlias = NDArray[np.floating[Any]]


def precision(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user Precision@k = hits / k, shape (B,); a list shorter than k still divides by k.

    Herlocker et al. 2004, section 3.2.

    >>> precision(np.array([[True, False, True, False]]), np.array([8]), k=4).tolist()
    [0.5]
    """
    return _found(_count(hits, k) / k, relevant)


def recall(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user Recall@k = hits / relevant items, shape (B,), also where more are relevant than fit in k.

    Herlocker et al. 2004, section 3.2.

    >>> recall(np.array([[True, False, True, False]]), np.array([8]), k=4).tolist()
    [0.25]
    """
    return _found(_count(hits, k) / np.maximum(relevant, 1), relevant)


def hit(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user Hit@k, shape (B,): 1 if any of the k places is a hit, else 0.

    Deshpande & Karypis 2004, section 6.1.

    >>> hit(np.array([[False, True], [False, False]]), np.array([1, 1]), k=2).tolist()
    [1.0, 0.0]
    """
    return _found(np.minimum(_count(hits, k), 1.0), relevant)


def f1(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user F1@k, shape (B,): harmonic mean of that user's precision and recall, 0 without a hit.

    van Rijsbergen 1979, chapter 7. Since 2PR / (P + R) = 2 hits / (k + relevant), nothing divides by zero.

    >>> f1(np.array([[True, False, True, False]]), np.array([8]), k=4).round(4).tolist()
    [0.3333]
    """
    return _found(2.0 * _count(hits, k) / (k + np.asarray(relevant)), relevant)


def ndcg(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user NDCG@k with binary gains, shape (B,), log base 2; nan for a user with nothing held out.

    Järvelin & Kekäläinen 2002, section 2.2. The ideal list is cut at k: min(k, relevant items) hits first.

    >>> ndcg(np.array([[False, True]]), np.array([1]), k=2).round(3).tolist()
    [0.631]
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = _cut(hits, k).astype(np.float64) @ discounts
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.clip(relevant, 0, k)]
    return _found(gained / np.where(best > 0, best, 1.0), relevant)


def mrr(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user reciprocal rank, shape (B,): 1 / rank of the first hit within k, else 0.

    Voorhees 1999 (TREC-8 question answering track).

    >>> mrr(np.array([[False, True], [False, False]]), np.array([1, 1]), k=2).tolist()
    [0.5, 0.0]
    """
    shown = _cut(hits, k)
    return _found(np.where(shown.any(axis=1), 1.0 / (shown.argmax(axis=1) + 1), 0.0), relevant)


def average_precision(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user AP@k, shape (B,): sum of the precision at each hit / min(k, relevant items).

    Manning, Raghavan & Schütze 2008, section 8.4, with the denominator cut at k.

    >>> average_precision(np.array([[True, False, True, False, False]]), np.array([8]), k=5).round(4).tolist()
    [0.3333]
    """
    shown = _cut(hits, k)
    precision_at = shown.cumsum(axis=1) / np.arange(1, k + 1)
    return _found((precision_at * shown).sum(axis=1) / np.clip(relevant, 1, k), relevant)


def graded_ndcg(gains: Gains, every_gain: Gains, relevant: Counts, k: int) -> Values:
    """Per-user NDCG@k with linear gains, shape (B,); nan for a user with nothing, or nothing worth, to find.

    Järvelin & Kekäläinen 2002, section 2.2: sum of gain / log2(rank + 1), divided by its largest value.

    Args:
        gains: (B, K) gain of the item at each place, 0 for a miss.
        every_gain: (P,) gains of all relevant items, user by user.
        relevant: (B,) how many of them each user has.
        k: how many places count.

    >>> graded_ndcg(np.array([[1.0, 3.0]]), np.array([3.0, 1.0]), np.array([2]), k=2).round(3).tolist()
    [0.797]
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    rows = np.repeat(np.arange(len(relevant)), relevant)
    order = np.lexsort((-every_gain, rows))
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(relevant) - relevant, relevant)
    counted = rank < k
    worth = every_gain[order][counted] * discounts[rank[counted]]
    best = np.bincount(rows[counted], weights=worth, minlength=len(relevant))
    gained = _cut(gains, k).astype(np.float64) @ discounts
    return np.where(best > 0, gained / np.where(best > 0, best, 1.0), np.nan)


def r_precision(hits: Hits, relevant: Counts) -> Values:
    """Per-user R-precision, shape (B,): hits in the first R places / R, R being the relevant items.

    Manning, Raghavan & Schütze 2008, section 8.4.

    Args:
        hits: (B, K), K at least the largest R.
        relevant: (B,) R of each user.

    >>> r_precision(np.array([[True, False, True]]), np.array([2])).tolist()
    [0.5]
    """
    counted = np.arange(hits.shape[1]) < np.asarray(relevant)[:, None]
    return _found((hits & counted).sum(axis=1) / np.maximum(relevant, 1), relevant)


BY_NAME: Mapping[str, Callable[[Hits, Counts, int], Values]] = {
    "precision": precision,
    "recall": recall,
    "hit": hit,
    "f1": f1,
    "ndcg": ndcg,
    "mrr": mrr,
    "map": average_precision,
}
"""The metrics of a list by the base of their name."""


def _cut(hits: NDArray[Any], k: int) -> NDArray[Any]:
    if not 1 <= k <= hits.shape[1]:
        raise MetricError(f"k is {k} but the lists hold {hits.shape[1]} places; k must be between 1 and that")
    return hits[:, :k]


def _count(hits: Hits, k: int) -> Values:
    counts: Values = _cut(hits, k).sum(axis=1, dtype=np.float64)
    return counts


def _found(values: Values, relevant: Counts) -> Values:
    return np.where(np.asarray(relevant) > 0, values, np.nan)
