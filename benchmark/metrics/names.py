"""Which metrics exist, how they are written in a suite, and what each one means. Imports no numpy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmark.errors import MetricError, did_you_mean

VERSION = 1
"""Raised whenever a formula changes, so that stored values of another formula are never reused."""

Kind: TypeAlias = Literal["ranking", "rating", "catalogue"]


@dataclass(frozen=True)
class Metric:
    """One metric as a suite names it.

    Attributes:
        name: as written, ``"ndcg@10"``.
        base: without the cut-off, ``"ndcg"``.
        k: length of the list that is judged; None where the metric takes none.
        kind: "ranking" looks at hits, "rating" at predicted values, "catalogue" at what is shown to whom.
        higher_is_better: False for errors and for inequality.
        per_user: whether one user has a value; if not, the value belongs to the whole test set.
        formula: the one formula, denominator included.
        source: where the formula comes from.
    """

    name: str
    base: str
    k: int | None
    kind: Kind
    higher_is_better: bool
    per_user: bool
    formula: str
    source: str


@dataclass(frozen=True)
class _Entry:
    kind: Kind
    formula: str
    source: str
    takes_k: bool = True
    higher_is_better: bool = True
    per_user: bool = True


_ENTRIES: Mapping[str, _Entry] = {
    "precision": _Entry(
        "ranking", "hits / k; a shorter list still divides by k", "Herlocker et al. 2004, 3.2"
    ),
    "recall": _Entry("ranking", "hits / relevant items", "Herlocker et al. 2004, 3.2"),
    "hit": _Entry(
        "ranking", "1 if the list holds any relevant item, else 0", "Deshpande & Karypis 2004, 6.1"
    ),
    "f1": _Entry(
        "ranking",
        "2 precision recall / (precision + recall) of each user, then averaged",
        "van Rijsbergen 1979, 7",
    ),
    "ndcg": _Entry(
        "ranking",
        "sum of 1 / log2(rank + 1) over hits, by its largest value with min(k, relevant) hits",
        "Järvelin & Kekäläinen 2002, 2.2",
    ),
    "mrr": _Entry("ranking", "1 / rank of the first hit within k, else 0", "Voorhees 1999 (TREC-8 QA)"),
    "map": _Entry(
        "ranking",
        "sum of the precision at each hit / min(k, relevant items)",
        "Manning, Raghavan & Schütze 2008, 8.4",
    ),
    "auc": _Entry(
        "ranking",
        "share of (relevant, other) candidate pairs in the right order, ties one half, over all candidates",
        "Hanley & McNeil 1982",
        takes_k=False,
    ),
    "coverage": _Entry(
        "catalogue", "distinct items in all lists / items", "Ge, Delgado & Jannach 2010, 3.1", per_user=False
    ),
    "novelty": _Entry(
        "catalogue",
        "mean over the list of -log2(max(training users of the item, 1) / users)",
        "Zhou et al. 2010 (PNAS 107)",
    ),
    "gini": _Entry(
        "catalogue",
        "Gini index of how often each item is shown, never-shown ones included, divided by items - 1",
        "Castells, Hurley & Vargas 2015, 26.3",
        higher_is_better=False,
        per_user=False,
    ),
    "rmse": _Entry(
        "rating",
        "square root of the mean squared error over all ratings (micro)",
        "Herlocker et al. 2004, 3.1",
        takes_k=False,
        higher_is_better=False,
        per_user=False,
    ),
    "mae": _Entry(
        "rating",
        "mean absolute error over all ratings (micro)",
        "Herlocker et al. 2004, 3.1",
        takes_k=False,
        higher_is_better=False,
        per_user=False,
    ),
    "mse": _Entry(
        "rating",
        "mean squared error over all ratings (micro)",
        "Herlocker et al. 2004, 3.1",
        takes_k=False,
        higher_is_better=False,
        per_user=False,
    ),
}

KNOWN: Mapping[str, str] = {
    (f"{base}@k" if entry.takes_k else base): entry.formula for base, entry in _ENTRIES.items()
}
"""Every metric as one writes it, with its formula."""


def parse(name: str, n_items: int | None = None) -> Metric:
    """Return the metric that ``name`` stands for.

    Args:
        name: a base and, where the metric judges a list, its length: ``"ndcg@10"``, ``"rmse"``.
        n_items: I, to refuse a list longer than the catalogue; None where it is not known yet.

    Raises:
        MetricError: no such metric, k missing, given where none belongs, 0, or above ``n_items``.

    >>> parse("ndcg@10").k, parse("rmse").higher_is_better
    (10, False)
    """
    match = re.fullmatch(r"([a-z0-9]*[a-z][a-z0-9]*)(?:@(-?\d+))?", name)
    entry = _ENTRIES.get(match[1]) if match else None
    if match is None or entry is None:
        raise MetricError(f"no metric is called {name!r}{_nearest(name)}")
    k = None if match[2] is None else int(match[2])
    _check_k(name, entry, k, n_items)
    return Metric(
        name=match[1] if k is None else f"{match[1]}@{k}",
        base=match[1],
        k=k,
        kind=entry.kind,
        higher_is_better=entry.higher_is_better,
        per_user=entry.per_user,
        formula=entry.formula,
        source=entry.source,
    )


def _check_k(name: str, entry: _Entry, k: int | None, n_items: int | None) -> None:
    if entry.takes_k and k is None:
        raise MetricError(f"metric {name!r} needs the length of the list; write {name + '@10'!r}")
    if not entry.takes_k and k is not None:
        raise MetricError(f"metric {name!r} judges no list and takes no k; write {name.partition('@')[0]!r}")
    if k is not None and (k < 1 or (n_items is not None and k > n_items)):
        items = "items" if n_items is None else f"{n_items} items"
        raise MetricError(f"metric {name!r}: k is {k}; k must be between 1 and the {items}")


def _nearest(name: str) -> str:
    typed = re.search(r"\d+$", name)
    k = int(typed[0]) if typed and int(typed[0]) > 0 else 10
    known = [f"{base}@{k}" if entry.takes_k else base for base, entry in _ENTRIES.items()]
    return did_you_mean(name.strip().lower(), known) or f"; known are {', '.join(KNOWN)}"
