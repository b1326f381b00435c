"""One model in training: driven step by step, timed, its scores checked and filled in for cold users."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from benchmark.cold_start import Cold
from benchmark.errors import AdapterError
from benchmark.messages import FitRequest
from benchmark.metrics.ranker import Ranker
from benchmark.metrics.topk import batch_size
from benchmark.metrics.topk_gpu import is_sound
from benchmark.modelkit.pace import Pace
from benchmark.protocol import (
    FitContext,
    Floats32,
    HasVectors,
    Ids,
    Interactions,
    RatesItems,
    Recommender,
    Scores,
    Vectors,
)
from benchmark.registry import load as load_target
from benchmark.score_check import checked_ratings, checked_scores, is_remote
from benchmark.traits import Traits, traits


def batches(n_users: int, n_items: int) -> Iterator[Ids]:
    """Return all users in ascending order, in batches of which scores take 16 MB, or 64 users."""
    size = batch_size(n_items)
    for first in range(0, n_users, size):
        yield np.arange(first, min(first + size, n_users), dtype=np.int32)


def handed_to(own: Traits, train: Interactions) -> Interactions:
    """Return what a model is trained on: its rows, and weights, known dislikes and the graph if it uses them.

    A pair that is liked in one row and disliked in another, where items come again, is no known dislike.
    """
    rows = train.positives() if own.feedback == "implicit" else train
    if rows.graph is not None and "graph" not in own.uses:
        rows = replace(rows, graph=None)
    if not len(train.negative) and not len(train.weights):
        return rows
    weights = rows.weights if "weights" in own.uses else rows.weights[:0]
    if "negatives" not in own.uses:
        return replace(rows, weights=weights, negative=rows.negative[:0])
    if own.feedback == "explicit":
        return replace(rows, weights=weights)
    negative = np.flatnonzero(train.negative)
    liked = rows.users.astype(np.int64) * rows.n_items + rows.items
    pairs = train.users[negative].astype(np.int64) * train.n_items + train.items[negative]
    disliked = negative[~np.isin(pairs, liked)]
    dislikes = train.rows(disliked) if len(disliked) else None
    return replace(rows, weights=weights, negative=rows.negative[:0], dislikes=dislikes)


@dataclass
class Fit:
    """One model in training.

    Attributes:
        model: the adapter.
        train: what it learns from.
        context: seed, threads and device.
        name: of the adapter, for messages.
        cold: users and items without a training row, and what they get instead of its scores.
        fit_s: seconds of training so far.
        steps: trained so far.
        rows: that these steps trained.
    """

    model: Recommender
    train: Interactions
    context: FitContext
    name: str
    cold: Cold
    fit_s: float = 0.0
    steps: int = 0
    rows: int = 0
    _stepper: Iterator[int | None] | None = None

    @classmethod
    def begin(cls, request: FitRequest, train: Interactions, of_rows: int | None = None) -> Fit:
        """Make the model of a request and open its device; nothing is trained yet.

        Args:
            request: which model, and how.
            train: what it learns from, or more than that.
            of_rows: of the log that it learns a sample of; None where it learns all of it.
        """
        adapter = load_target(request.target)
        own = traits(adapter)
        context = FitContext(request.seed, request.threads, request.device, request.step_rows, of_rows)
        if hasattr(adapter, "open_device"):
            adapter.open_device(context)
        rows = handed_to(own, train)
        cold = Cold.from_log(rows, own.from_features, scores_all=own.scores_all, from_graph=own.from_graph)
        return cls(adapter(**request.params), rows, context, request.name, cold)

    def step(self) -> bool:
        """Train one step; False when the adapter has no more.

        Raises:
            AdapterError: ``fit_steps`` is no generator and returned nothing to iterate over, or it ended
                before its first step.
        """
        began = time.monotonic()
        try:
            if self._stepper is None:  # only now: what is no generator would train before the clock runs
                steps = self.model.fit_steps(self.train, self.context)
                if not isinstance(steps, Iterable):
                    raise AdapterError(
                        f"{self.name}: fit_steps() returned {type(steps).__name__}, expected an iterator: "
                        "fit_steps must yield."
                    )
                self._stepper = iter(steps)
            rows = next(self._stepper)
        except StopIteration:
            if not self.steps:
                raise AdapterError(
                    f"{self.name}: fit_steps() ended without a step; it must yield at least once."
                ) from None
            return False
        finally:
            self.fit_s += time.monotonic() - began
        self.steps += 1
        self.rows += len(self.train) if rows is None else rows
        return True

    @property
    def passes(self) -> float:
        """How many times the rows have been trained so far; a step that does not say how many is a pass."""
        return self.rows / len(self.train) if len(self.train) else float(self.steps)

    def train_passes(self, n: float) -> Iterator[int]:
        """Train until n passes are done, to the nearest step; yield the number of each step."""
        half = 0.5 / Pace.of(self.train, self.context).steps
        while self.passes + half < n and self.step():
            yield self.steps

    def scores(self, users: Ids) -> Scores:
        """Return checked scores (B, I) float32, cold users and items filled in.

        Raises:
            AdapterError: wrong shape or type.
            MetricError: scores that are not finite: the training has diverged.
        """
        return self._checked(self.model.score(users), users)

    def lists(self, users: Ids, ranker: Ranker) -> Ids:
        """Return the lists (B, K) that a ranker makes of the scores, cold users and items filled in.

        A model that hands over vectors is ranked by blocks of items; scores are ranked where they lie.

        Raises:
            AdapterError: scores or vectors of the wrong shape or type.
            MetricError: scores that are not finite: the training has diverged.
        """
        if hasattr(self.model, "vectors"):
            vectors = self._checked_vectors(cast("HasVectors", self.model))
            return ranker.lists_with_cold(
                users, self.cold, lambda one: one.lists_from(users, vectors, self.name)
            )
        raw: Any = self.model.score(users)
        n_items = self.train.n_items
        if not (is_remote(raw) and is_sound(raw, (len(users), n_items))):
            raw = checked_scores(raw, users, n_items, self.name)
        return ranker.lists_with_cold(users, self.cold, lambda one: one.lists(users, raw))

    def _checked_vectors(self, model: HasVectors) -> Vectors:
        vectors, expected = model.vectors(), (self.train.n_users, self.train.n_items)
        found = len(vectors.users), len(vectors.items)
        if found != expected or vectors.users.shape[1:] != vectors.items.shape[1:]:
            raise AdapterError(
                f"{self.name}: vectors() returned users {vectors.users.shape} and items"
                f" {vectors.items.shape}, expected ({expected[0]}, D) and ({expected[1]}, D)."
            )
        return vectors

    def _checked(self, raw: Any, users: Ids) -> Scores:
        return self.cold.fill(users, checked_scores(raw, users, self.train.n_items, self.name))

    def ratings(self, users: Ids, items: Ids) -> Floats32:
        """Return checked ratings (N,) of the pairs (users[n], items[n]).

        Raises:
            AdapterError: wrong shape or type.
            MetricError: ratings that are not finite: the training has diverged.
        """
        raw = cast("RatesItems", self.model).rate(users, items)
        return checked_ratings(raw, users, self.name)
