"""Models over several data sets: mean rank, wins, share completed, and the tests that so few sets allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmark.errors import StatisticsError
from benchmark.leaderboard.folds import by_dataset, scores_over, validation_over
from benchmark.leaderboard.formatting import p_value
from benchmark.leaderboard.rows import AcrossRow
from benchmark.leaderboard.table import Table
from benchmark.metrics.register import parse_metric
from benchmark.records import Note
from benchmark.statistics import multi_dataset as tests
from benchmark.statistics.resample import Matrix

Result = TypeVar("Result")


@dataclass(frozen=True)
class Across:
    """The models over all data sets of a board.

    Attributes:
        primary: the metric that ranks.
        rows: best mean rank first.
        families: names of the independent families of data.
        reference: the completed model with the best mean validation rank; the others are tested against it.
        notes: what a reader must know, refused tests among it.
        critical_difference: Nemenyi's, where there are enough families.
    """

    primary: str
    rows: tuple[AcrossRow, ...]
    families: tuple[str, ...]
    reference: str | None
    notes: tuple[Note, ...] = ()
    critical_difference: float | None = None


def across(tables: Sequence[Table]) -> Across | None:
    """Return the models over all tables; None if there are fewer than two.

    A model without a result on a data set is ranked with popularity's score there (the worst score, where
    popularity has none) and flagged; the tests use models that completed everywhere, and the mean rank of
    a family of data sets once. The splits of one data set are one data set: their means are ranked.
    """
    datasets = [DatasetMeans.from_tables(name, splits) for name, splits in by_dataset(tables).items()]
    if len(datasets) < 2:
        return None
    models = list(dict.fromkeys(row.model for table in tables for row in table.rows))
    ranks, completed = ranks_by_dataset(datasets, models)
    rows = [
        AcrossRow(
            model=model,
            mean_rank=float(ranks[:, m].mean()),
            wins=sum(dataset.first == model for dataset in datasets),
            completed=float(completed[:, m].mean()),
            imputed=", ".join(
                dataset.name for dataset, done in zip(datasets, completed[:, m], strict=True) if not done
            ),
        )
        for m, model in enumerate(models)
    ]
    whole = [m for m in range(len(models)) if completed[:, m].all()]
    tested = FamilyTests(datasets, [models[m] for m in whole], ranks[:, whole])
    rows = tested.filled(rows)
    critical_difference = tested.critical_difference()
    families = tested.families
    counting = Note(
        f"{len(datasets)} data sets count as {len(families)} independent families ({', '.join(families)}). "
        "A model without a result is ranked with popularity's score and flagged; it is never tested."
    )
    return Across(
        tables[0].primary,
        tuple(sorted(rows, key=lambda row: row.mean_rank)),
        families,
        tested.reference,
        (counting, *tested.notes),
        critical_difference,
    )


def family(dataset: str) -> str:
    """Return the family of a data set: the sizes of one publisher's log are not independent.

    >>> family("movielens-100k"), family("movielens-latest-small"), family("shop-a")
    ('movielens', 'movielens', 'shop-a')
    """
    return "movielens" if dataset.startswith("movielens-") else dataset


@dataclass(frozen=True)
class DatasetMeans:
    """One data set: the means over its splits of the models that have a result on each.

    Attributes:
        name: its label.
        scores: value on test of each model, higher is better.
        valid: value on validation, likewise.
        popularity: the name that popularity has there.
        alpha: level of the tests.
    """

    name: str
    scores: Mapping[str, float]
    valid: Mapping[str, float]
    popularity: str | None
    alpha: float

    @classmethod
    def from_tables(cls, name: str, tables: Sequence[Table]) -> DatasetMeans:
        """Return the data set that these tables are splits of."""
        facts = tables[0].facts
        sign = 1.0 if parse_metric(tables[0].primary).higher_is_better else -1.0
        scores, valid = (
            {model: sign * float(values.mean()) for model, values in over(tables).items()}
            for over in (scores_over, validation_over)
        )
        return cls(name, scores, valid, facts.popularity, facts.alpha)

    @property
    def first(self) -> str | None:
        """The model with the best mean."""
        return max(self.scores, key=lambda model: self.scores[model], default=None)


def ranks_by_dataset(
    datasets: Sequence[DatasetMeans], models: Sequence[str]
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Return ranks (D, M), 1 is best, and which scores are real (D, M)."""
    ranks = np.empty((len(datasets), len(models)))
    completed = np.zeros(ranks.shape, dtype=np.bool_)
    for d, dataset in enumerate(datasets):
        worst = min(dataset.scores.values(), default=0.0)
        floor = dataset.scores.get(dataset.popularity or "", worst)
        completed[d] = [model in dataset.scores for model in models]
        ranks[d] = rankdata([-dataset.scores.get(model, floor) for model in models])
    return ranks, completed


