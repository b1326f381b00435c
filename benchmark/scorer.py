"""Finals: the only place that opens test. Takes lists or scores of a model's process, checks and measures."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import KNOWN_PARTS, Part
from benchmark.datasets.store.candidates import candidates_for, load_negatives
from benchmark.datasets.store.columns import mapped
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.user_samples import finals_users, load_users, restricted
from benchmark.errors import MetricError
from benchmark.executors.processes import close_to_others
from benchmark.files import atomic_path, write_errors_as_run_error
from benchmark.hand_over import Wire, batches_of
from benchmark.lists_request import ListsRequest, OnStoredSplit, StoredListsRequest
from benchmark.long_columns import count_rows
from benchmark.messages import Done, ListsScored, Ready, Scored, ScoreRequest
from benchmark.metrics import ranking
from benchmark.metrics.decoys import pools
from benchmark.metrics.evaluator import Evaluation, Evaluator
from benchmark.metrics.head_tail import head_items, hits_of_kind, mean_popularity_lift
from benchmark.metrics.inputs import HitInputs, StoredInputs
from benchmark.metrics.list_check import candidate_counts, checked_lists
from benchmark.metrics.register import (
    Metric,
    exposed_length,
    made_from_sums,
    not_from_lists,
    parse_metric,
)
from benchmark.protocol import Ids, Interactions, Longs, Values
from benchmark.results import SUMS, PerUserFile, PerUserRows, write_per_user
from benchmark.score_check import checked_ratings, checked_scores
from benchmark.trial import CandidateItems, ChildChannel, complaint, evaluator_for


def load() -> None:
    """Load nothing: test is opened anew, and noted, for each final."""


def run(request: ScoreRequest, channel: ChildChannel, _: None, descriptors: list[int]) -> None:
    """Measure one final and store its per-user values; answers with the run-level values.

    Known are the rows of train and validation, whatever the model was trained on.
    """

    def handed_over() -> Scored:
        with Wire(descriptors[0]) as wire:
            return measure(request, wire)

    answer(channel, handed_over)


def run_lists(request: ListsRequest, channel: ChildChannel, _: None, __: list[int]) -> None:
    """Measure lists made elsewhere and store their per-user values, as those of a final."""
    answer(channel, lambda: measure_lists(request))


def run_stored_lists(request: StoredListsRequest, channel: ChildChannel, _: None, __: list[int]) -> None:
    """Measure a stored final with metrics that it lacks; its per-user values are stored anew, beside."""
    answer(channel, lambda: measure_stored_lists(request))


def answer(channel: ChildChannel, measured: Callable[[], Scored]) -> None:
    """Send what is found, or why nothing is."""
    close_to_others()
    channel.send(Ready())
    try:
        channel.send(measured())
    except Exception as error:  # noqa: BLE001 - the supervisor turns it into the outcome of final or row
        channel.send(complaint(error))
    channel.send(Done())


def measure(request: ScoreRequest, wire: Wire) -> Scored:
    """Take lists or scores, ratings and state from the model's process; return what was found.

    Raises:
        MetricError: what is handed over is refused, or ends early.
    """
    split = Path(request.directory)
    test = load_parts(split, "test")
    train, known = load_parts(split, "train"), load_parts(split, "train", "valid")
    metrics = [parse_metric(name) for name in request.metrics]
    mask = candidates_for(request.candidates, split, train=train, seen=known, target=test)
    negatives = load_negatives(split, "test") if any(metric.sampled for metric in metrics) else None
    if request.users is not None:
        asked = np.array(request.users, dtype=np.int32)
        test, negatives = restricted(test, negatives, asked)
    items = CandidateItems(mask, negatives, request.seen)
    evaluator = evaluator_for(test, known, metrics, train, items, request.name)
    try:
        take_users(request, evaluator, wire, test.n_users, test.n_items)
        if request.rates:
            take_ratings(request.name, evaluator, wire)
        state_sha256 = store_state(wire, Path(request.state_path))
    except ConnectionError as error:
        raise MetricError(
            f"{request.name}: the {request.hand_over} ended early; the model's process is gone"
        ) from error
    learned = known if request.train_on == "train+valid" else train
    scored = stored(evaluator.result(), evaluator, metrics, learned, Path(request.per_user_path))
    return replace(scored, state_sha256=state_sha256)


def stored(
    evaluation: Evaluation, evaluator: Evaluator, metrics: list[Metric], learned: Interactions, path: Path
) -> Scored:
    """Return what was found, its per-user values stored.

    Args:
        evaluation: of everybody.
        evaluator: that made it.
        metrics: the primary one first.
        learned: rows that models are trained on: what popularity means.
        path: of the file with per-user values.
    """
    counts = count_rows(learned.items, learned.n_items)
    lift, by_popularity = exposure(evaluation, evaluator, metrics, counts)
    return Scored(
        values=finite(evaluation.values),
        counts=asdict(evaluation.counts),
        popularity_lift=lift,
        sha256=write_per_user(path, evaluation, by_popularity),
        state_sha256=None,
    )


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values that exist."""
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def measure_lists(request: ListsRequest) -> ListsScored:
    """Return what was found in lists made elsewhere, validation before test.

    Raises:
        MetricError: a list has what no model may recommend.
    """
    on_valid: dict[str, float] = {}
    if request.valid is not None:
        evaluator = evaluator_of_lists(request, "valid")
        take_lists(request.name, evaluator, mapped(Path(request.valid)))
        on_valid = finite(evaluator.result().values)
    evaluator = evaluator_of_lists(request, "test")
    lengths = take_lists(request.name, evaluator, mapped(Path(request.test)))
    return ListsScored(
        **asdict(stored_beside(request, evaluator, evaluator.result())),
        with_list=int(np.count_nonzero(lengths)),
        short=count_short(evaluator, lengths),
        valid=on_valid,
    )


