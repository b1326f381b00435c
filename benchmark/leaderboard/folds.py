"""Several splits of one data set as one result: folds, repeats of a random split, windows in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from benchmark.leaderboard.dataset_results import LEARNED_PARTS
from benchmark.leaderboard.rows import BoardRow, FoldRow
from benchmark.leaderboard.table import Table
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Values
from benchmark.records import Note, warning
from benchmark.statistics.bayesian import correlated_t
from benchmark.statistics.corrected_t import nadeau_bengio
from benchmark.statistics.holm import holm


@dataclass(frozen=True)
class Folds:
    """The models over all splits of one data set.

    Attributes:
        dataset: what was split.
        primary: the metric that ranks.
        rows: those with a result on every split first, best mean first.
        reference: of those, the model with the best mean on validation.
        notes: what was tested, and what the splits are.
    """

    dataset: str
    primary: str
    rows: tuple[FoldRow, ...]
    reference: str | None
    notes: tuple[Note, ...]


def unsplit_label(table: Table) -> str:
    """Return the data set that a table's split is one of; its own label where it is the only one."""
    fold = table.facts.split.fold
    return table.dataset if fold is None else fold.dataset


def by_dataset(tables: Sequence[Table]) -> Mapping[str, list[Table]]:
    """Return the tables of each data set, however many splits it has."""
    found: dict[str, list[Table]] = {}
    for table in tables:
        found.setdefault(unsplit_label(table), []).append(table)
    return found


def scores_over(tables: Sequence[Table]) -> Mapping[str, Values]:
    """Return the primary values on test (F,) over all tables, of every model with a result on each."""
    return {
        model: np.array([row.score for row in rows], dtype=np.float64)
        for model, rows in _complete(tables).items()
    }


def validation_over(tables: Sequence[Table]) -> Mapping[str, Values]:
    """Return the same on validation, of the models that were tuned here: one of them is the reference."""
    return {
        model: np.array([row.valid for row in rows], dtype=np.float64)
        for model, rows in _complete(tables).items()
        if all(row.tuned for row in rows)
    }


def _complete(tables: Sequence[Table]) -> Mapping[str, list[BoardRow]]:
    """Return the rows of each model that has a result on every table, in the order of the first."""
    found = [{row.model: row for row in table.ranked} for table in tables]
    shared = [model for model in found[0] if all(model in rows for rows in found)]
    return {model: [rows[model] for rows in found] for model in shared}


def over_folds(tables: Sequence[Table]) -> tuple[Folds, ...]:
    """Return the board over the splits of each data set that has several."""
    return tuple(_folds(name, splits) for name, splits in by_dataset(tables).items() if len(splits) > 1)


def _folds(name: str, tables: Sequence[Table]) -> Folds:
    """Return the board over the splits of one data set."""
    primary = tables[0].primary
    sign = 1.0 if parse_metric(primary).higher_is_better else -1.0
    scores, valid = scores_over(tables), validation_over(tables)
    reference = max(valid, key=lambda model: sign * valid[model].mean(), default=None)
    ranked = [
        FoldRow(
            dataset=name,
            rank=rank,
            model=model,
            metric=primary,
            folds=len(tables),
            of=len(tables),
            mean=float(scores[model].mean()),
            sd=float(scores[model].std(ddof=1)),
            valid_mean=float(valid[model].mean()) if model in valid else None,
        )
        for rank, model in enumerate(sorted(scores, key=lambda model: -sign * scores[model].mean()), start=1)
    ]
    if reference is not None:
        ranked = compared(ranked, scores, reference, tables)
    models = dict.fromkeys(row.model for table in tables for row in table.rows)
    incomplete = [
        FoldRow(
            dataset=name,
            model=model,
            metric=primary,
            folds=sum(row.model == model for table in tables for row in table.ranked),
            of=len(tables),
        )
        for model in models
        if model not in scores
    ]
    notes = tuple(_notes(tables, reference, any_incomplete=bool(incomplete)))
    return Folds(name, primary, (*ranked, *incomplete), reference, notes)


def compared(
    rows: Sequence[FoldRow], scores: Mapping[str, Values], reference: str, tables: Sequence[Table]
) -> list[FoldRow]:
    """Return the rows with Nadeau & Bengio's intervals and p (Holm), and Bayesian probabilities."""
    primary, facts = tables[0].primary, tables[0].facts
    sign, ratio = 1.0 if parse_metric(primary).higher_is_better else -1.0, test_train_ratio(tables)
    rope = facts.margin * abs(float(scores[reference].mean()))
    filled: dict[str, FoldRow] = {}
    for row in rows:
        if row.model == reference:
            continue
        differences = scores[row.model] - scores[reference]
        found = nadeau_bengio(differences, ratio)
        reach = float(stats.t.ppf(1 - facts.alpha / 2, found.df)) * found.se
        mean = float(differences.mean())
        posterior = correlated_t(sign * differences, ratio, rope=rope)
        filled[row.model] = replace(
            row,
            diff_to_reference=mean,
            diff_low=mean - reach,
            diff_high=mean + reach,
            p_vs_reference=found.p,
            p_better=posterior.a,
            p_equivalent=posterior.rope,
            p_worse=posterior.b,
        )
    adjusted = holm(np.array([row.p_vs_reference for row in filled.values()], dtype=np.float64))
    for (model, row), p in zip(filled.items(), adjusted, strict=True):
        filled[model] = replace(row, p_vs_reference=float(p))
    return [filled.get(row.model, row) for row in rows]


def test_train_ratio(tables: Sequence[Table]) -> float:
    """Return the ratio of test rows to rows that the finals learned from, averaged over the splits."""
    ratios = []
    for table in tables:
        parts = table.facts.split.parts
        learned = sum(parts[part].rows for part in LEARNED_PARTS[table.facts.finals_on])
        ratios.append(parts["test"].rows / learned)
    return float(np.mean(ratios))


def _notes(tables: Sequence[Table], reference: str | None, *, any_incomplete: bool) -> Iterator[Note]:
    """Yield what the splits are, and what was tested."""
    facts = tables[0].facts
    rule, fold = facts.split.rule.by, facts.split.fold
    yield Note(f"{len(tables)} splits of one data set ({rule}); tuning and test were repeated on each.")
    if fold is not None and fold.count != len(tables):
        yield warning(
            f"only {len(tables)} of {fold.count} splits are included; the others have no results yet."
        )
    if reference is not None:
        yield Note(
            f"Reference: {reference}, the best mean on validation. Interval and p: corrected t of Nadeau "
            f"& Bengio 2003, test / train {test_train_ratio(tables):.3f}, p Holm over all models. better, "
            f"alike, worse: Bayesian correlated t, alike within {facts.margin:.0%} of the reference."
        )
    if rule == "rolling_time":
        yield Note(
            "Windows in time are not exchangeable: later ones have more to learn from, and what holds for "
            "these windows need not hold for the next. Read interval and p as a description."
        )
    if any_incomplete:
        yield Note("A model without a result on every split has no mean and is not compared.")
