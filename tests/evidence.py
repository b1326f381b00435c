"""Evidence made by hand: per-user values and costs in, what a pick is made from out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from benchmark.leaderboard.evidence import Evidence
from benchmark.leaderboard.margin import margin_bounds
from benchmark.leaderboard.table import Table, columns
from benchmark.metrics.register import parse_metric
from benchmark.results import RunDirectory

COSTS = {
    "latency_ms_p50": 1.0,
    "latency_ms_p95": 2.0,
    "memory_mb": 100.0,
    "size_mb": 10.0,
    "fit_s": 1.0,
    "params": 5,
    "device": "cpu",
}


def evidence_of(
    place: Path,
    scores: Mapping[str, np.ndarray[Any, np.dtype[np.float64]]],
    costs: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str = "ndcg@10",
) -> Evidence:
    """Return evidence whose first model is the reference; validation scores fall in the order given."""
    place.mkdir(parents=True, exist_ok=True)
    studies = [{"dataset": "shop", "model": model, "deterministic": True} for model in scores]
    (place / "manifest.json").write_text(json.dumps({"format": 1, "studies": studies}))
    rows = [
        _row(model, values, order, metric, (costs or {}).get(model, {}))
        for order, (model, values) in enumerate(scores.items())
    ]
    facts = {"hash": "0" * 64, "synthetic": False}
    models = {model: np.atleast_2d(values) for model, values in scores.items()}
    _compare(rows, models, next(iter(scores)), metric)
    state = {"state_sha256": "1" * 64, "state": "manifest.json"}
    final = {"config": {"dim": 8}, "train_on": "train", "seed": 0, **state}
    return Evidence(
        RunDirectory(place),
        Table("shop", rows, (metric,), next(iter(scores)), [], facts),
        parse_metric(metric),
        models,
        dict.fromkeys(scores, True),
        {model: dict(final) for model in scores},
        {"name": "test", "finals": {"train_on": "train"}, "verdict": {"alpha": 0.05, "margin": 0.03}},
        facts,
        pd.DataFrame(),
    )


def _compare(rows: list[dict[str, Any]], models: Mapping[str, Any], reference: str, metric: str) -> None:
    """Fill what the board says of each model against the reference."""
    compared = SimpleNamespace(
        scores=models, models=list(models), fixed=lambda _: True, primary=parse_metric(metric), alpha=0.05
    )
    bounds = margin_bounds(compared, reference, 0.03)
    value = rows[0][metric]
    for row in rows[1:]:
        row |= {"diff_to_reference": row[metric] - value, "margin_bound": bounds.get(row["model"])}


def _row(model: str, values: Any, order: int, metric: str, costs: Mapping[str, Any]) -> dict[str, Any]:
    sign = 1 if parse_metric(metric).higher_is_better else -1
    value = np.sqrt(values.mean()) if metric == "rmse" else values.mean()
    known = {"model": model, "status": "ok", "reason": "finished", "rank": order + 1, metric: value}
    known |= {f"valid_{metric}": 0.5 - sign * 0.01 * order, "smallest_detectable": 0.0123}
    return (
        dict.fromkeys(columns((metric,))) | known | {"p_vs_reference": 0.4 if order else None} | COSTS | costs
    )