def measure_stored_lists(request: StoredListsRequest) -> Scored:
    """Return what was found in the stored lists of a final; what is not made from them is taken over.

    Raises:
        MetricError: the lists are not those that a final stores.
    """
    rows, evaluator = PerUserFile(Path(request.stored)), evaluator_of_lists(request, "test")
    if not np.array_equal(rows.column("user"), evaluator.users):
        raise MetricError(f"{request.name}: the stored lists are of other users than test has")
    own = np.ascontiguousarray(rows.lists()[:, : evaluator.ranker.length])
    evaluator.add_lists(evaluator.users, checked_lists(own, evaluator.users, evaluator.ranker, request.name))
    return stored_beside(request, evaluator, completed(evaluator.result(), rows, request))


def completed(evaluation: Evaluation, rows: PerUserRows, request: StoredListsRequest) -> Evaluation:
    """Return the evaluation of stored lists with the metrics that are made from stored sums, or taken over.

    Args:
        evaluation: of the lists alone.
        rows: the final's per-user file.
        request: names the metrics, and holds the final's values.
    """
    squared, absolute, ratings = (rows.column(name) for name in SUMS)
    sums = StoredInputs(squared_error=squared, absolute_error=absolute, ratings=ratings)
    per_user: dict[str, Values] = {}
    values: dict[str, float] = {}
    for metric in (parse_metric(name) for name in request.metrics):
        if metric.name in evaluation.values:
            values[metric.name] = evaluation.values[metric.name]
        elif made_from_sums(metric):
            values[metric.name] = float(metric.compute(sums))
        else:
            values[metric.name] = request.values.get(metric.name, np.nan)
        if metric.per_user:
            is_new = metric.name in evaluation.per_user
            per_user[metric.name] = evaluation.per_user[metric.name] if is_new else rows.column(metric.name)
    return replace(
        evaluation,
        per_user=per_user,
        squared_error=squared,
        absolute_error=absolute,
        ratings=ratings,
        values=values,
    )


def stored_beside(request: OnStoredSplit, evaluator: Evaluator, evaluation: Evaluation) -> Scored:
    """Return what was found in lists, its per-user values stored where the request says."""
    parts: tuple[Part, ...] = ("train", "valid") if request.train_on == "train+valid" else ("train",)
    learned = load_parts(Path(request.directory), *parts)
    metrics = [parse_metric(name) for name in request.metrics]
    return stored(evaluation, evaluator, metrics, learned, Path(request.per_user_path))


