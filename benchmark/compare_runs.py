"""Two runs of the same split, model by model: what has changed, and what has become worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmark.errors import RunError
from benchmark.leaderboard.evidence import Evidence, datasets_of, evidence
from benchmark.results import RunDirectory
from benchmark.statistics.holm import holm
from benchmark.statistics.seeds import seed_aware


@dataclass(frozen=True)
class Change:
    """One model on one data set in run B against run A, in units of the primary metric.

    Attributes:
        dataset: the data set.
        model: the model.
        before: its value in A; None without a result there.
        after: its value in B.
        difference: after - before.
        low: lower end of its interval, unadjusted.
        high: upper end.
        p: seed-aware, Holm over all models of the data set that both runs scored.
        regressed: significantly worse, or a result in A and none in B though B was to make one.
        note: why there is no comparison, if there is none.
    """

    dataset: str
    model: str
    before: float | None
    after: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    regressed: bool = False
    note: str = ""


@dataclass(frozen=True)
class Changes:
    """Every model of two runs.

    Attributes:
        primary: the metric that is compared.
        level: of the intervals; 1 - level is the level of each data set's family of tests.
        rows: one a model and data set.
        notes: data sets that only one of the runs has.
    """

    primary: str
    level: float
    rows: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def regressed(self) -> bool:
        """Whether anything has become worse."""
        return any(row.regressed for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return the changes as JSON holds them."""
        return asdict(self) | {"regressed": self.regressed}


def compare_runs(before: RunDirectory, after: RunDirectory, dataset: str | None = None) -> Changes:
    """Return what run ``after`` changes against run ``before``, on one data set or on all they share.

    Raises:
        RunError: they share no data set, or differ in split, primary metric or what finals train on.
    """
    old, new = datasets_of(before), datasets_of(after)
    shared = [name for name in old if name in new] if dataset is None else [dataset]
    if not shared:
        raise RunError(
            f"{before.path} and {after.path}: share no data set ({', '.join(old)} and {', '.join(new)}); "
            "only runs on the same split can be compared."
        )
    pairs = [(evidence(before, name), evidence(after, name)) for name in shared]
    for pair in pairs:
        _check(*pair)
    only = [name for name in dict.fromkeys([*old, *new]) if name not in shared] if dataset is None else []
    first = pairs[0][0]
    return Changes(
        first.table.primary,
        1 - first.alpha,
        tuple(row for pair in pairs for row in _rows(*pair)),
        tuple(f"{name}: in {before.path if name in old else after.path} only" for name in only),
    )


def _check(a: Evidence, b: Evidence) -> None:
    facts = [
        ("split", a.data["hash"][:16], b.data["hash"][:16]),
        ("primary metric", a.table.primary, b.table.primary),
        ("finals on", a.suite["finals"]["train_on"], b.suite["finals"]["train_on"]),
    ]
    for what, mine, its in facts:
        if mine != its:
            raise RunError(
                f"{a.run.path} and {b.run.path}: {a.table.dataset} has another {what} "
                f"({mine} and {its}); such scores are not comparable. Run both with the same suite settings."
            )


def _rows(a: Evidence, b: Evidence) -> list[Change]:
    statuses = {row["model"]: row for row in b.table.rows}
    models = dict.fromkeys([*(row["model"] for row in a.table.rows), *statuses])
    both = [model for model in models if model in a.scores and model in b.scores]
    compared = _compared(a, b, both)
    return [compared.get(model) or _alone(a, b, model) for model in models]


def _compared(a: Evidence, b: Evidence, models: Sequence[str]) -> dict[str, Change]:
    verdicts = [
        seed_aware(
            b.scores[model],
            a.scores[model],
            level=1 - a.alpha,
            deterministic_a=b.deterministic[model],
            deterministic_b=a.deterministic[model],
        )
        for model in models
    ]
    if not verdicts:
        return {}
    adjusted = holm(np.array([verdict.p for verdict in verdicts]))
    found = {}
    for model, verdict, p in zip(models, verdicts, adjusted, strict=True):
        before, after = _value(a, model), _value(b, model)
        scale = (before + after) or 1.0 if a.metric.base == "rmse" else 1.0  # of an MSE difference
        worse = verdict.difference < 0 if a.metric.higher_is_better else verdict.difference > 0
        ends = (verdict.difference / scale, verdict.low / scale, verdict.high / scale, float(p))
        regressed = bool(worse and p < a.alpha)
        found[model] = Change(a.table.dataset, model, before, after, *ends, regressed)
    return found


def _value(known: Evidence, model: str) -> float:
    mean = float(known.scores[model].mean())
    return math.sqrt(mean) if known.metric.base == "rmse" else mean


def _alone(a: Evidence, b: Evidence, model: str) -> Change:
    states = []
    for name, known in (("A", a), ("B", b)):
        row = next((row for row in known.table.rows if row["model"] == model), None)
        states.append(
            f"not in {name}" if row is None else "" if row["status"] == "ok" else f"{name}: {row['status']}"
        )
    before = _value(a, model) if model in a.scores else None
    after = _value(b, model) if model in b.scores else None
    vanished = before is not None and states[1].startswith("B: ")
    note = ", ".join(state for state in states if state)
    return Change(a.table.dataset, model, before, after, regressed=vanished, note=note)
