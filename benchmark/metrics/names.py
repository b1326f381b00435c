"""Which metrics exist, how they are written in a suite, and what each one means. Imports no numpy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.errors import MetricError, did_you_mean
from benchmark.metrics.formulas import FORMULAS, Formula, Kind

VERSION = 1
"""Raised whenever a formula changes, so that stored values of another formula are never reused."""


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
        low: no value is below.
        high: no value is above.
        sampled: how many drawn items a user's relevant ones are ranked among; None ranks all candidates.
    """

    name: str
    base: str
    k: int | None
    kind: Kind
    higher_is_better: bool
    per_user: bool
    formula: str
    source: str
    low: float
    high: float
    sampled: int | None = None


KNOWN: Mapping[str, str] = {
    (f"{base}@k" if entry.takes_k else base): entry.formula for base, entry in FORMULAS.items()
}
"""Every metric as one writes it, with its formula."""


def parse(name: str, n_items: int | None = None) -> Metric:
    """Return the metric that ``name`` stands for.

    Args:
        name: a base and, where the metric judges a list, its length: ``"ndcg@10"``, ``"rmse"``. Behind
            a ranking metric, ``/99neg`` ranks each user's relevant items among 99 drawn ones alone, as
            older papers do: easier, and of another order of models (Krichene & Rendle 2020).
        n_items: I, to refuse a list longer than the catalogue; None where it is not known yet.

    Raises:
        MetricError: no such metric, k missing, given where none belongs, 0, or above ``n_items``.

    >>> parse("ndcg@10").k, parse("rmse").higher_is_better
    (10, False)
    """
    match = re.fullmatch(r"([a-z0-9]*[a-z][a-z0-9]*)(?:@(-?\d+))?(?:/(\d+)neg)?", name)
    entry = FORMULAS.get(match[1]) if match else None
    if match is None or entry is None:
        raise MetricError(f"no metric is called {name!r}{_nearest(name)}")
    k = None if match[2] is None else int(match[2])
    sampled = None if match[3] is None else int(match[3])
    _check_k(name, entry, k, n_items)
    _check_sampled(name, entry, sampled)
    return Metric(
        name=match[1] + ("" if k is None else f"@{k}") + ("" if sampled is None else f"/{sampled}neg"),
        base=match[1],
        k=k,
        kind=entry.kind,
        higher_is_better=entry.higher_is_better,
        per_user=entry.per_user,
        formula=entry.formula,
        source=entry.source,
        low=entry.low,
        high=entry.high,
        sampled=sampled,
    )


def _check_k(name: str, entry: Formula, k: int | None, n_items: int | None) -> None:
    if entry.takes_k and k is None:
        raise MetricError(f"metric {name!r} needs the length of the list; write {name + '@10'!r}")
    if not entry.takes_k and k is not None:
        raise MetricError(f"metric {name!r} judges no list and takes no k; write {name.partition('@')[0]!r}")
    if k is not None and (k < 1 or (n_items is not None and k > n_items)):
        items = "items" if n_items is None else f"{n_items} items"
        raise MetricError(f"metric {name!r}: k is {k}; k must be between 1 and the {items}")


def _check_sampled(name: str, entry: Formula, sampled: int | None) -> None:
    if sampled is None:
        return
    if entry.kind != "ranking" or not entry.takes_k:
        raise MetricError(
            f"metric {name!r}: only ranking metrics at a k are measured among drawn items;"
            f" write {name.partition('/')[0]!r}"
        )
    if sampled < 1:
        raise MetricError(f"metric {name!r}: draw at least one item, as in 'hit@10/99neg'")


def _nearest(name: str) -> str:
    typed = re.search(r"\d+$", name)
    k = int(typed[0]) if typed and int(typed[0]) > 0 else 10
    known = [f"{base}@{k}" if entry.takes_k else base for base, entry in FORMULAS.items()]
    return did_you_mean(name.strip().lower(), known) or f"; known are {', '.join(KNOWN)}"