def evaluator_of_lists(request: ListsRequest | StoredListsRequest, part: Part) -> Evaluator:
    """Return what measures lists on a part, on the users on whom models are measured there.

    It measures those of the metrics that lists alone hold.
    """
    split = Path(request.directory)
    metrics = [metric for name in request.metrics if not_from_lists(metric := parse_metric(name)) is None]
    train, known = load_parts(split, "train"), load_parts(split, *KNOWN_PARTS[part])
    target = load_parts(split, part)
    mask = candidates_for(request.candidates, split, train=train, seen=known, target=target)
    if part == "valid" and isinstance(request, ListsRequest) and request.valid_sampled:
        target, _ = restricted(target, None, load_users(split, "valid"))
    if part == "test" and request.test_sampled:
        target, _ = restricted(target, None, finals_users(split))
    items = CandidateItems(mask, None, request.seen)
    return evaluator_for(target, known, metrics, train, items, request.name)


def count_short(evaluator: Evaluator, lengths: Longs) -> int:
    """Return how many users have a list of fewer items than a metric asks for, although there are more.

    Args:
        evaluator: of the users.
        lengths: of the users' lists, (E,).
    """
    most = candidate_counts(evaluator.ranker, *evaluator.ranker.seen_by(evaluator.users))
    return int(np.count_nonzero((lengths > 0) & (lengths < np.minimum(most, evaluator.ranker.length))))


def take_lists(name: str, evaluator: Evaluator, lists: Ids) -> Longs:
    """Measure the lists (U, K) of evaluated users; return how many items each of these has, (E,).

    Raises:
        MetricError: a list has what no ranker would put there; one may be shorter than the candidates allow.
    """
    own = np.ascontiguousarray(lists[evaluator.users])
    evaluator.add_lists(
        evaluator.users, checked_lists(own, evaluator.users, evaluator.ranker, name, whole=False)
    )
    lengths: Longs = np.count_nonzero(own >= 0, axis=1)
    return lengths


def take_users(request: ScoreRequest, evaluator: Evaluator, wire: Wire, n_users: int, n_items: int) -> None:
    """Take the lists or the scores of all users; check and measure those of evaluated users.

    Raises:
        MetricError: a list or a score is refused.
    """
    name, length = request.name, evaluator.ranker.length
    for users in batches_of(request.users, n_users, n_items):
        held_out = np.isin(users, evaluator.users)
        if request.hand_over == "lists":
            lists = wire.receive(np.int32, len(users), length, name)
            evaluator.add_lists(
                users[held_out], checked_lists(lists[held_out], users[held_out], evaluator.ranker, name)
            )
        else:
            scores = wire.receive(np.float32, len(users), n_items, name)
            checked_scores(scores, users, n_items, name)
            evaluator.add(users[held_out], scores[held_out])


def take_ratings(name: str, evaluator: Evaluator, wire: Wire) -> None:
    """Have the held-out pairs rated, each among decoys, and measure their ratings.

    Raises:
        MetricError: a rating is not finite.
    """
    users, items = evaluator.held_out(evaluator.users)
    n_items = evaluator.known.shape[1]
    # Decoys are the same for every model, and cannot be made by who does not know what is held out.
    digest = hashlib.sha256(np.stack([users, items]).tobytes()).digest()
    for pool in pools(users, items, evaluator.known, int.from_bytes(digest)):
        wire.send(np.stack([pool.users, pool.items]))
        ratings = checked_ratings(wire.receive(np.float32, 1, len(pool.users), name)[0], pool.users, name)
        own_users, own_items = evaluator.held_out(pool.asked_for)
        codes = pool.users.astype(np.int64) * n_items + pool.items
        place = codes.searchsorted(own_users.astype(np.int64) * n_items + own_items)
        evaluator.add_ratings(pool.asked_for, ratings[place])
    wire.send(np.empty((2, 0), dtype=np.int32))


def store_state(wire: Wire, path: Path) -> str | None:
    """Store the state that comes last, whole or not at all; return its SHA-256, None if none comes.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    blocks = wire.blocks()
    first, digest = next(blocks, b""), hashlib.sha256()
    if not first:
        return None
    with write_errors_as_run_error(path.parent), atomic_path(path) as temporary, temporary.open("wb") as file:
        for block in itertools.chain([first], blocks):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


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
    length = exposed_length(metrics)
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
