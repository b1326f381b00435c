"""Per-user values of finals, as every number on a board is made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.leaderboard.table import DRAWS
from benchmark.metrics.evaluator import summarise
from benchmark.metrics.register import Metric
from benchmark.protocol import Ids, Values
from benchmark.records import TrainOn
from benchmark.statistics.intervals import Interval, bootstrap_intervals, bootstrap_ratio_interval

LEAST_USERS = 2
"""Fewer have no interval."""
DERIVED = frozenset({"rmse", "mse", "mae", "coverage", "gini"})
"""Metrics of the whole test set that are made from stored sums and lists."""


class PerUserScores:
    """The stored finals of one data set."""

    def __init__(self, per_user: pd.DataFrame, primary: Metric, train_on: TrainOn, n_items: int) -> None:
        """Keep the rows; ``train_on`` says which finals the board ranks."""
        self.primary, self.train_on = primary, train_on
        self._per_user, self._n_items = per_user, n_items

    def rows(self, model: str, train_on: TrainOn | None = None) -> pd.DataFrame:
        """Return the rows of a model's finals; those of its default configuration are not among them."""
        return self._tuned.get((model, train_on or self.train_on), self._per_user.iloc[:0])

    @cached_property
    def _tuned(self) -> Mapping[tuple[str, str], pd.DataFrame]:
        """The rows of chosen configurations by model and the parts they were trained on."""
        rows = self._per_user[~self._is_default]
        groups = rows.groupby(["model", "train_on"], sort=False, observed=True)
        return {(str(model), str(train_on)): group for (model, train_on), group in groups}

    @property
    def _is_default(self) -> NDArray[np.bool_]:
        """Which rows are of default configurations, (rows,)."""
        return np.asarray(self._column("config_source") == "default")

    def _column(self, name: str) -> pd.Series[float]:
        """Return a stored column, (rows,)."""
        return self._per_user[name]

    def within(self, users: Ids) -> PerUserScores:
        """Return the same finals for these users alone."""
        rows = self._per_user[self._column("user").isin(users)]
        return PerUserScores(rows, self.primary, self.train_on, self._n_items)

    def with_primary(self, metric: Metric, column: str) -> PerUserScores:
        """Return the same finals with another stored column in place of the primary metric."""
        rows = self._per_user.assign(**{metric.name: self._column(column)})
        return PerUserScores(rows, metric, self.train_on, self._n_items)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what is stored of each user."""
        return tuple(map(str, self._per_user.columns))

    @property
    def users(self) -> Ids:
        """Dense ids of the evaluated users, (E,) ascending."""
        return np.unique(self._column("user").to_numpy(np.int32))

    def gain_over_default(self, model: str) -> float | None:
        """Return primary value of seed 0 as tuned minus that of the default configuration, on test.

        None where no final of the default was stored. A positive gain is an improvement.
        """
        seed_0 = (self._column("seed") == 0) & (self._column("model") == model)
        default = self._per_user[seed_0 & self._is_default]
        tuned = self._per_user[seed_0 & ~self._is_default & (self._column("train_on") == self.train_on)]
        if default.empty or tuned.empty:
            return None
        before, after = self.value_of(self.primary, default), self.value_of(self.primary, tuned)
        if before is None or after is None:
            return None
        return after - before if self.primary.higher_is_better else before - after

    def value(self, metric: Metric, model: str, train_on: TrainOn | None = None) -> float | None:
        """Return a metric's mean over seeds; None where the model has none."""
        seeds = [self.value_of(metric, rows) for _, rows in self.rows(model, train_on).groupby("seed")]
        values = [value for value in seeds if value is not None]
        return float(np.mean(values)) if values else None

    def can_derive(self, metric: Metric) -> bool:
        """Return whether a metric can be made again from the stored rows."""
        return metric.name in self._per_user if metric.per_user else metric.base in DERIVED

    def mean_of(self, column: str, model: str) -> float | None:
        """Return the mean over users, then seeds, of a stored column; None where nobody has a value."""
        rows = self.rows(model)
        if column not in rows or rows[column].isna().all():
            return None
        return float(rows.groupby("seed")[column].mean().mean())

    def value_of(self, metric: Metric, rows: pd.DataFrame) -> float | None:
        """Return a metric of one final from its rows; None for a rating metric of a model without ratings."""
        if metric.kind == "rating":
            ratings = rows["ratings"]
            if ratings.isna().any():
                return None
            return summarise(
                metric, error_sums=rows[error_column(metric)].to_numpy(), ratings=ratings.to_numpy()
            )
        if metric.kind == "catalogue" and not metric.per_user:
            return summarise(metric, lists=np.stack(rows["items"].to_list()), n_items=self._n_items)
        return summarise(metric, per_user=rows[metric.name].to_numpy())

    def seeds_by_users(self, model: str) -> Values:
        """Return (S, U) contributions whose mean over users is the primary value of each seed.

        For RMSE they are squared errors times U / N, whose mean is the MSE: flipping signs of their
        differences is as exact as for any per-user metric.
        """
        seeds = self.rows(model).sort_values("user").groupby("seed")
        if self.primary.kind == "rating":
            column = error_column(self.primary)
            scaled = [rows[column] * (len(rows) / rows["ratings"].sum()) for _, rows in seeds]
            return np.stack([np.asarray(values, dtype=np.float64) for values in scaled])
        values = [rows[self.primary.name].to_numpy(dtype=np.float64) for _, rows in seeds]
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
        users = self.rows(model).groupby("user")[[column, "ratings"]].mean()
        if len(users) < LEAST_USERS:
            return None
        errors, ratings = (users[name].to_numpy(np.float64) for name in (column, "ratings"))
        root = np.sqrt if self.primary.base == "rmse" else None
        return bootstrap_ratio_interval(errors, ratings, root, level=level, draws=DRAWS, seed=0)


def error_column(metric: Metric) -> str:
    """Return the stored column that a rating metric is made from."""
    return "absolute_error" if metric.base == "mae" else "squared_error"
