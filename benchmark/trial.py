"""What a child process runs: a trial, validated as it goes.

Nothing here can reach the test part: :func:`load` reads train and validation.
"""

from __future__ import annotations

import math
import time
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
from benchmark.fit import Fit
from benchmark.long_columns import rows_of
from benchmark.messages import (
    Answer,
    Done,
    Error,
    ErrorKind,
    FitRequest,
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
        more, validated, due, due_s = True, 0, 1, math.inf
        while more:
            more = fit.step()
            is_due = fit.steps >= due or time.monotonic() >= due_s
            if fit.steps == validated or (more and not is_due):
                continue
            channel.send(validate(fit, evaluator, rates=request.rates))
            answer = channel.receive()
            assert isinstance(answer, Answer), answer
            if not answer.go:
                break
            validated, due = fit.steps, fit.steps + answer.steps
            due_s = math.inf if answer.within_s is None else time.monotonic() + answer.within_s
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises becomes the trial's outcome
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


def validate(fit: Fit, evaluator: Evaluator, *, rates: bool) -> Step:
    """Return the finite metrics on validation, and what they cost a user and a rated pair."""
    began, rating_s, rated = time.monotonic(), 0.0, 0
    evaluator.reset()
    size = batch_size(fit.train.n_items)
    for first in range(0, len(evaluator.users), size):
        pairs, took_s = measure_batch(fit, evaluator, evaluator.users[first : first + size], rates=rates)
        rated, rating_s = rated + pairs, rating_s + took_s
    values = evaluator.result().values
    return Step(
        step=fit.steps,
        fit_s=fit.fit_s,
        values={name: float(value) for name, value in values.items() if np.isfinite(value)},
        passes=fit.passes,
        user_s=(time.monotonic() - began - rating_s) / max(1, len(evaluator.users)),
        pair_s=rating_s / max(1, rated),
    )


def measure_batch(fit: Fit, evaluator: Evaluator, users: Ids, *, rates: bool) -> tuple[int, float]:
    """Score and measure some users (B,) of validation; return how many pairs were rated, and in what time."""
    if evaluator.needs_scores:
        evaluator.add(users, fit.scores(users))
    else:
        evaluator.add_lists(users, fit.lists(users, evaluator.ranker))
    if not rates:
        return 0, 0.0
    began = time.monotonic()  # the held-out pairs alone are rated: validation is no secret here
    predicted = fit.ratings(*evaluator.held_out(users))
    took_s = time.monotonic() - began
    evaluator.add_ratings(users, predicted)
    return len(predicted), took_s


def complaint(error: Exception) -> Error:
    """Return the message that tells the supervisor why a child gave up."""
    kind: ErrorKind = "crash"
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        kind = "oom"
    elif isinstance(error, AdapterError):
        kind = "broken"
    elif isinstance(error, MetricError):
        kind = "nan"
    elif isinstance(error, RunError | ConnectionError):  # a full disk; the process at the other end
        kind = "machine"
    text = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return Error(kind, text, traceback.format_exc())
