"""Finals: the only place that opens test. Takes raw scores from the child, hides, ranks, measures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.parts import load_parts
from benchmark.errors import MetricError
from benchmark.metrics.evaluate import Evaluation, Evaluator
from benchmark.metrics.exposure import head_of, popularity_lift, recall_of_kind
from benchmark.metrics.names import Metric, parse
from benchmark.protocol import Interactions, Scores, Values
from benchmark.results import write_bytes, write_part
from benchmark.trial import Channel, batches, complaint


def load() -> None:
    """Load nothing: test is opened anew, and noted, for each final."""


def run(request: dict[str, Any], channel: Channel, _: None, descriptors: list[int]) -> None:
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
    metrics = [parse(name) for name in request["metrics"]]
    judge = Evaluator(test, seen=[seen], metrics=metrics, train=train, who=request["name"])
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
    lift, recalls = _exposure(evaluation, metrics, np.bincount(learned.items, minlength=test.n_items), test)
    return {
        "values": values,
        "counts": evaluation.counts,
        "popularity_lift": lift,
        "sha256": write_part(Path(request["part"]), evaluation, recalls),
        "state_sha256": write_bytes(Path(request["state"]), state) if state else None,
    }


def _exposure(
    evaluation: Evaluation, metrics: list[Metric], counts: NDArray[np.int64], test: Interactions
) -> tuple[float | None, dict[str, Values]]:
    """Return popularity lift, and each user's recall of head and of tail items in lists of the first k."""
    length = next((metric.k for metric in metrics if metric.k), None)
    if length is None or not counts.any():
        return None, {}
    head, lists, likes = head_of(counts), evaluation.lists[:, :length], test.likes()
    recalls = {
        f"recall_{name}": recall_of_kind(evaluation.users, lists, likes, kind)
        for name, kind in (("head", head), ("tail", ~head))
    }
    lift = popularity_lift(lists, counts)
    return lift if np.isfinite(lift) else None, recalls


def _read(pipe: BinaryIO, rows: int, columns: int, name: str) -> Scores:
    data = pipe.read(4 * rows * columns)
    if len(data) < 4 * rows * columns:
        raise MetricError(f"{name}: the scores ended early; the model's process has gone")
    return np.frombuffer(data, dtype=np.float32).reshape(rows, columns).copy()
