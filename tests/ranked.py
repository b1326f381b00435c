"""Ranked results made by hand: per-user values and costs in, what a pick is made from out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boards
import numpy as np
import pandas as pd
from written_run import split_manifest

from benchmark.leaderboard import BoardRow, Facts, RankedResults, Table
from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.margin import margin_bounds
from benchmark.metrics.register import parse_metric
from benchmark.protocol import Values
from benchmark.records import FinalRecord, StudyRecord, TestCounts, TestScores
from benchmark.results import RunDirectory

COSTS: Mapping[str, Any] = {
    "latency_ms_p50": 1.0,
    "latency_ms_p95": 2.0,
    "memory_mb": 100.0,
    "size_mb": 10.0,
    "fit_s": 1.0,
    "params": 5,
    "device": "cpu",
}
SPLIT = split_manifest("shop", hash="0" * 64)
STATE = "state.safetensors"


def results_of(
    path: Path,
    scores: Mapping[str, Values],
    costs: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str = "ndcg@10",
) -> RankedResults:
    """Return results whose first model is the reference; validation scores fall in the order given."""
    path.mkdir(parents=True, exist_ok=True)
    (path / STATE).touch()
    suite = boards.suite(metrics={"primary": metric, "also": []}, models=list(scores))
    rows = [
        row_of(model, values, order, metric, (costs or {}).get(model, {}))
        for order, (model, values) in enumerate(scores.items())
    ]
    models = {model: np.atleast_2d(values) for model, values in scores.items()}
    reference = next(iter(scores))
    stored = DatasetResults(
        "shop",
        SPLIT,
        suite,
        {model: study_of(model) for model in scores},
        {},
        dict.fromkeys(scores, RunDirectory(path)),
        (),
        pd.DataFrame(),
        (),
    )
    table = Table(
        "shop", compared(rows, models, metric), (metric,), reference, (), Facts(SPLIT, suite, None, 10)
    )
    finals = {model: final_of(model) for model in scores}
    return RankedResults((RunDirectory(path),), stored, table, models, finals)


def compared(rows: list[BoardRow], models: Mapping[str, Values], metric: str) -> tuple[BoardRow, ...]:
    """Return the rows with what the board says of each model against the first."""
    comparison = SimpleNamespace(
        scores=models, models=list(models), is_fixed=lambda _: True, primary=parse_metric(metric), alpha=0.05
    )
    bounds = margin_bounds(comparison, rows[0].model, 0.03)  # type: ignore[arg-type]
    others = [
        replace(row, diff_to_reference=row.score - rows[0].score, margin_bound=bounds.get(row.model))
        for row in rows[1:]
    ]
    return (rows[0], *others)


def row_of(model: str, values: Values, order: int, metric: str, costs: Mapping[str, Any]) -> BoardRow:
    """Return the row of a model, not yet compared."""
    sign = 1 if parse_metric(metric).higher_is_better else -1
    value = float(np.sqrt(values.mean()) if metric == "rmse" else values.mean())
    more: dict[str, Any] = {"p_vs_reference": 0.4 if order else None, **COSTS, **costs}
    return boards.row(
        model,
        value,
        order + 1,
        metrics={metric: value},
        reason="finished",
        valid=0.5 - sign * 0.01 * order,
        deterministic=True,
        seeds=1,
        smallest_detectable=0.0123,
        **more,
    )


def study_of(model: str) -> StudyRecord:
    """Return a study as planned."""
    return StudyRecord(
        dataset="shop",
        model=model,
        adapter=model,
        library=model,
        feedback="implicit",
        rates=False,
        deterministic=True,
        devices=("cpu",),
        from_features=(),
        space={},
        default={},
        published=None,
    )


def final_of(model: str) -> FinalRecord:
    """Return seed 0 of a model, with a stored state."""
    return FinalRecord(
        dataset="shop",
        model=model,
        study_key="key",
        final_key="final",
        entry=f"{model}#final",
        outcome="complete",
        reason="finished",
        lease_s=1.0,
        charged_s=1.0,
        trial=0,
        config={"dim": 8},
        config_source="tuned",
        train_on="train",
        seed=0,
        test=TestScores(
            values={},
            counts=TestCounts(users=10, without_relevant=0),
            popularity_lift=None,
            path="none",
            sha256="none",
            state_path=STATE,
            state_sha256="1" * 64,
        ),
    )
