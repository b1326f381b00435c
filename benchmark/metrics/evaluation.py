"""What is stored of an evaluation, and its values made again from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.errors import MetricError
from benchmark.metrics.inputs import StoredInputs
from benchmark.metrics.register import Metric
from benchmark.protocol import Array, Ids, Longs, Values
from benchmark.records import TestCounts


@dataclass(frozen=True)
class Evaluation:
    """What one model did for E evaluated users: everything that is stored of it.

    Attributes:
        users: (E,) ascending.
        per_user: (E,) values of each metric that has them, by name; nan where a user has nothing to find.
        lists: (E, K) items shown, K the longest list asked for; -1 past the last candidate.
        squared_error: (E,) sum over the user's held-out ratings; None where the model rates nothing.
        absolute_error: (E,) likewise.
        ratings: (E,) number of held-out ratings; None likewise.
        values: the value of every metric asked for, by name; nan where there is no data for it.
        counts: how many users and items it is about.
    """

    users: Ids
    per_user: dict[str, Values]
    lists: Ids
    squared_error: Values | None
    absolute_error: Values | None
    ratings: Longs | None
    values: dict[str, float]
    counts: TestCounts


def summarise(  # noqa: PLR0913 - each metric needs two or three of these, all by keyword
    metric: Metric,
    *,
    per_user: Values | None = None,
    lists: Ids | None = None,
    error_sums: Values | None = None,
    ratings: Longs | None = None,
    n_items: int | None = None,
    n_users: int | None = None,
) -> float:
    """Return the value of a whole test set from what was stored of its users; nan where nobody has a value.

    Args:
        metric: which value.
        per_user: (E,) values of this metric, for metrics that have them; nan is excluded from the mean.
        lists: (E, K) for what is true of all lists together, such as coverage.
        error_sums: (E,) squared errors for "rmse" and "mse", absolute ones for "mae".
        ratings: (E,) number of ratings in each sum.
        n_items: I, for coverage and the like.
        n_users: E, to refuse arrays in which users are missing.

    Raises:
        MetricError: an array that this metric needs was not given, or not for every user.

    >>> from benchmark.metrics.register import parse_metric
    >>> summarise(parse_metric("ndcg@10"), per_user=np.array([0.5, np.nan, 1.0]), n_users=3)
    0.75
    """

    def whole(what: str, values: Array | None) -> Array:
        if values is None:
            raise MetricError(f"{metric.name} is made from {what}, which was not given.")
        if n_users is not None and len(values) != n_users:
            raise MetricError(
                f"{metric.name}: {what} has {len(values)} of {n_users} users;"
                " every evaluated user must be there."
            )
        return values

    if metric.per_user:
        return mean_over_users(whole("per_user", per_user))
    if not metric.made_from(StoredInputs):
        raise MetricError(f"{metric.name} is made from {', '.join(sorted(metric.needs))}; not all is stored.")
    if metric.kind == "rating":
        sums = whole("error_sums", error_sums)
        stored = StoredInputs(squared_error=sums, absolute_error=sums, ratings=whole("ratings", ratings))
        return float(metric.compute(stored))
    shown = whole("lists", lists)
    if n_items is None or metric.k is None or shown.shape[1] < metric.k:
        raise MetricError(
            f"{metric.name} needs n_items and lists of {metric.k} items, not of {shown.shape[1]}."
        )
    return float(metric.compute(StoredInputs(lists=shown[:, : metric.k], k=metric.k, n_items=n_items)))


def mean_over_users(values: Values) -> float:
    """Return the mean of the users who have a value; nan where nobody has.

    >>> mean_over_users(np.array([0.5, np.nan, 1.0]))
    0.75
    """
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if len(valid) else float("nan")
