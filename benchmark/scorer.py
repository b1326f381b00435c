"""Finals: the only place that opens test. Takes raw scores from the child, hides, ranks, measures."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.store.candidates import candidates_for, load_negatives
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.user_samples import load_users, restricted
from benchmark.errors import MetricError
from benchmark.files import write_bytes
from benchmark.fit import batches
from benchmark.long_columns import count_rows
from benchmark.messages import Done, Ready, Scored, ScoreRequest
from benchmark.metrics import ranking
from benchmark.metrics.evaluator import Evaluation, Evaluator
from benchmark.metrics.head_tail import head_items, hits_of_kind, mean_popularity_lift
from benchmark.metrics.inputs import HitInputs
from benchmark.metrics.register import Metric, parse_metric
from benchmark.protocol import Scores, Values
from benchmark.results import write_per_user
from benchmark.trial import CandidateItems, ChildChannel, complaint, evaluator_for


def load() -> None:
    """Load nothing: test is opened anew, and noted, for each final."""


def run(request: ScoreRequest, channel: ChildChannel, _: None, descriptors: list[int]) -> None:
    """Measure one final and store its per-user values; answers with the run-level values.

    Known are the rows of train and validation, whatever the model was trained on.
    """
    channel.send(Ready())
    try:
        with os.fdopen(descriptors[0], "rb") as pipe:
            channel.send(measure(request, pipe))
    except Exception as error:  # noqa: BLE001 - the supervisor turns it into the final's outcome
        channel.send(complaint(error))
    channel.send(Done())


def measure(request: ScoreRequest, pipe: BinaryIO) -> Scored:
    """Read scores, ratings and state from the pipe; return what was found."""
    split = Path(request.directory)
    test = load_parts(split, "test")
    train, known = load_parts(split, "train"), load_parts(split, "train", "valid")
    metrics = [parse_metric(name) for name in request.metrics]
    mask = candidates_for(request.candidates, split, train=train, seen=known, target=test)
    sampled = any(metric.sampled for metric in metrics)
    negatives = load_negatives(split, "test") if sampled else None
    if request.test_sampled:
        test, negatives = restricted(test, negatives, load_users(split, "test"))
    items = CandidateItems(mask, negatives, request.seen)
    evaluator = evaluator_for(test, known, metrics, train, items, request.name)
    for add in (evaluator.add, evaluator.add_ratings) if request.rates else (evaluator.add,):
        for users in batches(test.n_users, test.n_items):
            scores = read_scores(pipe, len(users), test.n_items, request.name)
            held_out = np.isin(users, evaluator.users)
            add(users[held_out], scores[held_out])
    state = pipe.read()
    evaluation = evaluator.result()
    learned = known if request.train_on == "train+valid" else train
    counts = count_rows(learned.items, test.n_items)
    lift, by_popularity = exposure(evaluation, evaluator, metrics, counts)
    return Scored(
        values={name: float(value) for name, value in evaluation.values.items() if np.isfinite(value)},
        counts=asdict(evaluation.counts),
        popularity_lift=lift,
        sha256=write_per_user(Path(request.per_user_path), evaluation, by_popularity),
        state_sha256=write_bytes(Path(request.state_path), state) if state else None,
    )


def exposure(
    evaluation: Evaluation, evaluator: Evaluator, metrics: list[Metric], counts: NDArray[np.int64]
) -> tuple[float | None, dict[str, Values]]:
    """Return the popularity lift of the lists, and each user's values for head and for tail items alone.

    Args:
        evaluation: of the final.
        evaluator: that made it.
        metrics: the primary one first.
        counts: training rows of each item, (I,).
    """
    length = next((metric.k for metric in metrics if metric.k and not metric.sampled), None)
    if length is None or not counts.any():
        return None, {}
    short = replace(evaluation, lists=evaluation.lists[:, :length])
    primary, head = metrics[0], head_items(counts)
    is_plain = primary.made_from(HitInputs) and not primary.sampled and primary.part is None
    found: dict[str, Values] = {}
    for name, kind in (("head", head), ("tail", ~head)):
        # The list stays the same; only items of one kind count as hits and as relevant.
        hits, relevant = hits_of_kind(short.users, short.lists, evaluator.relevance, kind)
        found[f"recall_{name}"] = ranking.recall(hits, relevant, hits.shape[1])
        if is_plain and primary.k is not None:
            found[f"{primary.name}_{name}"] = primary.compute(HitInputs(hits, relevant, primary.k))
    lift = mean_popularity_lift(short.lists, counts)
    return lift if np.isfinite(lift) else None, found


def read_scores(pipe: BinaryIO, rows: int, columns: int, name: str) -> Scores:
    """Return the next batch of scores.

    Raises:
        MetricError: there are fewer.
    """
    data = pipe.read(4 * rows * columns)
    if len(data) < 4 * rows * columns:
        raise MetricError(f"{name}: the scores ended early; the model's process is gone")
    return np.frombuffer(data, dtype=np.float32).reshape(rows, columns).copy()
