"""What a child says while it fits: each step, its measurements, and why it gave up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, SyntheticSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.save import save_split
from benchmark.errors import AdapterError, MetricError, RunError
from benchmark.fit import batches
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
from benchmark.metrics.topk import BATCH_ELEMENTS, batch_size
from benchmark.trial import Parts, complaint, load, run


class Scripted:
    """A supervisor that answers each step in turn, and keeps what it was told."""

    def __init__(self, answers: Sequence[Answer] = ()) -> None:
        self.told: list[Message] = []
        self.answers: Iterator[Answer] = iter(answers)

    def send(self, message: Message) -> None:
        self.told.append(message)

    def receive(self) -> Message:
        return next(self.answers, Answer(go=True))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("split") / "planted"
    log = open_log(LogSpec(name="planted", synthetic=SyntheticSpec(users=40, items=30, interactions=400)))
    cut = split(prepare(log))
    save_split(cut, folder, audit(cut))
    return load(str(folder))


def request(name: str, **params: float) -> FitRequest:
    return FitRequest(
        target=f"fakes:{name}",
        name=f"fake/{name.lower()}",
        params={"pause_s": 0.0, **params},
        seed=0,
        threads=1,
        device="cpu",
        metrics=("ndcg@5",),
        rates=False,
    )


def steps(channel: Scripted) -> list[int]:
    return [message.step for message in channel.told if isinstance(message, Step)]


def test_trial_says_that_it_is_ready_then_each_step_then_that_it_is_done(parts: Parts) -> None:
    channel = Scripted()
    run(request("Steady", max_epochs=3), channel, parts, [])
    assert [type(message) for message in channel.told] == [Ready, Step, Step, Step, Done]
    assert steps(channel) == [1, 2, 3]
    first = channel.told[1]
    assert isinstance(first, Step)
    assert 0.0 < first.values["ndcg@5"] <= 1.0


def test_trial_says_what_validation_costs_a_user_and_a_rated_pair(parts: Parts) -> None:
    channel = Scripted()
    asked = replace(request("Rating", max_epochs=1), metrics=("ndcg@5", "rmse"), rates=True)
    run(asked, channel, parts, [])
    (step,) = [message for message in channel.told if isinstance(message, Step)]
    error = 3.25 - parts.valid.values
    assert step.values["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert step.user_s > 0
    assert step.pair_s > 0


def test_trial_that_is_told_to_stop_trains_no_further_step(parts: Parts) -> None:
    channel = Scripted([Answer(go=True), Answer(go=False)])
    run(request("Steady", max_epochs=9), channel, parts, [])
    assert steps(channel) == [1, 2]
    assert channel.told[-1] == Done()


def test_trial_validates_when_told_and_after_its_last_step(parts: Parts) -> None:
    channel = Scripted([Answer(go=True), Answer(go=True, steps=5), Answer(go=True, steps=5)])
    run(request("Steady", max_epochs=9), channel, parts, [])
    assert steps(channel) == [1, 2, 7, 9]


def test_trial_validates_once_its_seconds_are_over_though_it_trained_fewer_steps(parts: Parts) -> None:
    told = [Answer(go=True, steps=5, within_s=seconds) for seconds in (0.0, 1e6, 1e6)]
    channel = Scripted(told)
    run(request("Steady", max_epochs=9), channel, parts, [])
    assert steps(channel) == [1, 2, 7, 9]


def test_trial_validates_its_last_step_once(parts: Parts) -> None:
    channel = Scripted([Answer(go=True, steps=2)])
    run(request("Steady", max_epochs=3), channel, parts, [])
    assert steps(channel) == [1, 3]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("Crashing", "crash", "ZeroDivisionError: the planted crash"),
        ("Misshapen", "broken", "fake/misshapen: score() returned shape (40, 29), expected (40, 30)"),
        ("Diverging", "nan", "not finite"),
        ("Unyielding", "broken", "fake/unyielding: fit_steps() returned NoneType, expected an iterator: "),
        (
            "Stepless",
            "broken",
            "fake/stepless: fit_steps() ended without a step; it must yield",
        ),
    ],
)
def test_trial_that_fails_says_why_and_is_done(parts: Parts, name: str, kind: ErrorKind, words: str) -> None:
    channel = Scripted()
    run(request(name), channel, parts, [])
    error = channel.told[-2]
    assert isinstance(error, Error)
    assert error.kind == kind
    assert words in error.message
    assert error.traceback.startswith("Traceback")
    assert channel.told[-1] == Done()


def test_trial_in_small_steps_says_how_many_passes_they_are(parts: Parts) -> None:
    channel = Scripted()
    asked = replace(request("Streaming", max_epochs=1), step_rows=-(-len(parts.train.positives()) // 4))
    run(asked, channel, parts, [])
    passes = [message.passes for message in channel.told if isinstance(message, Step)]
    assert passes == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.01)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "oom"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "oom"),
        (AdapterError("wrong shape"), "broken"),
        (MetricError("not finite"), "nan"),
        (RunError("the disk is full"), "machine"),
        (BrokenPipeError(), "machine"),
        (ConnectionResetError(), "machine"),
        (KeyError("x"), "crash"),
    ],
)
def test_complaint_is_of_the_kind_of_its_cause(error: Exception, kind: ErrorKind) -> None:
    assert complaint(error).kind == kind


def test_batches_hold_every_user_once_and_no_more_scores_than_allowed() -> None:
    found = list(batches(n_users=10_000, n_items=3_000))
    assert np.array_equal(np.concatenate(found), np.arange(10_000))
    assert max(map(len, found)) * 3_000 <= BATCH_ELEMENTS


def test_batch_of_a_large_catalogue_holds_64_users_all_the_same() -> None:
    assert batch_size(10 * BATCH_ELEMENTS) == 64