class FamilyTests:
    """Tests over independent families of data; a test that the data do not allow becomes a note.

    Attributes:
        families: their names.
        reference: the model with the best mean rank on validation: no test score has a say in it.
        notes: what the tests say, or why they were refused.
    """

    def __init__(self, datasets: Sequence[DatasetMeans], models: Sequence[str], ranks: Matrix) -> None:
        """Take the data sets, the models that completed on all of them, and their ranks (D, M)."""
        self._models, self._alpha = models, datasets[0].alpha
        of_dataset = [family(dataset.name) for dataset in datasets]
        self.families = tuple(dict.fromkeys(of_dataset))
        rows = [[name == other for other in of_dataset] for name in self.families]
        self._scores = -np.stack([ranks[row].mean(axis=0) for row in rows])  # higher is better
        self.notes: list[Note] = []
        self.reference = None
        tuned = [model for model in models if all(model in dataset.valid for dataset in datasets)]
        if tuned:
            valid = [rankdata([-dataset.valid[model] for model in tuned]) for dataset in datasets]
            self.reference = tuned[int(np.mean(valid, axis=0).argmin())]

    def filled(self, rows: Sequence[AcrossRow]) -> list[AcrossRow]:
        """Return the rows with rank and p of each completed model."""
        if self.reference is None or len(self._models) < 2:
            self.notes.append(
                Note("No tests over data sets: fewer than two models completed on all of them.")
            )
            return list(rows)
        reference, n_families = self._models.index(self.reference), len(self.families)
        p = self._attempt(lambda: tests.compare_over_families(self._scores, reference, alpha=self._alpha))
        if p is not None:
            self.notes.append(
                Note(f"p: exact Wilcoxon over {n_families} families against {self.reference}, Holm.")
            )
        friedman = self._attempt(lambda: tests.iman_davenport(self._scores))
        if friedman is not None:
            text = f"Friedman (Iman-Davenport): F {friedman.statistic:.3f}, p {p_value(friedman.p)}."
            self.notes.append(Note(f"{text} {friedman.caution}".strip()))
        mean_ranks = tests.mean_ranks(self._scores)
        index = {model: m for m, model in enumerate(self._models)}
        return [
            replace(
                row,
                family_rank=float(mean_ranks[index[row.model]]),
                p_vs_reference=None
                if p is None or row.model == self.reference
                else float(p[index[row.model]]),
            )
            if row.model in index
            else row
            for row in rows
        ]

    def critical_difference(self) -> float | None:
        """Return Nemenyi's critical difference; None, with a note, where there are too few families."""
        found = self._attempt(
            lambda: tests.critical_difference(len(self._models), len(self.families), alpha=self._alpha)
        )
        return None if found is None else float(found)

    def _attempt(self, test: Callable[[], Result]) -> Result | None:
        """Return a test's result; if there is not enough data for it, note why and return None."""
        try:
            return test()
        except StatisticsError as error:
            self.notes.append(Note(f"Refused: {error}"))
            return None
