"""The model's side of a final: fit again, hand over lists or scores, rate what is asked, hand over the state.

Nothing here can reach the test part. Lists are ranked from what a trial may see, train and validation; pairs
to be rated come from the scorer, held-out ones among decoys.
"""

from __future__ import annotations

import time

import numpy as np

from benchmark.datasets.log import hidden_rows
from benchmark.fit import Fit
from benchmark.hand_over import Wire, batches_of
from benchmark.latency import latency
from benchmark.measure import footprint, packed_state
from benchmark.messages import Done, FinalRequest, FitEnded, Fitted, Measured, Ready
from benchmark.metrics.ranker import Ranker
from benchmark.metrics.register import list_length, parse_metric
from benchmark.metrics.relevance import union
from benchmark.trial import ChildChannel, Parts, complaint


def final(request: FinalRequest, channel: ChildChannel, parts: Parts, descriptors: list[int]) -> None:
    """Refit the chosen configuration and hand over what the scorer measures."""
    try:
        with Wire(descriptors[0]) as wire:
            fit = Fit.begin(request, parts.both if request.train_on == "train+valid" else parts.train)
            channel.send(Ready())
            for step in fit.train_passes(request.passes):
                channel.send(Fitted(step))
            channel.send(FitEnded())
            size, speed = footprint(fit.model), latency(fit.model, fit.train.n_users, request.latency_s)
            users_per_s = hand_over_users(request, fit, parts, wire)
            if request.rates:
                rate_pairs(fit, wire)
            if request.keep_state:
                wire.send_bytes(packed_state(fit.model))
        channel.send(
            Measured(
                fit_s=fit.fit_s,
                steps=fit.steps,
                size_mb=size.size_mb,
                params=size.params,
                latency=speed.as_record(),
                users_per_s=users_per_s,
                filled_users=int(fit.cold.users.sum()),
                filled_items=int(fit.cold.items.sum()),
            )
        )
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises becomes the final's outcome
        channel.send(complaint(error))
    channel.send(Done())


def hand_over_users(request: FinalRequest, fit: Fit, parts: Parts, wire: Wire) -> float:
    """Hand over the list, or the scores, of each user; return users per second, the transfer left out."""
    ranker, took, count = ranker_for(request, parts), 0.0, 0
    for users in batches_of(request.users, fit.train.n_users, fit.train.n_items):
        began = time.monotonic()
        array = fit.lists(users, ranker) if request.hand_over == "lists" else fit.scores(users)
        took += time.monotonic() - began
        count += len(users)
        wire.send(array)
    return count / max(took, 1e-9)


def ranker_for(request: FinalRequest, parts: Parts) -> Ranker:
    """Return what makes the lists: it hides the rows of train and validation, whatever the model learned."""
    mask = parts.candidates.mask
    asked = None if request.users is None else np.array(request.users, dtype=np.int32)
    return Ranker(
        union([hidden_rows(parts.both, parts.candidates.seen)], parts.both, asked),
        None if mask is None else ~mask,
        list_length([parse_metric(name) for name in request.metrics]),
    )


def rate_pairs(fit: Fit, wire: Wire) -> None:
    """Answer pairs of user and item with their ratings until none is sent."""
    while (pairs := wire.receive(np.int32, 2, None, "the scorer")).size:
        wire.send(fit.ratings(*pairs)[None, :])
