"""The same board for parts of the users, or for kinds of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmark.datasets.store.parts import load_parts
from benchmark.errors import BenchError, RunError, did_you_mean
from benchmark.leaderboard.compare import Comparison
from benchmark.leaderboard.table import GROUP_COLUMNS, Groups, Row
from benchmark.leaderboard.user_scores import LEAST_USERS, PerUserScores
from benchmark.metrics.head_tail import HEAD_SHARE
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Array
from benchmark.statistics.holm import holm

DEFAULT_BY = ("user.activity", "item.popularity")
FEW_USERS = 20
"""A smaller group is marked: its interval says more about its few users than about the models."""
MOST_GROUPS = 40
MOST_NUMBERS = 8
"""A column with more different numbers is cut into thirds."""
THIRDS = (1 / 3, 2 / 3)

UNKNOWN = "unknown"
Part: TypeAlias = tuple[str, PerUserScores]
"""A group's name, and the finals of its users."""


@dataclass(frozen=True)
class Source:
    """What groups of one data set are made from.

    Attributes:
        dataset: its label.
        split: the folder of the stored split; None where the run no longer holds it.
        finals: per-user values of all models.
        list_length: length of the lists that head and tail are told apart in; None for whole lists.
    """

    dataset: str
    split: Path | None
    finals: PerUserScores
    list_length: int | None


@dataclass(frozen=True)
class Judged:
    """Which models are compared, and how.

    Attributes:
        models: those with a result, best first.
        deterministic: which of all models the seed does not change.
        reference: what the others are compared with.
        alpha: level of the intervals and of the family.
    """

    models: Sequence[str]
    deterministic: Mapping[str, bool]
    reference: str | None
    alpha: float


def groups_of(source: Source, judged: Judged, asked: Sequence[str] | None) -> tuple[Groups, ...]:
    """Return the board by each of the words asked for, or by the default ones.

    Raises:
        RunError: what was asked for cannot be had; a default that cannot is there with its reason.
    """
    if not judged.models:
        return ()
    if asked is not None:
        return tuple(_groups(source, judged, by) for by in dict.fromkeys(asked))
    return tuple(_or_reason(source, judged, by) for by in DEFAULT_BY)


def _or_reason(source: Source, judged: Judged, by: str) -> Groups:
    try:
        return _groups(source, judged, by)
    except BenchError as error:
        return Groups(by, [], [str(error)])


def _groups(source: Source, judged: Judged, by: str) -> Groups:
    parts, cut = _parts(source, by)
    rows = [row for name, finals in parts for row in _rows(judged, name, finals)]
    for row in rows:
        row |= {"dataset": source.dataset, "by": by}
    compared = [row for row in rows if row["p_vs_reference"] is not None]
    adjusted = holm(np.array([row["p_vs_reference"] for row in compared], dtype=np.float64))
    for row, value in zip(compared, adjusted, strict=True):
        row["p_vs_reference"] = float(value)
    notes = [cut, _legend(judged, len(compared))]
    if any(row["few_users"] for row in rows):
        notes.append(f"Groups marked ! have fewer than {FEW_USERS} users: they say little.")
    return Groups(by, [{name: row.get(name) for name in GROUP_COLUMNS} for row in rows], notes)


def _legend(judged: Judged, compared: int) -> str:
    level = f"{1 - judged.alpha:.0%} intervals, unadjusted: of values over users (BCa)"
    if not compared:
        return f"{level}."
    return (
        f"{level}, of differences to {judged.reference} over users and seeds. p: seed-aware, Holm over the "
        f"{compared} comparisons of this table (models × groups)."
    )


def _rows(judged: Judged, group: str, finals: PerUserScores) -> list[Row]:
    """Return one row a model; where the group has too few users for an interval, its value alone."""
    users = finals.seeds_by_users(judged.models[0]).shape[1]
    ends = finals.intervals(judged.models, 1 - judged.alpha)
    common = {"group": group, "users": users, "few_users": users < FEW_USERS, "metric": finals.primary.name}
    rows: list[Row] = [
        common
        | {"model": model, "value": finals.value(finals.primary, model), "p_vs_reference": None}
        | dict(zip(("low", "high"), ends[model], strict=True))
        for model in judged.models
    ]
    reference = judged.reference
    if users < LEAST_USERS or reference is None or reference not in judged.models:
        return rows
    ranked = [{"model": model} for model in judged.models]
    comparison = Comparison(ranked, finals, dict(judged.deterministic), judged.alpha)
    others = [row for row in rows if row["model"] != reference]
    for row in others:
        row.update(_difference(comparison, row["model"], reference))
    return rows


def _difference(comparison: Comparison, model: str, reference: str) -> Row:
    found, scale = comparison.verdict(model, reference), comparison.scale(model, reference)
    ends = {"diff_low": found.low / scale, "diff_high": found.high / scale}
    return {"diff_to_reference": found.difference / scale, **ends, "p_vs_reference": found.p}


