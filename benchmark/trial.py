"""What a child process runs: a trial, validated as it goes, or a final, whose scores go to the scorer.

Nothing here can reach the test part: :func:`load` reads train and validation, and a final streams raw
scores of all users through a pipe to the scorer process, which alone opens test.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import hidden_rows
from benchmark.datasets.store.candidates import candidates_for, load_negatives
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.user_samples import load_users, restricted
from benchmark.errors import AdapterError, BenchError, MetricError, RunError
from benchmark.fit import Fit, batches
from benchmark.long_columns import rows_of
from benchmark.measure import footprint, latency, packed_state, stream_scores
from benchmark.messages import (
    Answer,
    Done,
    Error,
    ErrorKind,
    FinalRequest,
    FitRequest,
    Fitted,
    Measured,
    Message,
    Ready,
    Step,
)
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import Metric, parse_metric
from benchmark.metrics.topk import batch_size
from benchmark.protocol import Ids, Interactions

if TYPE_CHECKING:
    from benchmark.datasets.specs import Seen


class ChildChannel(Protocol):
    """The child's end of the conversation with its supervisor."""

    def send(self, message: Message) -> None:
        """Send one message."""
        ...

    def receive(self) -> Message:
        """Wait for the answer."""
        ...


@dataclass(frozen=True)
class CandidateItems:
    """Which items compete.

    Attributes:
        mask: those that may be shown at all, (I,); None for all.
        negatives: of sampled metrics, (E, n).
        seen: which of a user's known items are left out: "hide", "allow" or "hide-negative".
    """

    mask: NDArray[np.bool_] | None = None
    negatives: Ids | None = None
    seen: Seen = "hide"


@dataclass(frozen=True)
class Parts:
    """What a study may see, and which items compete on validation.

    Attributes:
        train: rows of train.
        valid: rows of validation, of the users that trials are validated on.
        both: all rows of train and validation.
        candidates: on validation.
    """

    train: Interactions
    valid: Interactions
    both: Interactions
    candidates: CandidateItems


def load(
    directory: str,
    candidates: str = "all",
    *,
    sampled: bool = False,
    seen: Seen = "hide",
    valid_sampled: bool = False,
) -> Parts:
    """Map train and validation of a stored split; no file stays open, and test is not looked at.

    Args:
        directory: of the stored split.
        candidates: the rule by which items are candidates.
        sampled: whether a metric ranks drawn negatives.
        seen: which of a user's known items are left out of the lists.
        valid_sampled: whether trials are validated on the stored sample of validation's users.
    """
    folder = Path(directory)
    train, valid = load_parts(folder, "train"), load_parts(folder, "valid")
    mask = candidates_for(candidates, folder, train=train, seen=train, target=valid)
    negatives = load_negatives(folder, "valid") if sampled else None
    if valid_sampled:
        valid, negatives = restricted(valid, negatives, load_users(folder, "valid"))
    return Parts(train, valid, load_parts(folder, "train", "valid"), CandidateItems(mask, negatives, seen))


def run(request: FitRequest, channel: ChildChannel, parts: Parts, _: list[int]) -> None:
    """Fit one configuration on train, validating when told, and after the last step, until told to stop."""
    metrics = [parse_metric(name) for name in request.metrics]
    try:
        evaluator = evaluator_for(
            parts.valid, parts.train, metrics, parts.train, parts.candidates, request.name
        )
        fit = Fit.begin(request, parts.train)
        channel.send(Ready())
        more, validated, due = True, 0, 1
        while more:
            more = fit.step()
            if fit.steps == validated or (more and fit.steps < due):
                continue
            values = validate(fit, evaluator, rates=request.rates)
            channel.send(Step(fit.steps, fit.fit_s, values, fit.passes))
            answer = channel.receive()
            assert isinstance(answer, Answer), answer
            if not answer.go:
                break
            validated, due = fit.steps, fit.steps + answer.steps
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises becomes the trial's outcome
        channel.send(complaint(error))
    channel.send(Done())


def final(request: FinalRequest, channel: ChildChannel, parts: Parts, descriptors: list[int]) -> None:
    """Refit the chosen configuration and stream the scores of all users into the scorer's pipe."""
    try:
        fit = Fit.begin(request, parts.both if request.train_on == "train+valid" else parts.train)
        channel.send(Ready())
        for step in fit.train_passes(request.passes):
            channel.send(Fitted(step))
        size, speed = footprint(fit.model), latency(fit.model, fit.train.n_users)
        with os.fdopen(descriptors[0], "wb") as pipe:
            users_per_s = stream_scores(fit, pipe)
            if request.rates:
                for users in batches(fit.train.n_users, fit.train.n_items):
                    pipe.write(fit.ratings(users).data)
            if request.keep_state:
                pipe.write(packed_state(fit.model))
        channel.send(
            Measured(
                fit_s=fit.fit_s,
                steps=fit.steps,
                size_mb=size.size_mb,
                params=size.params,
                latency_ms_p50=speed.p50_ms,
                latency_ms_p95=speed.p95_ms,
                users_per_s=users_per_s,
                filled_users=int(fit.cold.users.sum()),
                filled_items=int(fit.cold.items.sum()),
            )
        )
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises becomes the final's outcome
        channel.send(complaint(error))
    channel.send(Done())


def evaluator_for(
    target: Interactions,
    known: Interactions,
    metrics: Sequence[Metric],
    train: Interactions,
    items: CandidateItems,
    who: str,
) -> Evaluator:
    """Return what measures scores on a part: one way for validation and test.

    Args:
        target: the part.
        known: rows that are known when it is evaluated.
        metrics: what to measure.
        train: counts how many users had an item.
        items: which compete.
        who: the model.
    """
    if items.seen != "hide":  # all rows are hidden where they lie; of others a copy is made
        evaluated = np.zeros(target.n_users, dtype=np.bool_)
        evaluated[target.users] = True
        known = known.rows(rows_of(evaluated, known.users))
    return Evaluator(
        target,
        [hidden_rows(known, items.seen)],
        metrics,
        train,
        who=who,
        candidates=items.mask,
        negatives=items.negatives,
        known=None if items.seen == "hide" else [known],
    )


def validate(fit: Fit, evaluator: Evaluator, *, rates: bool) -> dict[str, float]:
    """Return the finite metrics on validation."""
    evaluator.reset()
    size = batch_size(fit.train.n_items)
    for first in range(0, len(evaluator.users), size):
        measure_batch(fit, evaluator, evaluator.users[first : first + size], rates=rates)
    values = evaluator.result().values
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def measure_batch(fit: Fit, evaluator: Evaluator, users: Ids, *, rates: bool) -> None:
    """Score and measure some users (B,) of validation."""
    if evaluator.needs_scores:
        evaluator.add(users, fit.scores(users))
    else:
        evaluator.add_lists(users, fit.lists(users, evaluator.ranker))
    if rates:
        evaluator.add_ratings(users, fit.ratings(users))


def complaint(error: Exception) -> Error:
    """Return the message that tells the supervisor why a child gave up."""
    kind: ErrorKind = "crash"
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        kind = "oom"
    elif isinstance(error, AdapterError):
        kind = "broken"
    elif isinstance(error, MetricError):
        kind = "nan"
    elif isinstance(error, RunError | BrokenPipeError):  # a full disk; the process at the pipe's other end
        kind = "machine"
    text = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return Error(kind, text, traceback.format_exc())
