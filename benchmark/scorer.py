"""Finals: the only place that opens test. Takes raw scores from the child, hides, ranks, measures."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.store.candidates import candidates_for, load_negatives
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import MetricError
from benchmark.metrics import ranking
from benchmark.metrics.evaluator import Evaluation
from benchmark.metrics.head_tail import head_items, hits_of_kind, mean_popularity_lift
from benchmark.metrics.inputs import HitInputs
from benchmark.metrics.register import Metric, parse_metric
from benchmark.metrics.relevance import Relevance
from benchmark.protocol import Scores, Values
from benchmark.results import write_bytes, write_part
from benchmark.trial import CandidateItems, ChildChannel, batches, complaint, judge_of


def load() -> None:
    """Load nothing: test is opened anew, and noted, for each final."""


def run(request: dict[str, Any], channel: ChildChannel, _: None, descriptors: list[int]) -> None:
    """Measure one final and store its per-user values; answers with the run-level values.

    The rows of train and validation are hidden whatever the model was trained on.
    """
    channel.send({"event": "ready"})
    try:
        with os.fdopen(descriptors[0], "rb") as pipe:
            channel.send({"event": "result", **_measure(request, pipe)})
    except Exception as error:  # noqa: BLE001 - the supervisor turns it into the final's outcome
        channel.send(complaint(error))
    channel.send({"event": "done"})


def _measure(request: dict[str, Any], pipe: BinaryIO) -> dict[str, Any]:
    split = Path(request["directory"])
    test = load_parts(split, "test")
    train, seen = load_parts(split, "train"), load_parts(split, "train", "valid")
    metrics = [parse_metric(name) for name in request["metrics"]]
    mask = candidates_for(request["candidates"], split, train=train, seen=seen, target=test)
    sampled = any(metric.sampled for metric in metrics)
    field = CandidateItems(mask, load_negatives(split, "test") if sampled else None)
    judge = judge_of(test, [seen], metrics, train, field, request["name"])
    calls = [judge.add, judge.add_ratings] if request["rates"] else [judge.add]
    for take in calls:
        for users in batches(test.n_users, test.n_items):
            scores = _read(pipe, len(users), test.n_items, request["name"])
            held_out = np.isin(users, judge.users)
            take(users[held_out], scores[held_out])
    state = pipe.read()
    evaluation = judge.result()
    values = {name: float(value) for name, value in evaluation.values.items() if np.isfinite(value)}
    learned = seen if request["train_on"] == "train+valid" else train
    counts = np.bincount(learned.items, minlength=test.n_items)
    lift, of_kinds = _exposure(evaluation, metrics, counts, judge.relevance)
    return {
        "values": values,
        "counts": asdict(evaluation.counts),
        "popularity_lift": lift,
        "sha256": write_part(Path(request["part"]), evaluation, of_kinds),
        "state_sha256": write_bytes(Path(request["state"]), state) if state else None,
    }


def _exposure(
    evaluation: Evaluation, metrics: list[Metric], counts: NDArray[np.int64], relevant: Relevance
) -> tuple[float | None, dict[str, Values]]:
    """Return popularity lift, and each user's values for head and for tail items alone."""
    length = next((metric.k for metric in metrics if metric.k and not metric.sampled), None)
    if length is None or not counts.any():
        return None, {}
    head = head_items(counts)
    short = replace(evaluation, lists=evaluation.lists[:, :length])
    found: dict[str, Values] = {}
    for name, kind in (("head", head), ("tail", ~head)):
        found |= _of_kind(name, kind, short, metrics[0], relevant)
    lift = mean_popularity_lift(short.lists, counts)
    return lift if np.isfinite(lift) else None, found


def _of_kind(
    name: str, kind: NDArray[np.bool_], evaluation: Evaluation, primary: Metric, wanted: Relevance
) -> dict[str, Values]:
    """Return each user's recall, and primary value, of one kind of item: the list is the same."""
    hits, relevant = hits_of_kind(evaluation.users, evaluation.lists, wanted, kind)
    found = {f"recall_{name}": ranking.recall(hits, relevant, hits.shape[1])}
    if primary.made_from(HitInputs) and primary.k is not None and not primary.sampled:
        found[f"{primary.name}_{name}"] = primary.compute(HitInputs(hits, relevant, primary.k))
    return found


def _read(pipe: BinaryIO, rows: int, columns: int, name: str) -> Scores:
    data = pipe.read(4 * rows * columns)
    if len(data) < 4 * rows * columns:
        raise MetricError(f"{name}: the scores ended early; the model's process has gone")
    return np.frombuffer(data, dtype=np.float32).reshape(rows, columns).copy()
