"""What a reader must know of a table, and what a reviewer would object to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.table import Row
from benchmark.leaderboard.tuning_history import FEW_TRIALS, TuningHistory
from benchmark.metrics.head_tail import HEAD_SHARE
from benchmark.metrics.register import Metric, parse_metric

UNUSED_SHARE = 0.25
"""A search that ended with more of its budget left had time for trials that it did not make."""

STABLE_SHARE = 0.95

CANDIDATES = {
    "train": "items with a training row",
    "test-items": "items that occur in test",
    "cold-items": "items without a training row",
}


def facts_of(
    stored: DatasetResults, primary: Metric, reference: str | None, *, chosen: bool
) -> Iterator[str]:
    """Yield how the table came about.

    Args:
        stored: what the runs hold.
        primary: the metric that ranks.
        reference: the model that the others are compared with.
        chosen: whether the reader chose it, by name.
    """
    if stored.data["synthetic"]:
        yield f"{stored.dataset} is synthetic: these numbers say nothing about real data."
    finals = stored.records.lines("close", dataset=stored.dataset, role="final", outcome="complete")
    if finals:
        yield from _counted(stored, finals[0]["counts"])
    yield from _prepared(stored)
    if reference is not None:
        named = (
            "chosen as baseline by the reader"
            if chosen
            else "best on validation, named before test was opened"
        )
        yield (
            f"Reference: {reference}, {named}. "
            f"{1 - stored.suite['verdict']['alpha']:.0%} intervals, unadjusted: of {primary.name} over users "
            "(BCa), of differences over users and seeds. p: seed-aware, Holm over all models. best: cannot "
            "be separated from the best (joint sign flips over all pairs, seed-aware)."
        )


def _counted(stored: DatasetResults, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield who was evaluated on what, and how many were not, or with less than usual."""
    cold = stored.data["audit"].get("cold", {})
    rest = {
        "users without a training row": counts.get("cold_users", cold.get("users", 0)),
        "lists cut short for want of candidates": counts.get("short_lists", 0),
        "relevant items that training had, so left out": counts.get("hidden_relevant", 0),
        "relevant items that are no candidates, so left out": counts.get("excluded_relevant", 0),
        "held-out items without a training row": cold.get("items", 0),
    }
    told = "".join(f"; {count} {what}" for what, count in rest.items() if count)
    text = (
        f"{counts['users']} users evaluated, {counts['without_relevant']} with nothing to find and left out "
        f"of ranking metrics{told}. {_candidates(stored)}"
    )
    rated = [name for name in stored.metrics if parse_metric(name).kind == "rating"]
    yield f"{text} {', '.join(rated)} over interactions." if rated else text


def _prepared(stored: DatasetResults) -> Iterator[str]:
    """Yield how many rows were read, and how many each step of preparation that took some away left."""
    steps = stored.data.get("prepare", [])
    kept = [one for before, one in pairwise(steps) if one["rows"] != before["rows"]]
    if kept:
        told = ", ".join(f"{one['step']} {one['rows']:,}" for one in kept)
        yield f"Prepared: {steps[0]['rows']:,} rows read; {told} (bench data check says more)."


def _candidates(stored: DatasetResults) -> str:
    """Return what was ranked."""
    wanted = stored.data.get("candidates") or stored.suite["metrics"].get("candidates") or "all"
    if wanted == "all":
        return "Full ranking over all unseen items."
    what = (
        CANDIDATES.get(wanted, str(wanted))
        if isinstance(wanted, str)
        else "a list of items of the suite's own"
    )
    return f"Full ranking over unseen items of a part: {what}."


def lists_note(k: int | None) -> str:
    """Return what the columns on popularity mean."""
    length = "whole lists" if k is None else f"lists of {k}"
    return (
        "lift: popularity of recommended items next to that of the log (1: alike). head, tail: recall of "
        f"popular items (the fewest that hold {HEAD_SHARE:.0%} of training rows) and of the others; {length}."
    )


def floor_notes(ranked: Sequence[Row], studies: Sequence[dict[str, Any]], primary: Metric) -> Iterator[str]:
    """Flag personalised rankers under popularity; rating models rank badly by nature."""
    value = {row["model"]: row[primary.name] for row in ranked}
    kinds = {study["model"]: study for study in studies}
    floors = [model for model in value if kinds[model]["adapter"] == "baselines/popularity"]
    if not floors or primary.kind == "rating":
        return
    for model, reached in value.items():
        worse = reached < value[floors[0]] if primary.higher_is_better else reached > value[floors[0]]
        below = worse and kinds[model]["library"] != "baselines"
        if below and kinds[model]["feedback"] == "explicit":
            yield f"{model}: a rating model, trained on observed ratings only: judge it by RMSE."
        elif below:
            yield f"{model}: WARNING: ranks below popularity."


def search_warnings(ranked: Sequence[Row], searches: Sequence[TuningHistory]) -> Iterator[str]:
    """Flag searches that were too short, ended at an edge of their space, or were still improving."""
    rows = {row["model"]: row for row in ranked}
    tuned = [search for search in searches if search.space and search.model in rows]
    few = [f"{one.model} {len(one.trials)}" for one in tuned if len(one.trials) < FEW_TRIALS]
    if few:
        yield f"WARNING: under-tuned, fewer than {FEW_TRIALS} trials: {', '.join(few)}."
    idle = [one for one in tuned if (one.unused_s or 0.0) > UNUSED_SHARE * rows[one.model]["budget_s"]]
    if idle:
        left = ", ".join(f"{one.model} {one.unused_s:.0f} s ({one.ended})" for one in idle)
        yield f"WARNING: ended with over {UNUSED_SHARE:.0%} of the budget unused: {left}."
    edges = [f"{model} {row['at_edge']}" for model, row in rows.items() if row.get("at_edge")]
    if edges:
        yield f"WARNING: best value at an edge of its space, a wider one may be better: {'; '.join(edges)}."
    rising = [model for model, row in rows.items() if row.get("still_improving")]
    if rising:
        yield (
            "WARNING: best trial still improving when it ended, more time per trial may help: "
            f"{', '.join(rising)}."
        )


def stability_note(ranked: Sequence[Row]) -> Iterator[str]:
    """Flag a first place that another draw of users and seeds would often give to another model."""
    if len(ranked) > 1 and ranked[0].get("first_places", 1.0) < STABLE_SHARE:
        first = ranked[0]
        yield (
            f"WARNING: unstable first place: {first['model']} came first in {first['first_places']:.0%} of "
            f"redraws of users and seeds ({first['first_places_if_equal']:.0%} if no model differed)."
        )
