"""Every metric's one formula, its range and its source. Imports no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["ranking", "rating", "catalogue"]


@dataclass(frozen=True)
class Formula:
    """What is true of a metric at every k; :class:`benchmark.metrics.names.Metric` explains the fields."""

    kind: Kind
    formula: str
    source: str
    takes_k: bool = True
    higher_is_better: bool = True
    per_user: bool = True
    low: float = 0.0
    high: float = 1.0


def _rating(formula: str, source: str) -> Formula:
    return Formula("rating", formula, source, takes_k=False, per_user=False)


def _error(formula: str, source: str = "Herlocker et al. 2004, 3.1") -> Formula:
    return replace(_rating(formula, source), higher_is_better=False, high=inf)


FORMULAS: Mapping[str, Formula] = {
    "precision": Formula(
        "ranking", "hits / k; a shorter list still divides by k", "Herlocker et al. 2004, 3.2"
    ),
    "recall": Formula("ranking", "hits / relevant items", "Herlocker et al. 2004, 3.2"),
    "hit": Formula(
        "ranking", "1 if the list holds any relevant item, else 0", "Deshpande & Karypis 2004, 6.1"
    ),
    "f1": Formula(
        "ranking",
        "2 precision recall / (precision + recall) of each user, then averaged",
        "van Rijsbergen 1979, 7",
    ),
    "ndcg": Formula(
        "ranking",
        "sum of 1 / log2(rank + 1) over hits, by its largest value with min(k, relevant) hits",
        "Järvelin & Kekäläinen 2002, 2.2",
    ),
    "gndcg": Formula(
        "ranking",
        "sum of gain / log2(rank + 1) over hits, by its largest value in k places; "
        "an item's gain is its held-out rating or count",
        "Järvelin & Kekäläinen 2002, 2.2",
    ),
    "mrr": Formula("ranking", "1 / rank of the first hit within k, else 0", "Voorhees 1999 (TREC-8 QA)"),
    "map": Formula(
        "ranking",
        "sum of the precision at each hit / min(k, relevant items)",
        "Manning, Raghavan & Schütze 2008, 8.4",
    ),
    "rprecision": Formula(
        "ranking",
        "hits in the first R places / R, where R is the user's number of relevant items",
        "Manning, Raghavan & Schütze 2008, 8.4",
        takes_k=False,
    ),
    "auc": Formula(
        "ranking",
        "share of (relevant, other) candidate pairs in the right order, ties one half, over all candidates",
        "Hanley & McNeil 1982",
        takes_k=False,
    ),
    "coverage": Formula(
        "catalogue", "distinct items in all lists / items", "Ge, Delgado & Jannach 2010, 3.1", per_user=False
    ),
    "gini": Formula(
        "catalogue",
        "Gini index of how often each item is shown, never-shown ones included, divided by items - 1",
        "Castells, Hurley & Vargas 2015, 26.3",
        higher_is_better=False,
        per_user=False,
    ),
    "personalisation": Formula(
        "catalogue",
        "1 - mean over all pairs of users of (items that both are shown) / k",
        "Zhou et al. 2010 (PNAS 107)",
        per_user=False,
    ),
    "novelty": Formula(
        "catalogue",
        "mean over the list of -log2(max(training users of the item, 1) / users)",
        "Zhou et al. 2010 (PNAS 107)",
        high=inf,
    ),
    "popularity": Formula(
        "catalogue",
        "mean over the list of the training users of the item",
        "Abdollahpouri et al. 2019, 3",
        higher_is_better=False,
        high=inf,
    ),
    "popularitylift": Formula(
        "catalogue",
        "mean over the list of the training users of the item, by the same mean over all training rows",
        "after Abdollahpouri et al. 2019, 3",
        higher_is_better=False,
        high=inf,
    ),
    "diversity": Formula(
        "catalogue",
        "1 - mean cosine of the features of all pairs of items in the list that have features",
        "Castells, Hurley & Vargas 2015, 26.3",
        low=0.0,
        high=2.0,
    ),
    "serendipity": Formula(
        "catalogue",
        "sum over hits of 1 - mean cosine of its features to those of the user's training items, / k",
        "Ge, Delgado & Jannach 2010, 3.2, with the distance of Zhang et al. 2012",
        high=2.0,
    ),
    "rmse": _error("square root of the mean squared error over all ratings (micro)"),
    "mae": _error("mean absolute error over all ratings (micro)"),
    "mse": _error("mean squared error over all ratings (micro)"),
    "r2": replace(
        _rating(
            "1 - squared error / squared distance of the held-out ratings from their mean (micro)",
            "Draper & Smith 1998",
        ),
        low=-inf,
    ),
    "accuracy": _rating(
        "share of ratings predicted on their own side of the lowest rating that counts as a like (micro)",
        "Herlocker et al. 2004, 3.2",
    ),
    "rocauc": _rating(
        "share of (like, other) pairs of held-out ratings predicted in the right order, ties half (micro)",
        "Hanley & McNeil 1982",
    ),
    "logloss": _error(
        "mean of -ln of the probability given to what was true, like or not; the probability of a like is "
        "the predicted rating's place on the scale, 0 to 1, kept within .001 and .999 (micro)",
        "Good 1952 (J. R. Stat. Soc. B 14)",
    ),
}
"""Every metric by the base of its name."""
