"""Ranking metrics: which positions of a list hold a hit in, one value per user out.

Everywhere ``hits`` is (B, K) bool, position by position, with K at least k (False past the end of a short
list), and ``relevant`` is (B,), the number of items that each user should be shown. A user with nothing to
find is nan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.metrics.register import metric
from benchmark.protocol import Scores, Values

if TYPE_CHECKING:
    from benchmark.metrics.topk import Entries

Hits: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.integer[Any]]
Gains: TypeAlias = NDArray[np.floating[Any]]


@metric(
    "precision",
    kind="ranking",
    formula="hits / k; a shorter list still divides by k",
    source="Herlocker et al. 2004, 3.2",
)
def precision(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user Precision@k = hits / k, shape (B,); a list shorter than k still divides by k.

    Herlocker et al. 2004, section 3.2.

    >>> precision(np.array([[True, False, True, False]]), np.array([8]), k=4).tolist()
    [0.5]
    """
    return _found(_count(hits, k) / k, relevant)


@metric("recall", kind="ranking", formula="hits / relevant items", source="Herlocker et al. 2004, 3.2")
def recall(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user Recall@k = hits / relevant items, shape (B,), also where more are relevant than fit in k.

    Herlocker et al. 2004, section 3.2.

    >>> recall(np.array([[True, False, True, False]]), np.array([8]), k=4).tolist()
    [0.25]
    """
    return _found(_count(hits, k) / np.maximum(relevant, 1), relevant)


@metric(
    "hit",
    kind="ranking",
    formula="1 if the list holds any relevant item, else 0",
    source="Deshpande & Karypis 2004, 6.1",
)
def hit(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user Hit@k, shape (B,): 1 if any of the first k positions is a hit, else 0.

    Deshpande & Karypis 2004, section 6.1.

    >>> hit(np.array([[False, True], [False, False]]), np.array([1, 1]), k=2).tolist()
    [1.0, 0.0]
    """
    return _found(np.minimum(_count(hits, k), 1.0), relevant)


@metric(
    "f1",
    kind="ranking",
    formula="2 precision recall / (precision + recall) of each user, then averaged",
    source="van Rijsbergen 1979, 7",
)
def f1(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user F1@k, shape (B,): harmonic mean of that user's precision and recall, 0 without a hit.

    van Rijsbergen 1979, chapter 7. Since 2PR / (P + R) = 2 hits / (k + relevant), nothing divides by zero.

    >>> f1(np.array([[True, False, True, False]]), np.array([8]), k=4).round(4).tolist()
    [0.3333]
    """
    return _found(2.0 * _count(hits, k) / (k + np.asarray(relevant)), relevant)


@metric(
    "ndcg",
    kind="ranking",
    formula="sum of 1 / log2(rank + 1) over hits, by its largest value with min(k, relevant) hits",
    source="Järvelin & Kekäläinen 2002, 2.2",
)
def ndcg(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user NDCG@k with binary gains, shape (B,), log base 2; nan for a user with nothing held out.

    Järvelin & Kekäläinen 2002, section 2.2: sum of 1 / log2(rank + 1) over the hits, divided by its value for
    the ideal list, which is cut at k: min(k, relevant items) hits first.

    >>> ndcg(np.array([[False, True]]), np.array([1]), k=2).round(3).tolist()
    [0.631]
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = _cut(hits, k).astype(np.float64) @ discounts
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.clip(relevant, 0, k)]
    return _found(gained / np.where(best > 0, best, 1.0), relevant)


@metric(
    "gndcg",
    kind="ranking",
    formula="sum of gain / log2(rank + 1) over hits, by its largest value in k places; "
    "an item's gain is its held-out rating or count",
    source="Järvelin & Kekäläinen 2002, 2.2",
)
def graded_ndcg(gains: Gains, relevant_gains: Gains, relevant: Counts, k: int) -> Values:
    """Per-user NDCG@k with linear gains, shape (B,); nan for a user with nothing, or nothing worth, to find.

    Järvelin & Kekäläinen 2002, section 2.2: sum of gain / log2(rank + 1), divided by its largest value.

    Args:
        gains: (B, K) gain of the item at each position, 0 for a miss.
        relevant_gains: (P,) gains of all relevant items, user by user.
        relevant: (B,) how many of them each user has.
        k: how many positions count.

    >>> graded_ndcg(np.array([[1.0, 3.0]]), np.array([3.0, 1.0]), np.array([2]), k=2).round(3).tolist()
    [0.797]
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    rows = np.repeat(np.arange(len(relevant)), relevant)
    order = np.lexsort((-relevant_gains, rows))
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(relevant) - relevant, relevant)
    counted = rank < k
    worth = relevant_gains[order][counted] * discounts[rank[counted]]
    best = np.bincount(rows[counted], weights=worth, minlength=len(relevant))
    gained = _cut(gains, k).astype(np.float64) @ discounts
    return np.where(best > 0, gained / np.where(best > 0, best, 1.0), np.nan)


@metric(
    "mrr",
    kind="ranking",
    formula="1 / rank of the first hit within k, else 0",
    source="Voorhees 1999 (TREC-8 QA)",
)
def mrr(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user reciprocal rank, shape (B,): 1 / rank of the first hit within k, else 0.

    Voorhees 1999 (TREC-8 question answering track).

    >>> mrr(np.array([[False, True], [False, False]]), np.array([1, 1]), k=2).tolist()
    [0.5, 0.0]
    """
    shown = _cut(hits, k)
    return _found(np.where(shown.any(axis=1), 1.0 / (shown.argmax(axis=1) + 1), 0.0), relevant)


@metric(
    "map",
    kind="ranking",
    formula="sum of the precision at each hit / min(k, relevant items)",
    source="Manning, Raghavan & Schütze 2008, 8.4",
)
def average_precision(hits: Hits, relevant: Counts, k: int) -> Values:
    """Per-user AP@k, shape (B,): sum of the precision at each hit / min(k, relevant items).

    Manning, Raghavan & Schütze 2008, section 8.4, with the denominator cut at k.

    >>> average_precision(np.array([[True, False, True, False, False]]), np.array([8]), k=5).round(4).tolist()
    [0.3333]
    """
    shown = _cut(hits, k)
    precision_at = shown.cumsum(axis=1) / np.arange(1, k + 1)
    return _found((precision_at * shown).sum(axis=1) / np.clip(relevant, 1, k), relevant)


@metric(
    "rprecision",
    kind="ranking",
    formula="hits in the first R places / R, where R is the user's number of relevant items",
    source="Manning, Raghavan & Schütze 2008, 8.4",
)
def r_precision(r_hits: Hits, relevant: Counts) -> Values:
    """Per-user R-precision, shape (B,): hits in the first R positions / R, for R relevant items.

    Manning, Raghavan & Schütze 2008, section 8.4.

    Args:
        r_hits: (B, K), K at least the largest R.
        relevant: (B,) R of each user.

    >>> r_precision(np.array([[True, False, True]]), np.array([2])).tolist()
    [0.5]
    """
    counted = np.arange(r_hits.shape[1]) < np.asarray(relevant)[:, None]
    return _found((r_hits & counted).sum(axis=1) / np.maximum(relevant, 1), relevant)


@metric(
    "auc",
    kind="ranking",
    formula="share of (relevant, other) candidate pairs in the right order, ties one half, "
    "over all candidates",
    source="Hanley & McNeil 1982",
)
def auc(
    scores: Scores,
    relevant_items: Entries,
    seen: Entries | None = None,
    excluded: NDArray[np.bool_] | None = None,
) -> Values:
    """Per-user share of (relevant, other) pairs of candidates in the right order, (B,); a tie is one half.

    nan for a user without a relevant candidate or without another one. Hanley & McNeil 1982.

    Args:
        scores: (B, I) without nan; -inf is no candidate. Only read.
        relevant_items: items of each row, all of them candidates.
        seen: items of each row that are no candidates.
        excluded: (I,) items that are nobody's candidates.

    >>> relevant_items = (np.array([0, 1]), np.array([2], dtype=np.int32))
    >>> auc(np.array([[3, 1, 2]], dtype=np.float32), relevant_items).tolist()
    [0.5]
    """
    from benchmark.metrics import auc_kernels, topk  # loads compiled code, which no other metric needs

    areas = np.full(len(scores), np.nan)
    topk.in_threads(
        auc_kernels.areas,
        len(scores),
        scores.size,
        topk.bits(scores),
        *(topk.nothing(len(scores)) if seen is None else seen),
        topk.flags(excluded),
        *relevant_items,
        areas,
    )
    return areas


def _cut(hits: NDArray[Any], k: int) -> NDArray[Any]:
    if not 1 <= k <= hits.shape[1]:
        raise MetricError(
            f"k is {k} but the lists have {hits.shape[1]} positions; k must be between 1 and that"
        )
    return hits[:, :k]


def _count(hits: Hits, k: int) -> Values:
    counts: Values = _cut(hits, k).sum(axis=1, dtype=np.float64)
    return counts


def _found(values: Values, relevant: Counts) -> Values:
    return np.where(np.asarray(relevant) > 0, values, np.nan)
