"""Models over several data sets: mean rank, wins, completed share, and what tests so few sets can carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmark.errors import StatisticsError
from benchmark.leaderboard.folds import by_base, scores_over
from benchmark.leaderboard.table import Row, Table
from benchmark.metrics.register import parse_metric
from benchmark.statistics import multi_dataset as tests
from benchmark.statistics.resample import Matrix


@dataclass(frozen=True)
class Across:
    """The models over all data sets of a board.

    Attributes:
        primary: the metric that ranks.
        rows: best mean rank first: model, mean_rank, wins, completed, imputed, p_vs_reference, and
            family_rank, the mean rank over families among the models that completed everywhere.
        families: names of the independent families of data.
        reference: the completed model with the best mean validation rank; the others are tested against it.
        notes: what a reader must know, refused tests among it.
        critical_difference: Nemenyi's, where there are enough families.
    """

    primary: str
    rows: list[Row]
    families: tuple[str, ...]
    reference: str | None
    notes: list[str] = field(default_factory=list)
    critical_difference: float | None = None


def across(tables: Sequence[Table]) -> Across | None:
    """Return the models over all tables; None if there are fewer than two.

    A model without a result on a data set is ranked with popularity's score there (the worst score, where
    popularity has none) and flagged; the tests use models that completed everywhere, and the mean rank of
    a family of data sets once. The splits of one data set are one data set: their means are ranked.
    """
    bases = [_Base.of(name, parts) for name, parts in by_base(tables).items()]
    if len(bases) < 2:
        return None
    models = list(dict.fromkeys(row["model"] for table in tables for row in table.rows))
    ranks, completed = _ranks(bases, models)
    families = tuple(dict.fromkeys(family(base.name) for base in bases))
    whole = [m for m in range(len(models)) if completed[:, m].all()]
    made = Across(tables[0].primary, [], families, _reference(bases, [models[m] for m in whole]))
    tested = _test(made, bases, ranks[:, whole], [models[m] for m in whole])
    rows = [_row(bases, models, m, ranks, completed) for m in range(len(models))]
    for row in rows:
        row.update(tested.get(row["model"], {"family_rank": None, "p_vs_reference": None}))
    difference = _critical(made, len(whole), len(families), bases[0].alpha)
    notes = [_counting(bases, families), *made.notes]
    ordered = sorted(rows, key=lambda row: row["mean_rank"])
    return Across(made.primary, ordered, families, made.reference, notes, difference)


def family(dataset: str) -> str:
    """Return the family of a data set: the sizes of one publisher's log are not independent.

    >>> family("movielens-100k"), family("movielens-latest-small"), family("shop-a")
    ('movielens', 'movielens', 'shop-a')
    """
    return "movielens" if dataset.startswith("movielens-") else dataset


@dataclass(frozen=True)
class _Base:
    """One data set: the means over its splits of the models that have a result on each.

    Attributes:
        name: its label.
        scores: value on test of each model, higher is better.
        valid: value on validation, likewise.
        floor: the model that is popularity.
        alpha: level of the tests.
    """

    name: str
    scores: dict[str, float]
    valid: dict[str, float]
    floor: str | None
    alpha: float

    @classmethod
    def of(cls, name: str, tables: Sequence[Table]) -> _Base:
        """Return the data set that these tables are splits of."""
        primary, facts = tables[0].primary, tables[0].facts
        sign = 1.0 if parse_metric(primary).higher_is_better else -1.0
        scores, valid = (
            {model: sign * float(values.mean()) for model, values in scores_over(tables, column).items()}
            for column in (primary, f"valid_{primary}")
        )
        return cls(name, scores, valid, facts.get("popularity"), float(facts["alpha"]))

    @property
    def first(self) -> str | None:
        """The model with the best mean."""
        return max(self.scores, key=lambda model: self.scores[model], default=None)


def _row(bases: Sequence[_Base], models: list[str], m: int, ranks: Matrix, completed: Any) -> Row:
    missing = [base.name for base, done in zip(bases, completed[:, m], strict=True) if not done]
    return {
        "model": models[m],
        "mean_rank": float(ranks[:, m].mean()),
        "wins": sum(base.first == models[m] for base in bases),
        "completed": float(completed[:, m].mean()),
        "imputed": ", ".join(missing),
    }


def _ranks(bases: Sequence[_Base], models: list[str]) -> tuple[Matrix, Any]:
    """Return ranks (D, M), 1 is best, and which scores are real (D, M)."""
    ranks = np.empty((len(bases), len(models)))
    completed = np.zeros(ranks.shape, dtype=np.bool_)
    for d, base in enumerate(bases):
        floor = base.scores.get(base.floor or "", min(base.scores.values(), default=0.0))
        completed[d] = [model in base.scores for model in models]
        ranks[d] = rankdata([-base.scores.get(model, floor) for model in models])
    return ranks, completed


def _reference(bases: Sequence[_Base], models: list[str]) -> str | None:
    """Return the model with the best mean rank on validation: no test score has a say in it."""
    if not models:
        return None
    ranks = [rankdata([-base.valid[model] for model in models]) for base in bases]
    return models[int(np.mean(ranks, axis=0).argmin())]


def _test(made: Across, bases: Sequence[_Base], ranks: Matrix, models: list[str]) -> dict[str, Row]:
    """Return rank and p of each completed model; note what the rank tests say, or why they cannot."""
    if made.reference is None or len(models) < 2:
        made.notes.append("No tests over data sets: fewer than two models completed on all of them.")
        return {}
    of_family = np.array([family(base.name) for base in bases])
    scores = -np.stack([ranks[of_family == name].mean(axis=0) for name in made.families])
    place, alpha = models.index(made.reference), bases[0].alpha
    p = _try(made, lambda: tests.compare_over_families(scores, place, alpha=alpha))
    if p is not None:
        made.notes.append(f"p: exact Wilcoxon over {len(scores)} families against {made.reference}, Holm.")
    result = _try(made, lambda: tests.iman_davenport(scores))
    if result is not None:
        made.notes.append(
            f"Friedman (Iman-Davenport): F {result.statistic:.3f}, p {result.p:.3g}. {result.caution}".strip()
        )
    over = tests.mean_ranks(scores)
    return {
        model: {
            "family_rank": float(over[m]),
            "p_vs_reference": None if p is None or m == place else float(p[m]),
        }
        for m, model in enumerate(models)
    }


def _critical(made: Across, n_models: int, n_families: int, alpha: float) -> float | None:
    found = _try(made, lambda: tests.critical_difference(n_models, n_families, alpha=alpha))
    return None if found is None else float(found)


def _try(made: Across, test: Callable[[], Any]) -> Any:
    """Return a test's result; where the data cannot carry it, note why and return None."""
    try:
        return test()
    except StatisticsError as error:
        made.notes.append(f"Refused: {error}")
        return None


def _counting(bases: Sequence[_Base], families: tuple[str, ...]) -> str:
    return (
        f"{len(bases)} data sets count as {len(families)} independent families ({', '.join(families)}). "
        "A model without a result is ranked with popularity's score and flagged; it is never tested."
    )