def _parts(source: Source, by: str) -> tuple[list[Part], str]:
    """Return each group's finals by name, and how the groups were made."""
    subject, _, column = by.partition(".")
    if by == "item.popularity":
        return _head_and_tail(source)
    if subject != "user" or not column:
        known = [*DEFAULT_BY, *(f"user.{name}" for name in _user_table(source).columns)]
        raise RunError(
            f"--by {by}: {source.dataset} has no such groups{did_you_mean(by, known)}; "
            f"it has {', '.join(known)}"
        )
    labelled = _activity(source) if column == "activity" else _of_column(source, column)
    if len(labelled.order) > MOST_GROUPS:
        raise RunError(
            f"--by {by}: {len(labelled.order)} different values make too many groups, at most {MOST_GROUPS} "
            "can be told apart; group by a coarser column, such as user.age_band for user.age"
        )
    users = source.finals.users
    labels = labelled.labels[users]
    present = [name for name in labelled.order if (labels == name).any()]
    return [(name, source.finals.within(users[labels == name])) for name in present], labelled.cut


@dataclass(frozen=True)
class _Labelled:
    """The group of each user (U,), the groups in order, and how they were made."""

    labels: Array
    order: Sequence[str]
    cut: str


def _activity(source: Source) -> _Labelled:
    """Return each user's group by rows in what the finals were trained on, thirds of the evaluated users."""
    parts = ("train", "valid") if source.finals.train_on == "train+valid" else ("train",)
    log = load_parts(_split(source), *parts)
    counts = np.bincount(log.users, minlength=log.n_users)
    low, high = _cuts(counts[source.finals.users])
    names = [f"new (at most {low:g} rows)", f"medium (over {low:g} to {high:g})", f"heavy (over {high:g})"]
    cut = f"By rows of each user in {source.finals.train_on}, cut at thirds of the evaluated users."
    return _Labelled(_binned(counts, (low, high), names), names, cut)


def _of_column(source: Source, column: str) -> _Labelled:
    table = _user_table(source)
    if column not in table:
        known = ["activity", *map(str, table.columns)]
        raise RunError(
            f"--by user.{column}: the users of {source.dataset} have no such column"
            f"{did_you_mean(column, known)}; they have {', '.join(known)}"
        )
    values = table[column]
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_NUMBERS:
        return _thirds_of(source, values.to_numpy(np.float64), column)
    order = [*map(str, sorted(values.dropna().unique())), UNKNOWN]
    labels = np.array([UNKNOWN if pd.isna(value) else str(value) for value in values], dtype=object)
    return _Labelled(labels, order, f"By {column} of the users, as the data set gives it.")


def _thirds_of(source: Source, numbers: Array, column: str) -> _Labelled:
    evaluated = numbers[source.finals.users]
    low, high = _cuts(evaluated[~np.isnan(evaluated)])
    names = [f"at most {low:g}", f"over {low:g} to {high:g}", f"over {high:g}"]
    labels = np.where(np.isnan(numbers), UNKNOWN, _binned(numbers, (low, high), names))
    cut = f"By {column} of the users, cut at thirds of the evaluated users."
    return _Labelled(labels, [*names, UNKNOWN], cut)


def _cuts(values: Array) -> tuple[float, float]:
    """Return the values that a third, and two thirds, of all do not exceed."""
    low, high = np.quantile(values, THIRDS, method="inverted_cdf")
    return float(low), float(high)


def _binned(values: Array, cuts: tuple[float, float], names: Sequence[str]) -> Array:
    """Return the name of each value's bin; what is equal to a cut lies below it. A nan is in the last one."""
    binned: Array = np.array(names, dtype=object)[np.searchsorted(cuts, values)]
    return binned


def _head_and_tail(source: Source) -> tuple[list[Part], str]:
    """Return the finals judged by head items alone, and by tail items alone."""
    finals, metric = source.finals, source.finals.primary
    if f"{metric.name}_head" not in finals.columns:
        if "recall_head" not in finals.columns:
            raise RunError(
                f"--by item.popularity: nothing is stored of head and tail items of {source.dataset}; they "
                "need a ranking metric with a cut-off in the suite, such as ndcg@10"
            )
        metric = parse_metric("recall" if source.list_length is None else f"recall@{source.list_length}")
    stem = metric.name if f"{metric.name}_head" in finals.columns else metric.base
    parts = [(kind, finals.judged_by(metric, f"{stem}_{kind}")) for kind in ("head", "tail")]
    cut = (
        f"{metric.name} of popular items alone (head: the fewest that hold {HEAD_SHARE:.0%} of training "
        "rows) and of the others alone (tail), in the same lists; users with such an item held out."
    )
    return parts, cut


def _user_table(source: Source) -> pd.DataFrame:
    path = _split(source) / "users.parquet"
    try:
        return pd.read_parquet(path).drop(columns="id", errors="ignore")
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error


def _split(source: Source) -> Path:
    if source.split is None:
        raise RunError(
            f"{source.dataset}: the run no longer holds its split, which says what groups users are in; "
            "put the splits folder back, or run the suite again"
        )
    return source.split
