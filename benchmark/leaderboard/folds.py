"""Several splits of one data set as one result: folds, repeats of a random split, windows in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.leaderboard.table import Row, Table
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Values
from benchmark.statistics.bayesian import correlated_t
from benchmark.statistics.corrected_t import nadeau_bengio
from benchmark.statistics.holm import holm

FOLD_COLUMNS = (
    *("dataset", "rank", "model", "metric", "folds", "of", "mean", "sd", "valid_mean"),
    *("diff_to_reference", "diff_low", "diff_high", "p_vs_reference"),
    *("p_better", "p_equivalent", "p_worse"),
)


@dataclass(frozen=True)
class Folds:
    """The models over all splits of one data set.

    Attributes:
        dataset: what was split.
        primary: the metric that ranks.
        rows: those with a result on every split first, best mean first; keys are ``FOLD_COLUMNS``.
        reference: of those, the model with the best mean on validation.
        notes: what was tested, and what the splits are.
    """

    dataset: str
    primary: str
    rows: list[Row]
    reference: str | None
    notes: list[str]


def base_of(table: Table) -> str:
    """Return the data set that a table's split is one of; its own label where it is the only one."""
    fold = table.facts.get("fold")
    return str(fold["of"]) if fold else table.dataset


def by_base(tables: Sequence[Table]) -> dict[str, list[Table]]:
    """Return the tables of each data set, however many splits it has."""
    found: dict[str, list[Table]] = {}
    for table in tables:
        found.setdefault(base_of(table), []).append(table)
    return found


def scores_over(tables: Sequence[Table], column: str) -> dict[str, Values]:
    """Return the values (F,) of a column over all tables, for every model that has a result on each."""
    found = [{row["model"]: row[column] for row in table.ranked} for table in tables]
    shared = [model for model in found[0] if all(model in values for values in found)]
    return {model: np.array([values[model] for values in found], dtype=np.float64) for model in shared}


def over_folds(tables: Sequence[Table]) -> tuple[Folds, ...]:
    """Return the board over the splits of each data set that has several."""
    return tuple(_folds(name, parts) for name, parts in by_base(tables).items() if len(parts) > 1)


def _folds(name: str, tables: Sequence[Table]) -> Folds:
    primary = tables[0].primary
    sign = 1.0 if parse_metric(primary).higher_is_better else -1.0
    scores, valid = scores_over(tables, primary), scores_over(tables, f"valid_{primary}")
    reference = max(valid, key=lambda model: sign * valid[model].mean(), default=None)
    ranked = sorted(scores, key=lambda model: -sign * scores[model].mean())
    rows = [
        _row(name, primary, scores[model], valid[model])
        | {"model": model, "rank": place, "of": len(tables), "folds": len(tables)}
        for place, model in enumerate(ranked, start=1)
    ]
    if reference is not None:
        _compare(rows, scores, reference, tables)
    rows += [_incomplete(name, tables, model) for model in _others(tables, scores)]
    ordered = [{column: row.get(column) for column in FOLD_COLUMNS} for row in rows]
    return Folds(name, primary, ordered, reference, list(_notes(tables, reference, len(rows) - len(ranked))))


def _row(name: str, primary: str, values: Values, valid: Values) -> Row:
    spread = float(values.std(ddof=1))
    mean = {"mean": float(values.mean()), "sd": spread, "valid_mean": float(valid.mean())}
    return {"dataset": name, "metric": primary, **mean}


def _compare(rows: list[Row], scores: dict[str, Values], reference: str, tables: Sequence[Table]) -> None:
    """Fill differences, Nadeau & Bengio's intervals and Holm-adjusted p, and Bayesian probabilities."""
    primary, facts = tables[0].primary, tables[0].facts
    sign, ratio = 1.0 if parse_metric(primary).higher_is_better else -1.0, test_train_ratio(tables)
    rope = float(facts["margin"]) * abs(float(scores[reference].mean()))
    others = [row for row in rows if row["model"] != reference]
    for row in others:
        differences = scores[row["model"]] - scores[reference]
        found = nadeau_bengio(differences, ratio)
        reach = float(stats.t.ppf(1 - float(facts["alpha"]) / 2, found.df)) * found.se
        mean = float(differences.mean())
        row |= {"diff_to_reference": mean, "diff_low": mean - reach, "diff_high": mean + reach}
        row["p_vs_reference"] = found.p
        better = correlated_t(sign * differences, ratio, rope=rope)
        row |= {"p_better": better.a, "p_equivalent": better.rope, "p_worse": better.b}
    adjusted = holm(np.array([row["p_vs_reference"] for row in others], dtype=np.float64))
    for row, value in zip(others, adjusted, strict=True):
        row["p_vs_reference"] = float(value)


def test_train_ratio(tables: Sequence[Table]) -> float:
    """Return rows of test / rows that the finals learned from, the mean over the splits."""
    ratios = []
    for table in tables:
        parts = table.facts["parts"]
        learned = parts["train"]["rows"]
        learned += parts["valid"]["rows"] if table.facts["finals_on"] == "train+valid" else 0
        ratios.append(parts["test"]["rows"] / learned)
    return float(np.mean(ratios))


def _others(tables: Sequence[Table], scores: dict[str, Values]) -> list[str]:
    models = dict.fromkeys(row["model"] for table in tables for row in table.rows)
    return [model for model in models if model not in scores]


def _incomplete(name: str, tables: Sequence[Table], model: str) -> Row:
    done = sum(row["model"] == model for table in tables for row in table.ranked)
    return {"dataset": name, "metric": tables[0].primary, "model": model, "folds": done, "of": len(tables)}


def _notes(tables: Sequence[Table], reference: str | None, incomplete: int) -> list[str]:
    facts, rule = tables[0].facts, str(tables[0].facts["rule"]["by"])
    notes = [f"{len(tables)} splits of one data set ({rule}); every one was tuned and tested by itself."]
    if (count := facts["fold"]["count"]) != len(tables):
        notes.append(f"WARNING: {len(tables)} of {count} splits are here; the others have no results yet.")
    if reference is not None:
        notes.append(
            f"Reference: {reference}, the best mean on validation. Interval and p: corrected t of Nadeau "
            f"& Bengio 2003, test / train {test_train_ratio(tables):.3f}, p Holm over all models. better, "
            f"alike, worse: Bayesian correlated t, alike within {float(facts['margin']):.0%} of it."
        )
    if rule == "rolling_time":
        notes.append(
            "Windows in time are not exchangeable: later ones have more to learn from, and what is true of "
            "these windows need not be of the next. Read interval and p as a description."
        )
    if incomplete:
        notes.append("A model without a result on every split has no mean and is not compared.")
    return notes
