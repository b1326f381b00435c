"""Models over several data sets: mean rank, wins, completed share, and what tests so few sets can carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmark.errors import StatisticsError
from benchmark.leaderboard.table import Row, Table
from benchmark.metrics.names import parse
from benchmark.statistics import datasets as tests
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
    a family of data sets once.
    """
    if len(tables) < 2:
        return None
    models = list(dict.fromkeys(row["model"] for table in tables for row in table.rows))
    ranks, completed = _ranks(tables, models)
    families = tuple(dict.fromkeys(family(table.dataset) for table in tables))
    whole = [m for m in range(len(models)) if completed[:, m].all()]
    made = Across(tables[0].primary, [], families, _reference(tables, [models[m] for m in whole]))
    tested = _test(made, tables, ranks[:, whole], [models[m] for m in whole])
    rows = [_row(tables, models, m, ranks, completed) for m in range(len(models))]
    for row in rows:
        row.update(tested.get(row["model"], {"family_rank": None, "p_vs_reference": None}))
    difference = _critical(made, len(whole), len(families), _alpha(tables))
    notes = [_counting(tables, families), *made.notes]
    ordered = sorted(rows, key=lambda row: row["mean_rank"])
    return Across(made.primary, ordered, families, made.reference, notes, difference)


def family(dataset: str) -> str:
    """Return the family of a data set: the sizes of one publisher's log are not independent.

    >>> family("movielens-100k"), family("movielens-latest-small"), family("shop-a")
    ('movielens', 'movielens', 'shop-a')
    """
    return "movielens" if dataset.startswith("movielens-") else dataset


def _row(tables: Sequence[Table], models: list[str], m: int, ranks: Matrix, completed: Any) -> Row:
    missing = [table.dataset for table, done in zip(tables, completed[:, m], strict=True) if not done]
    return {
        "model": models[m],
        "mean_rank": float(ranks[:, m].mean()),
        "wins": sum(bool(table.ranked) and table.ranked[0]["model"] == models[m] for table in tables),
        "completed": float(completed[:, m].mean()),
        "imputed": ", ".join(missing),
    }


def _ranks(tables: Sequence[Table], models: list[str]) -> tuple[Matrix, Any]:
    """Return ranks (D, M), 1 is best, and which scores are real (D, M)."""
    ranks = np.empty((len(tables), len(models)))
    completed = np.zeros(ranks.shape, dtype=np.bool_)
    for d, table in enumerate(tables):
        sign = 1.0 if parse(table.primary).higher_is_better else -1.0
        scores = {row["model"]: sign * row[table.primary] for row in table.ranked}
        floor = scores.get("baselines/popularity", min(scores.values(), default=0.0))
        completed[d] = [model in scores for model in models]
        ranks[d] = rankdata([-scores.get(model, floor) for model in models])
    return ranks, completed


def _reference(tables: Sequence[Table], models: list[str]) -> str | None:
    """Return the model with the best mean rank on validation: no test score has a say in it."""
    if not models:
        return None
    sign = 1.0 if parse(tables[0].primary).higher_is_better else -1.0
    ranks = []
    for table in tables:
        valid = {row["model"]: row[f"valid_{table.primary}"] for row in table.ranked}
        ranks.append(rankdata([-sign * valid[model] for model in models]))
    return models[int(np.mean(ranks, axis=0).argmin())]


def _test(made: Across, tables: Sequence[Table], ranks: Matrix, models: list[str]) -> dict[str, Row]:
    """Return rank and p of each completed model; note what the rank tests say, or why they cannot."""
    if made.reference is None or len(models) < 2:
        made.notes.append("No tests over data sets: fewer than two models completed on all of them.")
        return {}
    of_family = np.array([family(table.dataset) for table in tables])
    scores = -np.stack([ranks[of_family == name].mean(axis=0) for name in made.families])
    place, alpha = models.index(made.reference), _alpha(tables)
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


def _counting(tables: Sequence[Table], families: tuple[str, ...]) -> str:
    return (
        f"{len(tables)} data sets count as {len(families)} independent families ({', '.join(families)}). "
        "A model without a result is ranked with popularity's score and flagged; it is never tested."
    )


def _alpha(tables: Sequence[Table]) -> float:
    return float(tables[0].facts["alpha"])
