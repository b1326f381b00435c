"""What a child process runs before a study: a first look at a model, on growing samples of the rows.

A sample is some users with all their rows, so that what depends on the length of histories is seen as it
is; the numbers of users and items stay those of the log, so that what depends on them is not extrapolated. A
smaller sample is part of a larger one. Each is fitted anew for two steps at most and scores one batch of
users; a framework compiles in the first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmark.fit import Fit
from benchmark.messages import Done, Look, ProbeRequest, Ready
from benchmark.metrics.evaluator import Evaluator
from benchmark.metrics.register import parse_metric
from benchmark.metrics.topk import batch_size
from benchmark.protocol import Ids, Interactions
from benchmark.registry import load as load_target
from benchmark.traits import traits
from benchmark.trial import ChildChannel, Parts, complaint, evaluator_for, measure_batch

LEAST_LOOKS = 3
"""Looks that there are if time allows: two tell what a row costs, a third whether that grows.

One more where a model trains a single step: the first of these may compile.
"""
GROWTH = 2
NEARLY_ALL = 0.9
"""Share of the hold that a look may be expected to reach: what exceeds the hold tells nothing."""


def run(request: ProbeRequest, channel: ChildChannel, parts: Parts, _: list[int]) -> None:
    """Tell what each sample took, the smallest first, until one says enough or time is short."""
    try:
        evaluator = evaluator_for(
            parts.valid,
            parts.train,
            [parse_metric(name) for name in request.metrics],
            parts.train,
            parts.candidates,
            request.name,
        )
        learned = rows_learned(request, parts.train)
        Fit.begin(request, parts.train.rows(np.empty(0, dtype=np.intp)))  # opens the device
        channel.send(Ready())
        for look in looks(request, parts.train, learned, evaluator):
            channel.send(look)
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises: the trial will tell
        channel.send(complaint(error))
    channel.send(Done())


def rows_learned(request: ProbeRequest, train: Interactions) -> Ids:
    """Return how many rows of each user (U,) the model is trained on."""
    own = traits(load_target(request.target))
    users = train.users[train.positive] if own.feedback == "implicit" else train.users
    return np.bincount(users, minlength=train.n_users).astype(np.int32)


def looks(request: ProbeRequest, train: Interactions, learned: Ids, evaluator: Evaluator) -> Iterator[Look]:
    """Yield what each sample took.

    Args:
        request: says how large samples are, and when to stop.
        train: the log.
        learned: rows of each user that the model is trained on, (U,).
        evaluator: measures on validation.
    """
    order = np.random.default_rng(request.seed).permutation(np.flatnonzero(learned))
    reached = learned[order].cumsum(dtype=np.int64)
    began, wanted, count = time.monotonic(), request.first_rows, 0
    streams = traits(load_target(request.target)).streams
    while True:
        own_began = time.monotonic()
        users = order[: int(np.searchsorted(reached, wanted)) + 1].astype(np.int32)
        rows = int(learned[users].sum())
        # A step as large as the sample: models that can stop within a pass then train as they do in trials.
        sampled = replace(request, step_rows=rows) if streams else request
        look = look_at(sampled, train, users, evaluator, of_rows=int(reached[-1]))
        yield look
        count += 1
        now = time.monotonic()
        next_s = GROWTH * (now - own_began)
        enough = LEAST_LOOKS + (look.step_s is None)
        if count >= enough and max(look.first_s, look.step_s or 0.0) >= request.enough_s:
            return
        wanted *= GROWTH
        if wanted > request.most_rows or now - began + next_s > NEARLY_ALL * request.hold_s:
            return


def look_at(
    request: ProbeRequest, train: Interactions, users: Ids, evaluator: Evaluator, *, of_rows: int
) -> Look:
    """Return what two steps on the rows of some users took, and scoring one of them."""
    chosen = np.zeros(train.n_users, dtype=np.bool_)
    chosen[users] = True
    fit = Fit.begin(request, train.rows(chosen[train.users]), of_rows)
    fit.step()
    first_s = fit.fit_s
    step_s = fit.fit_s - first_s if fit.step() else None
    judged = evaluator.users[chosen[evaluator.users]] if chosen[evaluator.users].any() else evaluator.users
    batch = judged[: batch_size(train.n_items)]
    for _ in range(2):  # the first compiles
        evaluator.reset()
        began = time.monotonic()
        measure_batch(fit, evaluator, batch, rates=request.rates)
        user_s = (time.monotonic() - began) / max(len(batch), 1)
    return Look(
        rows=len(fit.train),
        of_rows=of_rows,
        first_s=first_s,
        step_s=step_s,
        user_s=user_s,
        judged=len(evaluator.users),
    )
