"""The same board for groups of the users, or for kinds of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmark.datasets.store.parts import load_parts
from benchmark.errors import BenchError, RunError, did_you_mean
from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.dataset_results import LEARNED_PARTS, DatasetResults
from benchmark.leaderboard.rows import GroupRow
from benchmark.leaderboard.table import Groups
from benchmark.leaderboard.user_scores import LEAST_USERS, PerUserScores
from benchmark.metrics.head_tail import HEAD_SHARE
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Array
from benchmark.records import Note
from benchmark.statistics.holm import holm

DEFAULT_BY = ("user.activity", "item.popularity")
FEW_USERS = 20
"""A smaller group is marked: its interval tells more about its few users than about the models."""
MOST_GROUPS = 40
MOST_NUMBERS = 8
"""A column with more different numbers is cut into thirds."""
THIRDS = (1 / 3, 2 / 3)

UNKNOWN = "unknown"
Group: TypeAlias = tuple[str, PerUserScores]
"""A group's name, and the finals of its users."""


@dataclass(frozen=True)
class UserLabels:
    """The group of every user.

    Attributes:
        labels: name of each user's group, (U,).
        order: the groups in order.
        cut: how they were made, a sentence.
    """

    labels: Array
    order: Sequence[str]
    cut: str


@dataclass(frozen=True)
class Subgroups:
    """What the boards of groups of one data set are made from.

    Attributes:
        results: what is stored of the data set.
        finals: per-user values of all models.
        models: those with a result, best first.
        reference: what the others are compared with.
        list_length: length of the lists that head and tail are told apart in; None for whole lists.
        unshown: models that belong to the family, though they have no row: Holm counts them.
    """

    results: DatasetResults
    finals: PerUserScores
    models: Sequence[str]
    reference: str | None
    list_length: int | None
    unshown: int = 0

    def tables(self, asked: Sequence[str] | None) -> tuple[Groups, ...]:
        """Return the board for each requested grouping, or for the default ones.

        Raises:
            RunError: what was asked for does not exist; a default that does not is there with its reason.
        """
        if not self.models:
            return ()
        if asked is not None:
            return tuple(self.table(by) for by in dict.fromkeys(asked))
        found = []
        for by in DEFAULT_BY:
            try:
                found.append(self.table(by))
            except BenchError as error:
                found.append(Groups(by, (), (Note(str(error)),)))
        return tuple(found)

    def table(self, by: str) -> Groups:
        """Return the board for one grouping.

        Raises:
            RunError: there are no such groups.
        """
        groups, cut = self.groups(by)
        rows = [row for name, finals in groups for row in self._rows(by, name, finals)]
        compared = [row.p_vs_reference for row in rows if row.p_vs_reference is not None]
        family = np.concatenate([compared, np.ones(self.unshown * len(groups))]).astype(np.float64)
        adjusted = iter(holm(family).tolist())
        rows = [
            row if row.p_vs_reference is None else replace(row, p_vs_reference=next(adjusted)) for row in rows
        ]
        legend = f"{1 - self.alpha:.0%} intervals, unadjusted: of values over users (BCa)"
        if compared:
            legend += (
                f", of differences to {self.reference} over users and seeds. p: seed-aware, Holm over the "
                f"{len(family)} comparisons of this table (models × groups)"
            )
        notes = [Note(cut), Note(f"{legend}.")]
        if any(row.few_users for row in rows):
            notes.append(
                Note(f"Groups marked ! have fewer than {FEW_USERS} users, too few to conclude much.")
            )
        return Groups(by, tuple(rows), tuple(notes))

    @property
    def alpha(self) -> float:
        """Level of the intervals and of the family."""
        return self.results.suite.verdict.alpha

    def _rows(self, by: str, group: str, finals: PerUserScores) -> list[GroupRow]:
        """Return one row per model; only its value if the group has too few users for an interval."""
        users = finals.seeds_by_users(self.models[0]).shape[1]
        ends = finals.intervals(self.models, 1 - self.alpha)
        rows = []
        for model in self.models:
            interval = ends[model]
            row = GroupRow(
                dataset=self.results.dataset,
                by=by,
                group=group,
                users=users,
                few_users=users < FEW_USERS,
                model=model,
                metric=finals.primary.name,
                value=finals.value(finals.primary, model),
            )
            rows.append(row if interval is None else replace(row, low=interval.low, high=interval.high))
        reference = self.reference
        if users < LEAST_USERS or reference is None or reference not in self.models:
            return rows
        fixed = {model: study.deterministic for model, study in self.results.studies.items()}
        comparison = Comparison(self.models, finals, fixed, self.alpha)
        for index, row in enumerate(rows):
            if row.model != reference:
                verdict = comparison.verdict(row.model, reference)
                scale = comparison.scale(row.model, reference)
                rows[index] = replace(
                    row,
                    diff_to_reference=verdict.difference / scale,
                    diff_low=verdict.low / scale,
                    diff_high=verdict.high / scale,
                    p_vs_reference=verdict.p,
                )
        return rows

    def groups(self, by: str) -> tuple[list[Group], str]:
        """Return the groups of a grouping, without empty ones, and how they were made.

        Raises:
            RunError: there are no such groups.
        """
        subject, _, column = by.partition(".")
        if by == "item.popularity":
            return self.head_and_tail()
        if subject != "user" or not column:
            offered = [*DEFAULT_BY, *(f"user.{name}" for name in self.user_table.columns)]
            raise RunError(
                f"--by {by}: {self.results.dataset} has no such groups{did_you_mean(by, offered)}; "
                f"it has {', '.join(offered)}"
            )
        labelled = self.by_activity() if column == "activity" else self.by_column(column)
        if len(labelled.order) > MOST_GROUPS:
            raise RunError(
                f"--by {by}: {len(labelled.order)} different values make too many groups, at most "
                f"{MOST_GROUPS} can be told apart; group by a coarser column, such as user.age_band for "
                "user.age"
            )
        users = self.finals.users
        labels = labelled.labels[users]
        present = [name for name in labelled.order if (labels == name).any()]
        return [(name, self.finals.within(users[labels == name])) for name in present], labelled.cut

    def by_activity(self) -> UserLabels:
        """Return each user's group by rows in the parts that the finals learned from.

        The cuts are at thirds of the evaluated users.
        """
        log = load_parts(self.split_folder, *LEARNED_PARTS[self.finals.train_on])
        counts = np.bincount(log.users, minlength=log.n_users)
        low, high = thirds(counts[self.finals.users])
        names = [
            f"light (at most {low:g} rows)",
            f"medium (over {low:g} to {high:g})",
            f"heavy (over {high:g})",
        ]
        cut = f"By rows of each user in {self.finals.train_on}, cut at thirds of the evaluated users."
        return UserLabels(binned(counts, (low, high), names), names, cut)

    def by_column(self, column: str) -> UserLabels:
        """Return each user's group by a column of the user table; many numbers are cut at thirds.

        Raises:
            RunError: there is no such column.
        """
        table = self.user_table
        if column not in table:
            offered = ["activity", *map(str, table.columns)]
            raise RunError(
                f"--by user.{column}: the users of {self.results.dataset} have no such column"
                f"{did_you_mean(column, offered)}; they have {', '.join(offered)}"
            )
        values = table[column]
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_NUMBERS:
            numbers = values.to_numpy(np.float64)
            evaluated = numbers[self.finals.users]
            low, high = thirds(evaluated[~np.isnan(evaluated)])
            names = [f"at most {low:g}", f"over {low:g} to {high:g}", f"over {high:g}"]
            labels = np.where(np.isnan(numbers), UNKNOWN, binned(numbers, (low, high), names))
            cut = f"By {column} of the users, cut at thirds of the evaluated users."
            return UserLabels(labels, [*names, UNKNOWN], cut)
        order = [*map(str, sorted(values.dropna().unique())), UNKNOWN]
        labels = np.array([UNKNOWN if pd.isna(value) else str(value) for value in values], dtype=object)
        return UserLabels(labels, order, f"By {column} of the users, as the data set gives it.")

    def head_and_tail(self) -> tuple[list[Group], str]:
        """Return the finals evaluated on head items alone, and on tail items alone.

        Raises:
            RunError: the run has stored nothing of head and tail.
        """
        finals, metric = self.finals, self.finals.primary
        if f"{metric.name}_head" not in finals.columns:
            if "recall_head" not in finals.columns:
                raise RunError(
                    "--by item.popularity: no values are stored for head and tail items of "
                    f"{self.results.dataset}; the suite needs a ranking metric with a cut-off, such as "
                    "ndcg@10"
                )
            metric = parse_metric("recall" if self.list_length is None else f"recall@{self.list_length}")
        stem = metric.name if f"{metric.name}_head" in finals.columns else metric.base
        groups = [(kind, finals.with_primary(metric, f"{stem}_{kind}")) for kind in ("head", "tail")]
        cut = (
            f"{metric.name} of popular items alone (head: the fewest that hold {HEAD_SHARE:.0%} of training "
            "rows) and of the others alone (tail), in the same lists; users with such an item held out."
        )
        return groups, cut

    @cached_property
    def user_table(self) -> pd.DataFrame:
        """What the data set says of its users, a row for each dense id.

        Raises:
            RunError: it is gone or damaged.
        """
        path = self.split_folder / "users.parquet"
        try:
            return pd.read_parquet(path).drop(columns="id", errors="ignore")
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error

    @property
    def split_folder(self) -> Path:
        """The folder of the stored split.

        Raises:
            RunError: the run no longer holds it.
        """
        if self.results.split_folder is None:
            raise RunError(
                f"{self.results.dataset}: the run no longer holds its split, which says what groups users "
                "are in; put the splits folder back, or run the suite again"
            )
        return self.results.split_folder


def thirds(values: Array) -> tuple[float, float]:
    """Return the values that one third, and two thirds, of all values do not exceed.

    >>> thirds(np.array([1, 2, 3, 4, 5, 6]))
    (2.0, 4.0)
    """
    low, high = np.quantile(values, THIRDS, method="inverted_cdf")
    return float(low), float(high)


def binned(values: Array, cuts: tuple[float, float], names: Sequence[str]) -> Array:
    """Return the name of each value's bin; a value equal to a cut belongs below it, nan to the last bin."""
    found: Array = np.array(names, dtype=object)[np.searchsorted(cuts, values)]
    return found
