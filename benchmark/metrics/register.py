"""The one register of metrics: what the parser, the evaluator, ``bench metrics`` and docs/metrics.md read.

A metric registers itself where it is defined. The names of its function's arguments say what it is made
from, see :mod:`benchmark.metrics.inputs`:

    @metric(
        "precision",
        kind="ranking",
        formula="hits / k; a shorter list still divides by k",
        source="Herlocker et al. 2004, 3.2",
    )
    def precision(hits: Hits, relevant: Counts, k: int) -> Values:
        ...
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from math import inf
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

from benchmark.errors import MetricError, did_you_mean
from benchmark.metrics.inputs import HitInputs, ListInputs, RatingInputs, ScoreInputs, StoredInputs, offered

METRICS_VERSION = 1
"""Bump when a formula changes: stored values of another version are not trusted."""

MODULES = ("ranking", "coverage", "diversity", "rating")
"""Modules of this package that define metrics, in the order in which they are listed."""

Kind: TypeAlias = Literal["ranking", "rating", "catalogue"]
HitPart: TypeAlias = Literal["repeated", "new"]
"""Hits on items that a user has had, and on items that are new to the user."""
Function = TypeVar("Function", bound=Callable[..., Any])

_REGISTER: dict[str, Metric] = {}


@dataclass(frozen=True)
class Metric:
    """One metric: as it is registered, or as a suite names it, at a cut-off.

    Attributes:
        base: its name without a cut-off, ``"ndcg"``.
        kind: "ranking" looks at hits, "rating" at predicted ratings, "catalogue" at what is shown to whom.
        formula: the one formula, denominator included.
        source: where the formula comes from.
        function: computes it, from arguments named as in :mod:`benchmark.metrics.inputs`.
        higher_is_better: False for errors and for inequality.
        per_user: whether each user has a value; if not, the value belongs to the whole test set.
        low: no value is below.
        high: no value is above.
        k: the cut-off; None where it takes none, or is not yet given one.
        sampled: how many sampled negatives a user's relevant items are ranked among; None: all candidates.
        part: "repeated" or "new": what hits on items that the user has had, or has not, add to the value;
            None: the whole value.
    """

    base: str
    kind: Kind
    formula: str
    source: str
    function: Callable[..., Any] = field(repr=False)
    higher_is_better: bool = True
    per_user: bool = True
    low: float = 0.0
    high: float = 1.0
    k: int | None = None
    sampled: int | None = None
    part: HitPart | None = None

    @property
    def name(self) -> str:
        """As a suite names it: ``"ndcg@10"``, ``"rmse"``, ``"hit@10/99neg"``, ``"recall@10/repeated"``."""
        cutoff = "" if self.k is None else f"@{self.k}"
        sampled = "" if self.sampled is None else f"/{self.sampled}neg"
        return self.base + cutoff + sampled + ("" if self.part is None else f"/{self.part}")

    @cached_property
    def needs(self) -> frozenset[str]:
        """Names of its inputs."""
        return frozenset(inspect.signature(self.function).parameters)

    @property
    def takes_k(self) -> bool:
        """Whether it is measured on lists and so takes a cut-off."""
        return self.made_from(ListInputs)

    @property
    def parts(self) -> tuple[Metric, ...]:
        """The two metrics that it is the sum of; none for a part, or if it is not made from hits in lists."""
        whole = self.part is None and self.kind == "ranking" and self.takes_k
        return tuple(replace(self, part=part) for part in get_args(HitPart)) if whole else ()

    @property
    def label(self) -> str:
        """As tables name it, at any cut-off: ``"ndcg@k"``."""
        return f"{self.base}@k" if self.takes_k else self.base

    @property
    def better(self) -> str:
        """Which values are better: "higher" or "lower"."""
        return "higher" if self.higher_is_better else "lower"

    @property
    def limits(self) -> str:
        """Its range, as tables show it: ``"0 to 1"``."""
        low, high = ({inf: "∞", -inf: "-∞"}.get(value, f"{value:g}") for value in (self.low, self.high))
        return f"{low} to {high}"

    def at(
        self,
        k: int | None,
        sampled: int | None = None,
        n_items: int | None = None,
        part: HitPart | None = None,
    ) -> Metric:
        """Return the same metric at a cut-off, among sampled negatives or all candidates, or a part of it.

        Raises:
            MetricError: k, ``sampled`` or ``part`` is missing, given where none belongs, or out of range.
        """
        asked = replace(self, k=k, sampled=sampled, part=part)
        if self.takes_k and k is None:
            raise MetricError(f"metric {asked.name!r} needs a cut-off; write {replace(asked, k=10).name!r}")
        if not self.takes_k and k is not None:
            raise MetricError(
                f"metric {asked.name!r} is not measured on lists, so it takes no cut-off; write {self.base!r}"
            )
        if k is not None and (k < 1 or (n_items is not None and k > n_items)):
            items = "number of items" if n_items is None else f"{n_items} items"
            raise MetricError(f"metric {asked.name!r}: k is {k}; k must be between 1 and the {items}")
        if sampled is not None and (self.kind != "ranking" or not self.takes_k):
            raise MetricError(
                f"metric {asked.name!r}: only ranking metrics at a cut-off are measured among sampled"
                f" negatives; write {replace(asked, sampled=None).name!r}"
            )
        if sampled is not None and n_items is not None and sampled > n_items:
            raise MetricError(
                f"metric {asked.name!r}: there are {n_items} items to draw {sampled} from; draw fewer"
            )
        if sampled is not None and sampled < 1:
            raise MetricError(f"metric {asked.name!r}: sample at least one negative, as in 'hit@10/99neg'")
        if part is not None and not replace(asked, part=None).parts:
            raise MetricError(
                f"metric {asked.name!r}: only ranking metrics at a cut-off are split into repeated and new"
                f" items; write {replace(asked, part=None).name!r}"
            )
        return asked

    def made_from(self, inputs: type) -> bool:
        """Return whether a class of inputs offers all that the metric needs."""
        return self.needs <= offered(inputs)

    def compute(self, inputs: object) -> Any:
        """Return its values (E,) where each user has one, else its value."""
        if self.part is not None:
            assert isinstance(inputs, ListInputs)
            return inputs.sum_over_hits(replace(self, part=None).compute, repeated=self.part == "repeated")
        return self.function(**{name: getattr(inputs, name) for name in self.needs})


def metric(  # noqa: PLR0913 - by keyword: what is true of a metric
    name: str,
    *,
    kind: Kind,
    formula: str,
    source: str,
    higher_is_better: bool = True,
    per_user: bool = True,
    low: float = 0.0,
    high: float = 1.0,
) -> Callable[[Function], Function]:
    """Return a decorator that registers a function as a metric and leaves it as it is.

    Args:
        name: how a suite names it, without a cut-off.
        kind: see :class:`Metric`, as for all that follows.
        formula: in one line, for the table in docs/metrics.md.
        source: paper and section.
        higher_is_better: False for errors and for inequality.
        per_user: False where one value belongs to all lists together.
        low: no value is below.
        high: no value is above.

    Raises:
        MetricError: the name is taken, formula or source is empty, the function is made from hits alone and
            takes no k, or no class of inputs offers what it asks for.
    """

    def register(function: Function) -> Function:
        entry = Metric(name, kind, formula, source, function, higher_is_better, per_user, low, high)
        if name in _REGISTER:
            raise MetricError(f"metric {name!r} is registered twice; names must differ")
        for what, text in (("formula", formula), ("source", source)):
            if not text.strip():
                raise MetricError(f"metric {name!r}: {what} is empty; tables and docs/metrics.md show it")
        if entry.made_from(HitInputs) and "k" not in entry.needs:
            raise MetricError(f"metric {name!r} is made from hits, so it must take k")
        if not any(entry.made_from(inputs) for inputs in (ListInputs, ScoreInputs, RatingInputs)):
            offers = "; ".join(
                f"{inputs.__name__} offers {', '.join(sorted(offered(inputs)))}"
                for inputs in (ListInputs, ScoreInputs, RatingInputs)
            )
            asked = ", ".join(sorted(entry.needs))
            raise MetricError(
                f"metric {name!r} asks for {asked}, which no single class of inputs has: {offers}"
            )
        _REGISTER[name] = entry
        return function

    return register


def registered() -> Mapping[str, Metric]:
    """Return every metric by its base, in the order in which they are listed."""
    for module in MODULES:
        import_module(f"benchmark.metrics.{module}")
    homes = {f"benchmark.metrics.{module}": position for position, module in enumerate(MODULES)}
    ordered = sorted(_REGISTER.values(), key=lambda entry: homes.get(entry.function.__module__, len(homes)))
    return {entry.base: entry for entry in ordered}


def parse_metric(name: str, n_items: int | None = None) -> Metric:
    """Return the metric that ``name`` stands for.

    Args:
        name: a base and, where the metric is measured on lists, a cut-off: ``"ndcg@10"``, ``"rmse"``. Behind
            a ranking metric, ``/99neg`` ranks each user's relevant items among 99 sampled negatives only, as
            older papers do: easier, and models may come out in another order (Krichene & Rendle 2020). Last,
            ``/repeated`` or ``/new``: what hits on items that the user has had, or has not, add to the value.
        n_items: I, to refuse a list longer than the catalogue; None where it is not known yet.

    Raises:
        MetricError: there is no such metric, k is missing, given where none belongs, 0, or above ``n_items``.

    >>> parse_metric("ndcg@10").k, parse_metric("rmse").higher_is_better
    (10, False)
    """
    metrics = registered()
    number = "[0-9]{1,9}"
    match = re.fullmatch(
        rf"([a-z0-9]*[a-z][a-z0-9]*)(?:@(-?{number}))?(?:/({number})neg)?(?:/(repeated|new))?", name
    )
    if match is None or match[1] not in metrics:
        typed = re.search(r"[0-9]{1,9}$", name)
        likely_k = int(typed[0]) if typed and int(typed[0]) > 0 else 10
        near = [
            replace(entry, k=likely_k).name if entry.takes_k else entry.name for entry in metrics.values()
        ]
        known = ", ".join(entry.label for entry in metrics.values())
        hint = did_you_mean(name.strip().lower(), near) or f"; known metrics are {known}"
        raise MetricError(f"no metric is called {name!r}{hint}")
    k, sampled = (None if number is None else int(number) for number in match.groups()[1:3])
    return metrics[match[1]].at(k, sampled, n_items, cast("HitPart | None", match[4]))


def needs_scores(metrics: Sequence[Metric]) -> bool:
    """Return whether any is made from scores: of all items, or of items that were drawn.

    >>> [needs_scores([parse_metric(name)]) for name in ("ndcg@10", "rmse", "auc", "hit@10/99neg")]
    [False, False, True, True]
    """
    return any(metric.sampled is not None or metric.made_from(ScoreInputs) for metric in metrics)


def not_from_lists(metric: Metric) -> str | None:
    """Return why a metric cannot be measured on lists alone; None if it can.

    >>> [not_from_lists(parse_metric(name)) for name in ("ndcg@10", "rmse", "hit@10/99neg")]
    [None, 'lists hold no predicted ratings', 'lists do not rank the items that it draws']
    """
    if metric.kind == "rating":
        return "lists hold no predicted ratings"
    if metric.sampled is not None:
        return "lists do not rank the items that it draws"
    return "lists hold no scores of all items" if needs_scores([metric]) else None


def made_from_sums(metric: Metric) -> bool:
    """Return whether a rating metric is made from the sums that a final stores of each user's errors.

    >>> [made_from_sums(parse_metric(name)) for name in ("rmse", "mae", "r2", "ndcg@10")]
    [True, True, False, False]
    """
    return metric.kind == "rating" and not metric.per_user and metric.made_from(StoredInputs)


def list_length(metrics: Sequence[Metric]) -> int:
    """Return K, the longest list among all candidates that any is made from.

    >>> list_length([parse_metric(name) for name in ("ndcg@10", "recall@20", "hit@50/99neg", "rmse")])
    20
    """
    return max((metric.k for metric in metrics if metric.k is not None and metric.sampled is None), default=0)


def exposed_length(metrics: Sequence[Metric]) -> int | None:
    """Return how much of each list is looked at for popularity lift, head and tail; None without a list.

    >>> exposed_length([parse_metric(name) for name in ("rmse", "hit@50/99neg", "recall@20", "ndcg@10")])
    20
    """
    return next((metric.k for metric in metrics if metric.k and not metric.sampled), None)


def listing() -> list[dict[str, str]]:
    """Return name, kind, formula, better, range and source of every metric, as text.

    >>> listing()[0]["name"], listing()[0]["range"], listing()[0]["better"]
    ('precision@k', '0 to 1', 'higher')
    """
    return [
        {
            "name": entry.label,
            "kind": entry.kind,
            "formula": entry.formula,
            "better": entry.better,
            "range": entry.limits,
            "source": entry.source,
        }
        for entry in registered().values()
    ]
