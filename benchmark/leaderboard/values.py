"""Per-user values of finals, as every number on a board is made from them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.leaderboard.table import DRAWS
from benchmark.metrics.evaluate import summarise
from benchmark.metrics.names import Metric
from benchmark.protocol import Values
from benchmark.statistics.intervals import bootstrap_interval, bootstrap_ratio_interval

LEAST_USERS = 2


class Finals:
    """The stored finals of one data set."""

    def __init__(self, per_user: pd.DataFrame, primary: Metric, train_on: str, n_items: int) -> None:
        """Keep the rows; ``train_on`` says which finals the board ranks."""
        self.primary, self.train_on = primary, train_on
        self._per_user, self._n_items = per_user, n_items

    def rows(self, model: str, train_on: str | None = None) -> pd.DataFrame:
        """Return the rows of a model's finals."""
        wanted = train_on or self.train_on
        return self._per_user[(self._per_user["model"] == model) & (self._per_user["train_on"] == wanted)]

    def value(self, metric: Metric, model: str, train_on: str | None = None) -> float | None:
        """Return a metric's mean over seeds; None where the model has none."""
        values = [self._of_seed(metric, part) for _, part in self.rows(model, train_on).groupby("seed")]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

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

    def interval(self, model: str, level: float) -> tuple[float | None, float | None]:
        """Return the BCa interval of the primary value over users; None for fewer than two users."""
        if self.primary.kind == "rating":
            return self._error_interval(model, level)
        means = self.seeds_by_users(model).mean(axis=0)
        if len(means) < LEAST_USERS:
            return None, None
        interval = bootstrap_interval(means, level=level, draws=DRAWS, seed=0)
        return interval.low, interval.high

    def _error_interval(self, model: str, level: float) -> tuple[float | None, float | None]:
        """Return the interval of a micro average: users are drawn with their errors and their ratings."""
        column = "absolute_error" if self.primary.base == "mae" else "squared_error"
        users = self.rows(model).groupby("user")[[column, "ratings"]].mean()
        if len(users) < LEAST_USERS:
            return None, None
        errors, ratings = users[column].to_numpy(np.float64), users["ratings"].to_numpy(np.float64)
        root = np.sqrt if self.primary.base == "rmse" else None
        interval = bootstrap_ratio_interval(errors, ratings, root, level=level, draws=DRAWS, seed=0)
        return interval.low, interval.high
