"""Per-user values of finals, as every number on a board is made from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from benchmark.leaderboard.table import DRAWS
from benchmark.metrics.evaluator import summarise
from benchmark.metrics.register import Metric
from benchmark.protocol import Ids, Values
from benchmark.statistics.intervals import bootstrap_intervals, bootstrap_ratio_interval

LEAST_USERS = 2
DEFAULT = "default"
DERIVED = frozenset({"rmse", "mse", "mae", "coverage", "gini"})
"""Metrics of the whole test set that are made from stored sums and lists."""
Stretch: TypeAlias = tuple[float | None, float | None]
"""Both ends of an interval; None where there are too few users for one."""


class PerUserScores:
    """The stored finals of one data set."""

    def __init__(self, per_user: pd.DataFrame, primary: Metric, train_on: str, n_items: int) -> None:
        """Keep the rows; ``train_on`` says which finals the board ranks."""
        self.primary, self.train_on = primary, train_on
        self._per_user, self._n_items = per_user, n_items

    def rows(self, model: str, train_on: str | None = None) -> pd.DataFrame:
        """Return the rows of a model's finals; those of its default configuration are not among them."""
        wanted = (model, train_on or self.train_on)
        return self._ranked.get(wanted, self._per_user.iloc[:0])

    @cached_property
    def _ranked(self) -> dict[tuple[str, str], pd.DataFrame]:
        """The rows of chosen configurations by model and what they were trained on."""
        rows = self._per_user[~self._of_default()]
        parts = rows.groupby(["model", "train_on"], sort=False, observed=True)
        return {(str(model), str(train_on)): part for (model, train_on), part in parts}

    def _of_default(self) -> Any:
        """Return which rows are of default configurations, (rows,) bool."""
        return self._per_user["train_on"] == DEFAULT

    def within(self, users: Ids) -> PerUserScores:
        """Return the same finals for these users alone."""
        rows = self._per_user[self._per_user["user"].isin(users)]
        return PerUserScores(rows, self.primary, self.train_on, self._n_items)

    def judged_by(self, metric: Metric, column: str) -> PerUserScores:
        """Return the same finals with another stored column in place of the primary metric."""
        rows = self._per_user.assign(**{metric.name: self._per_user[column]})
        return PerUserScores(rows, metric, self.train_on, self._n_items)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what is stored of each user."""
        return tuple(map(str, self._per_user.columns))

    @property
    def users(self) -> Ids:
        """Dense ids of the evaluated users, (E,) ascending."""
        return np.unique(self._per_user["user"].to_numpy(np.int32))

    def gain_over_default(self, model: str) -> float | None:
        """Return primary value of seed 0 as tuned minus that of the default configuration, on test.

        None where no final of the default was stored. A positive gain is an improvement.
        """
        rows = self._per_user[(self._per_user["model"] == model) & (self._per_user["seed"] == 0)]
        tuned = self.rows(model)
        tuned = tuned[tuned["seed"] == 0]
        default = rows[self._of_default().loc[rows.index]]
        if default.empty or tuned.empty:
            return None
        values = [self._of_seed(self.primary, part) for part in (tuned, default)]
        if values[0] is None or values[1] is None:
            return None
        sign = 1.0 if self.primary.higher_is_better else -1.0
        return sign * (values[0] - values[1])

    def value(self, metric: Metric, model: str, train_on: str | None = None) -> float | None:
        """Return a metric's mean over seeds; None where the model has none."""
        values = [self._of_seed(metric, part) for _, part in self.rows(model, train_on).groupby("seed")]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    def can_derive(self, metric: Metric) -> bool:
        """Return whether a metric can be made again from the stored rows."""
        if metric.per_user:
            return metric.name in self._per_user
        return metric.base in DERIVED

    def mean_of(self, column: str, model: str) -> float | None:
        """Return the mean over users, then seeds, of a stored column; None where nobody has a value."""
        rows = self.rows(model)
        if column not in rows or rows[column].isna().all():
            return None
        return float(rows.groupby("seed")[column].mean().mean())

    def _of_seed(self, metric: Metric, rows: pd.DataFrame) -> float | None:
        if metric.kind == "rating":
            if rows["ratings"].isna().any():
                return None
            column = "absolute_error" if metric.base == "mae" else "squared_error"
            return summarise(metric, error_sums=rows[column].to_numpy(), ratings=rows["ratings"].to_numpy())
        if metric.kind == "catalogue" and not metric.per_user:
            return summarise(metric, lists=np.stack(rows["items"].to_list()), n_items=self._n_items)
        return summarise(metric, per_user=rows[metric.name].to_numpy())

    def seeds_by_users(self, model: str) -> Values:
        """Return (S, U) contributions whose mean over users is the primary value of each seed.

        For RMSE they are squared errors times U / N, whose mean is the MSE: flipping signs of their
        differences is as exact as for any per-user metric.
        """
        rows = self.rows(model).sort_values("user")
        return np.stack([self._contributions(part) for _, part in rows.groupby("seed")])

    def _contributions(self, rows: pd.DataFrame) -> Values:
        if self.primary.kind == "rating":
            column = "absolute_error" if self.primary.base == "mae" else "squared_error"
            return np.asarray(rows[column] * (len(rows) / rows["ratings"].sum()), dtype=np.float64)
        values = rows[self.primary.name].to_numpy(dtype=np.float64)
        known: Values = values[~np.isnan(values)]
        return known

    def intervals(self, models: Sequence[str], level: float) -> dict[str, Stretch]:
        """Return each model's BCa interval of the primary value over users; None for fewer than two users."""
        if self.primary.kind == "rating":
            return {model: self._error_interval(model, level) for model in models}
        means = [self.seeds_by_users(model).mean(axis=0) for model in models]
        if not means or len(means[0]) < LEAST_USERS:
            return dict.fromkeys(models, (None, None))
        ends = bootstrap_intervals(np.stack(means), level=level, draws=DRAWS, seed=0)
        return {model: (float(low), float(high)) for model, (low, high) in zip(models, ends, strict=True)}

    def interval(self, model: str, level: float) -> Stretch:
        """Return one model's interval, as :meth:`intervals`."""
        return self.intervals([model], level)[model]

    def _error_interval(self, model: str, level: float) -> Stretch:
        """Return the interval of a micro average: users are drawn with their errors and their ratings."""
        column = "absolute_error" if self.primary.base == "mae" else "squared_error"
        users = self.rows(model).groupby("user")[[column, "ratings"]].mean()
        if len(users) < LEAST_USERS:
            return None, None
        errors, ratings = users[column].to_numpy(np.float64), users["ratings"].to_numpy(np.float64)
        root = np.sqrt if self.primary.base == "rmse" else None
        interval = bootstrap_ratio_interval(errors, ratings, root, level=level, draws=DRAWS, seed=0)
        return interval.low, interval.high
