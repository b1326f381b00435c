"""One fit in a child process: step, clock, and on validation score, hide, rank, measure.

Nothing here can reach the test part: :func:`load` reads train and validation, and a final hands
raw scores of all users through a pipe to the scorer process, which alone opens test.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmark.cold_start import Cold
from benchmark.datasets.store.candidates import candidates_for, load_negatives
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import AdapterError, BenchError, MetricError, RunError
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import Metric, parse_metric
from benchmark.protocol import Array, FitContext, Ids, Interactions, Recommender, Scores, traits
from benchmark.registry import load as load_target
from benchmark.score_check import checked_scores, fetched, is_remote

BATCH_ELEMENTS = 4_000_000
"""Scores held at once: 16 MB of float32, whatever the number of users."""
LATENCY_CALLS = 60
LATENCY_WARM_UP = 10


class ChildChannel(Protocol):
    """The child's end of the conversation with its supervisor."""

    def send(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        """Send one message."""
        ...

    def receive(self) -> dict[str, Any]:
        """Wait for the answer."""
        ...


@dataclass(frozen=True)
class Parts:
    """What a study may see: train and validation, and who is ranked on validation."""

    train: Interactions
    valid: Interactions
    both: Interactions
    field: CandidateItems


@dataclass(frozen=True)
class CandidateItems:
    """Who competes: a mask of items (I,), None for all, and drawn negatives (E, n) of sampled metrics."""

    candidates: NDArray[np.bool_] | None = None
    negatives: Ids | None = None


def load(directory: str, candidates: str = "all", *, sampled: bool = False) -> Parts:
    """Read train and validation of a stored split into memory; no file stays open.

    Args:
        directory: of the stored split.
        candidates: the rule by which items are candidates.
        sampled: whether a metric ranks drawn negatives.
    """
    folder = Path(directory)
    train, valid = load_parts(folder, "train"), load_parts(folder, "valid")
    mask = candidates_for(candidates, folder, train=train, seen=train, target=valid)
    negatives = load_negatives(folder, "valid") if sampled else None
    return Parts(train, valid, load_parts(folder, "train", "valid"), CandidateItems(mask, negatives))


def batches(n_users: int, n_items: int) -> Iterator[np.ndarray[Any, np.dtype[np.int32]]]:
    """Return all users in ascending order, in batches that keep scores under 16 MB."""
    size = batch_size(n_items)
    for first in range(0, n_users, size):
        yield np.arange(first, min(first + size, n_users), dtype=np.int32)


def batch_size(n_items: int) -> int:
    """Return B, the users scored at once for I items."""
    return max(1, min(4096, BATCH_ELEMENTS // n_items))


@dataclass
class Fit:
    """One model on its way: the adapter, driven step by step, with the time it trained."""

    model: Recommender
    train: Interactions
    context: FitContext
    name: str
    cold: Cold
    fit_s: float = 0.0
    steps: int = 0
    _stepper: Iterator[None] | None = None

    def step(self) -> bool:
        """Train one step; False when the adapter has no more."""
        began = time.monotonic()
        try:
            if self._stepper is None:  # only now: what is no generator would train before the clock runs
                self._stepper = iter(self.model.fit_steps(self.train, self.context))
            next(self._stepper)
        except StopIteration:
            return False
        finally:
            self.fit_s += time.monotonic() - began
        self.steps += 1
        return True

    def scores(self, users: np.ndarray[Any, np.dtype[np.int32]]) -> Scores:
        """Return checked scores (B, I) float32, cold users and items filled in.

        Raises:
            AdapterError: wrong shape or type.
            MetricError: scores that are not finite: the training has diverged.
        """
        return self._filled(self.model.score(users), users)

    def scores_anywhere(self, users: Ids) -> Any:
        """Return what :meth:`scores` does; on its device, unchecked, where nothing is to be filled in."""
        raw = self.model.score(users)
        return raw if is_remote(raw) and not self.cold.any else self._filled(raw, users)

    def _filled(self, raw: Any, users: Ids) -> Scores:
        return self.cold.fill(users, checked_scores(raw, users, self.train.n_items, self.name))

    def ratings(self, users: np.ndarray[Any, np.dtype[np.int32]]) -> Scores:
        """Return predicted ratings (B, I) of every item for each user.

        The whole grid, so that the child never learns which pairs are held out.
        """
        n_items = self.train.n_items
        everything = np.tile(np.arange(n_items, dtype=np.int32), len(users))
        values = self.model.rate(np.repeat(users, n_items), everything)  # type: ignore[attr-defined]
        grid = np.asarray(values, dtype=np.float32).reshape(len(users), n_items)
        return checked_scores(grid, users, n_items, self.name, "rate()")


def begin(request: dict[str, Any], train: Interactions) -> Fit:
    """Make the model of a request and open its device; nothing is trained yet."""
    cls = load_target(request["target"])
    own = traits(cls)
    context = FitContext(request["seed"], request["threads"], request["device"])
    if hasattr(cls, "open_device"):
        cls.open_device(context)
    rows = train.likes() if own.feedback == "implicit" else train
    cold = Cold.from_log(rows, own.from_features, scores_all=own.scores_all)
    return Fit(cls(**request["params"]), rows, context, request["name"], cold)


def run(request: dict[str, Any], channel: ChildChannel, parts: Parts, _: list[int]) -> None:
    """Fit one configuration on train, validating when told, and after the last step, until told to stop."""
    metrics = [parse_metric(name) for name in request["metrics"]]
    try:
        judge = judge_of(parts.valid, [parts.train], metrics, parts.train, parts.field, request["name"])
        fit = begin(request, parts.train)
        channel.send({"event": "ready"})
        rates, validated, due, more = request["rates"], 0, 1, True
        while more:
            more = fit.step()
            if fit.steps == validated or (more and fit.steps < due):
                continue
            values = validate(fit, judge, rates=rates)
            channel.send({"event": "step", "step": fit.steps, "fit_s": fit.fit_s, "values": values})
            answer = channel.receive()
            if not answer["go"]:
                break
            validated, due = fit.steps, fit.steps + answer["steps"]
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises becomes the trial's outcome
        channel.send(complaint(error))
    channel.send({"event": "done"})


def judge_of(
    target: Interactions,
    seen: Sequence[Interactions],
    metrics: Sequence[Metric],
    train: Interactions,
    field: CandidateItems,
    who: str,
) -> Evaluator:
    """Return what measures scores on a part: one way for validation and test."""
    return Evaluator(
        target, seen, metrics, train, who=who, candidates=field.candidates, negatives=field.negatives
    )


def validate(fit: Fit, judge: Evaluator, *, rates: bool) -> dict[str, float]:
    """Return the metrics on validation, with the rows of train hidden."""
    judge.reset()
    size = batch_size(fit.train.n_items)
    for first in range(0, len(judge.users), size):
        users = judge.users[first : first + size]
        judge.add(users, fit.scores_anywhere(users))
        if rates:
            judge.add_ratings(users, fit.ratings(users))
    values = judge.result().values
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def final(request: dict[str, Any], channel: ChildChannel, parts: Parts, descriptors: list[int]) -> None:
    """Refit the chosen configuration and pour the scores of all users into the scorer's pipe."""
    try:
        fit = begin(request, parts.both if request["train_on"] == "train+valid" else parts.train)
        channel.send({"event": "ready"})
        while fit.steps < request["steps"] and fit.step():
            channel.send({"event": "fitted", "step": fit.steps})
        facts = {
            "fit_s": fit.fit_s,
            "steps": fit.steps,
            **footprint(fit.model),
            **latency(fit.model, fit.train.n_users),
            "filled_users": int(fit.cold.users.sum()),
            "filled_items": int(fit.cold.items.sum()),
        }
        with os.fdopen(descriptors[0], "wb") as pipe:
            facts["users_per_s"] = pour(fit, pipe)
            if request["rates"]:
                for users in batches(fit.train.n_users, fit.train.n_items):
                    pipe.write(fit.ratings(users).data)
            if request["keep_state"]:
                pipe.write(packed_state(fit.model))
        channel.send({"event": "facts", **facts})
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises becomes the final's outcome
        channel.send(complaint(error))
    channel.send({"event": "done"})


def pour(fit: Fit, pipe: BinaryIO) -> float:
    """Write the scores of all users into a pipe; return users scored per second, the writing left out."""
    took = 0.0
    for users in batches(fit.train.n_users, fit.train.n_items):
        began = time.monotonic()
        scores = np.ascontiguousarray(fit.scores(users))
        took += time.monotonic() - began
        pipe.write(scores.data)
    return fit.train.n_users / max(took, 1e-9)


def footprint(model: Recommender) -> dict[str, float | int | None]:
    """Return size in MB and number of parameters of the stored state; None if it keeps none."""
    if not hasattr(model, "state"):
        return {"size_mb": None, "params": None}
    arrays = [np.asarray(array) for array in model.state().values()]
    return {"size_mb": sum(a.nbytes for a in arrays) / 2**20, "params": int(sum(a.size for a in arrays))}


def packed_state(model: Recommender) -> bytes:
    """Return the state as safetensors: named arrays, readable without trust; empty if it keeps none."""
    return packed(model.state()) if hasattr(model, "state") else b""


def packed(arrays: dict[str, Array]) -> bytes:
    """Return named arrays as safetensors; an array without dimensions keeps having none."""
    from safetensors.numpy import save

    return save({name: np.asarray(array, order="C") for name, array in arrays.items()})


def latency(model: Recommender, n_users: int) -> dict[str, float]:
    """Return the median and 95th percentile of the milliseconds that one user's scores take."""
    users = np.random.default_rng(0).integers(n_users, size=LATENCY_CALLS + LATENCY_WARM_UP)
    took = []
    for user in users.astype(np.int32):
        began = time.monotonic()
        fetched(model.score(np.array([user], dtype=np.int32)))
        took.append(1000 * (time.monotonic() - began))
    p50, p95 = np.percentile(took[LATENCY_WARM_UP:], [50, 95])
    return {"latency_ms_p50": float(p50), "latency_ms_p95": float(p95)}


def complaint(error: Exception) -> dict[str, Any]:
    """Return the message that tells the supervisor why a fit failed, and of what kind."""
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        kind = "oom"
    elif isinstance(error, AdapterError):
        kind = "broken"
    elif isinstance(error, MetricError):
        kind = "nan"
    elif isinstance(error, RunError):
        kind = "place"
    else:
        kind = "crash"
    text = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return {"event": "error", "kind": kind, "message": text, "traceback": traceback.format_exc()}
