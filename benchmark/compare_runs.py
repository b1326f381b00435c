"""Two runs of the same split, model by model: what has changed, and what has become worse."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmark.errors import RunError
from benchmark.leaderboard import RankedResults, dataset_names, ranked_results
from benchmark.results import RunDirectory
from benchmark.statistics.holm import holm
from benchmark.statistics.seeds import Verdict, seed_aware
from benchmark.units import write_seconds


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
        note: why there is no comparison, or what else differs than the model; empty where nothing does.
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
        RunError: they share no data set, or differ in split, users of test, primary metric or what finals
            train on.
    """
    old, new = dataset_names(before), dataset_names(after)
    shared = [name for name in old if name in new] if dataset is None else [dataset]
    if not shared:
        raise RunError(
            f"{before.path} and {after.path}: share no data set ({', '.join(old)} and {', '.join(new)}); "
            "only runs on the same split can be compared."
        )
    pairs = [(ranked_results(before, dataset=name), ranked_results(after, dataset=name)) for name in shared]
    for a, b in pairs:
        refuse_unlike(a, b)
    only = [name for name in dict.fromkeys([*old, *new]) if name not in shared] if dataset is None else []
    first = pairs[0][0]
    return Changes(
        first.table.primary,
        1 - first.alpha,
        tuple(row for a, b in pairs for row in changes_between(a, b)),
        tuple(f"{name}: in {before.path if name in old else after.path} only" for name in only),
    )


def refuse_unlike(a: RankedResults, b: RankedResults) -> None:
    """Refuse two runs whose scores are not comparable.

    Raises:
        RunError: they differ in split, users of test, primary metric or what finals train on.
    """
    mine, its = a.table.facts, b.table.facts
    for what, one, other in (
        ("split", mine.split.hash[:16], its.split.hash[:16]),
        ("rule for seen items", mine.split.seen, its.split.seen),
        ("sample of test users", mine.split.test_sample or "all users", its.split.test_sample or "all users"),
        ("primary metric", a.table.primary, b.table.primary),
        ("training part of finals", mine.finals_on, its.finals_on),
    ):
        if one != other:
            raise RunError(
                f"{a.where} and {b.where}: {a.table.dataset} has another {what} "
                f"({one} and {other}); such scores are not comparable. Run both with the same suite settings."
            )


def changes_between(a: RankedResults, b: RankedResults) -> list[Change]:
    """Return every model of either run, compared where both scored it."""
    models = dict.fromkeys(row.model for row in (*a.table.rows, *b.table.rows))
    both = [model for model in models if model in a.scores and model in b.scores]
    verdicts = [
        seed_aware(
            b.scores[model],
            a.scores[model],
            level=1 - a.alpha,
            deterministic_a=b.is_fixed(model),
            deterministic_b=a.is_fixed(model),
        )
        for model in both
    ]
    adjusted = holm(np.array([verdict.p for verdict in verdicts])) if verdicts else np.empty(0)
    compared = {
        model: compared_change(a, b, model, verdict, float(p))
        for model, verdict, p in zip(both, verdicts, adjusted, strict=True)
    }
    return [compared.get(model) or uncompared_change(a, b, model) for model in models]


def compared_change(a: RankedResults, b: RankedResults, model: str, verdict: Verdict, p: float) -> Change:
    """Return the change of a model that both runs scored; ``p`` is corrected over all of them."""
    before, after = value_of(a, model), value_of(b, model)
    # The verdict on an RMSE is on the MSE: MSE difference = RMSE difference × sum of both RMSE.
    scale = (before + after) or 1.0 if a.metric.base == "rmse" else 1.0
    worse = verdict.difference < 0 if a.metric.higher_is_better else verdict.difference > 0
    return Change(
        a.table.dataset,
        model,
        before,
        after,
        verdict.difference / scale,
        verdict.low / scale,
        verdict.high / scale,
        p,
        regressed=bool(worse and p < a.alpha),
        note=other_budget(a, b, model),
    )


def other_budget(a: RankedResults, b: RankedResults, model: str) -> str:
    """Return how the budgets of a model differ between two runs, in words; empty where they do not."""
    mine, its = (next(row.budget_s for row in results.table.rows if row.model == model) for results in (a, b))
    return "" if mine == its else f"budget: {write_seconds(mine)} in A, {write_seconds(its)} in B"


def value_of(results: RankedResults, model: str) -> float:
    """Return the primary metric of a model with a result."""
    mean = float(results.scores[model].mean())
    return math.sqrt(mean) if results.metric.base == "rmse" else mean


def uncompared_change(a: RankedResults, b: RankedResults, model: str) -> Change:
    """Return the change of a model that only one run scored; it has regressed if B should have scored it."""
    notes = []
    failed_in_b = False
    for name, results in (("A", a), ("B", b)):
        row = next((row for row in results.table.rows if row.model == model), None)
        if row is None:
            notes.append(f"not in {name}")
        elif not row.has_result:
            notes.append(f"{name}: {row.status}")
            failed_in_b = results is b
    before = value_of(a, model) if model in a.scores else None
    after = value_of(b, model) if model in b.scores else None
    regressed = before is not None and failed_in_b
    return Change(a.table.dataset, model, before, after, regressed=regressed, note=", ".join(notes))
