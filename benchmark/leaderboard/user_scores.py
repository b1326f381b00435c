"""Per-user values of finals, as every number on a board is made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from benchmark.leaderboard.stored_columns import StoredColumns
from benchmark.leaderboard.table import DRAWS
from benchmark.metrics.evaluator import summarise
from benchmark.metrics.register import Metric
from benchmark.protocol import Array, Ids, Values
from benchmark.records import TrainOn
from benchmark.results import PerUserPart
from benchmark.statistics.intervals import Interval, bootstrap_intervals, bootstrap_ratio_interval

LEAST_USERS = 2
"""Fewer have no interval."""
DERIVED = frozenset({"rmse", "mse", "mae", "coverage", "gini"})
"""Metrics of the whole test set that are made from stored sums and lists."""


@dataclass(frozen=True)
class PerUserScores:
    """The stored finals of one data set.

    Attributes:
        stored: their columns.
        primary: the metric that ranks.
        train_on: which finals the board ranks.
        n_items: I, for coverage and the like.
        column: the stored column that stands in for the primary metric; its own if empty.
        among: the users that are looked at, ascending; None for all.
    """

    stored: StoredColumns
    primary: Metric
    train_on: TrainOn
    n_items: int
    column: str = ""
    among: Ids | None = None
    _masks: dict[int, Array] = field(default_factory=dict, repr=False)

    def within(self, users: Ids) -> PerUserScores:
        """Return the same finals for these users alone."""
        return replace(self, among=users, _masks={})

    def with_primary(self, metric: Metric, column: str) -> PerUserScores:
        """Return the same finals with another stored column in place of the primary metric."""
        return replace(self, primary=metric, column=column)

    @property
    def columns(self) -> frozenset[str]:
        """Names of what is stored of each user."""
        return self.stored.names

    @property
    def users(self) -> Ids:
        """Dense ids of the evaluated users, (E,) ascending."""
        everyone = self.stored.audience
        return everyone if self.among is None else np.intersect1d(everyone, self.among)

    def gain_over_default(self, model: str) -> float | None:
        """Return primary value of seed 0 as tuned minus that of the default configuration, on test.

        None where no final of the default was stored. A positive gain is an improvement.
        """
        values = []
        for parts in (self.stored.of(model, None, "default"), self.stored.of(model, self.train_on)):
            first = [part for part in parts if part.final.seed == 0]
            values.append(self.values_of([self.primary], first[0])[self.primary.name] if first else None)
        before, after = values
        if before is None or after is None:
            return None
        return after - before if self.primary.higher_is_better else before - after

    def value(self, metric: Metric, model: str, train_on: TrainOn | None = None) -> float | None:
        """Return a metric's mean over seeds; None where the model has none."""
        return self.values([metric], model, train_on)[metric.name]

    def values(
        self, metrics: Sequence[Metric], model: str, train_on: TrainOn | None = None
    ) -> dict[str, float | None]:
        """Return each metric's mean over seeds, by name; None where the model has none, or some seed has not.

        Finals are looked at one after another: the lists of one are in memory at a time.
        """
        finals = [self.values_of(metrics, part) for part in self.stored.of(model, train_on or self.train_on)]
        found: dict[str, float | None] = {}
        for metric in metrics:
            seeds = [value for final in finals if (value := final[metric.name]) is not None]
            found[metric.name] = float(np.mean(seeds)) if seeds and len(seeds) == len(finals) else None
        return found

    def can_derive(self, metric: Metric) -> bool:
        """Return whether a metric can be made again from the stored columns."""
        if metric.per_user:
            return metric.name in self.columns or metric.name == self.primary.name
        return metric.base in DERIVED

    def mean_of(self, column: str, model: str) -> float | None:
        """Return the mean over users, then seeds, of a stored column; None where nobody has a value."""
        if column not in self.columns:
            return None
        seeds = pd.Series(
            [
                pd.Series(values).groupby(np.zeros(len(values))).mean().squeeze()  # its sum is compensated
                for part in self.stored.of(model, self.train_on)
                if len(values := self._read(part, column))
            ],
            dtype=np.float64,
        )
        return float(seeds.mean()) if seeds.notna().any() else None

    def values_of(self, metrics: Sequence[Metric], part: PerUserPart) -> dict[str, float | None]:
        """Return each metric of one final, by name; None for rating metrics of a model without ratings."""
        found: dict[str, float | None] = {}
        lists: Ids | None = None
        for metric in metrics:
            if metric.kind == "rating":
                found[metric.name] = self._rating_value(metric, part)
            elif metric.kind == "catalogue" and not metric.per_user:
                lists = self._masked(part, part.lists()) if lists is None else lists
                is_long = metric.k is not None and lists.shape[1] >= metric.k  # not where k was raised since
                value = summarise(metric, lists=lists, n_items=self.n_items) if is_long else None
                found[metric.name] = value
            elif metric.name in part.columns or metric.name == self.primary.name:
                found[metric.name] = summarise(metric, per_user=self._read(part, metric.name))
            else:  # of lists made elsewhere it cannot be measured, or it was added to the suite since
                found[metric.name] = None
        return found

    def _rating_value(self, metric: Metric, part: PerUserPart) -> float | None:
        """Return a metric of one final from its sums; None where it has no ratings."""
        ratings = self._read(part, "ratings")
        if np.isnan(ratings).any():
            return None
        return summarise(metric, error_sums=self._read(part, error_column(metric)), ratings=ratings)

    def seeds_by_users(self, model: str) -> Values:
        """Return (S, U) contributions whose mean over users is the primary value of each seed.

        For RMSE they are squared errors times U / N, whose mean is the MSE: flipping signs of their
        differences is as exact as for any per-user metric.
        """
        parts = self.stored.of(model, self.train_on)
        if self.primary.kind == "rating":
            column = error_column(self.primary)
            scaled = [
                self._read(part, column) * (len(ratings) / ratings.sum())
                for part in parts
                for ratings in [self._read(part, "ratings")]
            ]
            return np.stack(scaled)
        values = [self._read(part, self.primary.name) for part in parts]
        return np.stack([seed[~np.isnan(seed)] for seed in values])

    def intervals(self, models: Sequence[str], level: float) -> Mapping[str, Interval | None]:
        """Return each model's BCa interval of the primary value over users; None for fewer than two users."""
        if self.primary.kind == "rating":
            return {model: self._error_interval(model, level) for model in models}
        means = [self.seeds_by_users(model).mean(axis=0) for model in models]
        if not means or len(means[0]) < LEAST_USERS:
            return dict.fromkeys(models)
        ends = bootstrap_intervals(np.stack(means), level=level, draws=DRAWS, seed=0)
        return {
            model: Interval(float(low), float(high)) for model, (low, high) in zip(models, ends, strict=True)
        }

    def _error_interval(self, model: str, level: float) -> Interval | None:
        """Return the interval of a micro average: users are drawn with their errors and their ratings."""
        column = error_column(self.primary)
        rows = pd.concat(
            [
                pd.DataFrame(
                    {name: self._read(part, name) for name in (column, "ratings")},
                    index=self._masked(part, self.stored.users(part)),
                )
                for part in self.stored.of(model, self.train_on)
            ]
        )
        users = rows.groupby(level=0).mean()
        if len(users) < LEAST_USERS:
            return None
        errors, ratings = (users[name].to_numpy(np.float64) for name in (column, "ratings"))
        root = np.sqrt if self.primary.base == "rmse" else None
        return bootstrap_ratio_interval(errors, ratings, root, level=level, draws=DRAWS, seed=0)

    def _read(self, part: PerUserPart, name: str) -> Array:
        """Return a stored column of the users looked at; the primary metric's stays in memory."""
        is_primary = name == self.primary.name
        if is_primary or (self.primary.kind == "rating" and name in {error_column(self.primary), "ratings"}):
            column = self.stored.held(part, self.column if is_primary and self.column else name)
        else:
            column = part.column(name)
        return self._masked(part, column)

    def _masked(self, part: PerUserPart, rows: Array) -> Array:
        """Return the rows of the users looked at, of rows of all users."""
        if self.among is None:
            return rows
        users = self.stored.users(part)
        if id(users) not in self._masks:
            self._masks[id(users)] = np.isin(users, self.among)
        chosen: Array = rows[self._masks[id(users)]]
        return chosen


def error_column(metric: Metric) -> str:
    """Return the stored column that a rating metric is made from."""
    return "absolute_error" if metric.base == "mae" else "squared_error"
