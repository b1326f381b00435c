"""What is stored of an evaluation, and its values made again from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MetricError
from benchmark.metrics import coverage, rating
from benchmark.metrics.names import Metric
from benchmark.protocol import Array, Ids, Values


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
        counts: "users" evaluated; of them "without_relevant" and "cold_users" without a training row;
            relevant items left out because training had them, "hidden_relevant", or because they are no
            candidates, "barred_relevant"; "cold_relevant" items without a training row, which stay;
            "short_lists" with fewer candidates than places.
    """

    users: Ids
    per_user: dict[str, Values]
    lists: Ids
    squared_error: Values | None
    absolute_error: Values | None
    ratings: NDArray[np.int64] | None
    values: dict[str, float]
    counts: dict[str, int]


def summarise(  # noqa: PLR0913 - each metric needs two or three of these, all by keyword
    metric: Metric,
    *,
    per_user: Values | None = None,
    lists: Ids | None = None,
    error_sums: Values | None = None,
    ratings: NDArray[np.int64] | None = None,
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
        n_items: I, likewise.
        n_users: E, to refuse arrays in which users are missing.

    Raises:
        MetricError: an array this metric needs was not given, or not for every user.

    >>> from benchmark.metrics.names import parse
    >>> summarise(parse("ndcg@10"), per_user=np.array([0.5, np.nan, 1.0]), n_users=3)
    0.75
    """
    if metric.per_user:
        return _mean(_whole(metric, "per_user", per_user, n_users))
    if metric.base in rating.OF_PREDICTIONS:
        raise MetricError(f"{metric.name} is made from every predicted rating, which is not stored.")
    if metric.kind == "rating":
        sums = _whole(metric, "error_sums", error_sums, n_users)
        return rating.BY_NAME[metric.base](sums, _whole(metric, "ratings", ratings, n_users))
    shown = _whole(metric, "lists", lists, n_users)
    if n_items is None or metric.k is None or shown.shape[1] < metric.k:
        raise MetricError(
            f"{metric.name} needs n_items and lists of {metric.k} places, not {shown.shape[1]}."
        )
    return coverage.OF_LISTS[metric.base](shown[:, : metric.k], n_items)


def _whole(metric: Metric, what: str, values: Array | None, n_users: int | None) -> Array:
    if values is None:
        raise MetricError(f"{metric.name} is made from {what}, which was not given.")
    if n_users is not None and len(values) != n_users:
        raise MetricError(
            f"{metric.name}: {what} has {len(values)} of {n_users} users; every evaluated user must be there."
        )
    return values


def _mean(values: Values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
