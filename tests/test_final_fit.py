"""The model's side of a final: what it trains, what it hands over, how it answers, and how it gives up."""

from __future__ import annotations

import socket
from dataclasses import replace

import numpy as np
import pytest
from wired import Told, with_final

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, SyntheticSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.save import save_split
from benchmark.final_fit import final, ranker_for
from benchmark.hand_over import Wire
from benchmark.messages import Error, FinalRequest, FitEnded, Fitted, Measured
from benchmark.protocol import Array
from benchmark.trial import CandidateItems, Parts, load

REQUEST = FinalRequest(
    target="fakes:Fixed",
    name="fake/fixed",
    params={"pause_s": 0.0, "max_epochs": 9},
    seed=0,
    threads=1,
    device="cpu",
    metrics=("ndcg@5", "recall@7"),
    rates=False,
    passes=2,
    train_on="train",
    keep_state=False,
    hand_over="lists",
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("split") / "planted"
    log = open_log(LogSpec(name="planted", synthetic=SyntheticSpec(users=40, items=30, interactions=400)))
    cut = split(prepare(log))
    save_split(cut, folder, audit(cut))
    return load(str(folder))


def everything(wire: Wire) -> tuple[Array, bytes]:
    """Take 40 lists of 7 items, and what follows."""
    return wire.receive(np.int32, 40, 7, "x"), b"".join(wire.blocks())


def test_final_trains_the_steps_it_is_asked_for_and_says_when_its_fit_has_ended(parts: Parts) -> None:
    _, told = with_final(REQUEST, parts, everything)
    kinds = [type(message) for message in told.messages]
    assert kinds[1:4] == [Fitted, Fitted, FitEnded]
    (measured,) = [message for message in told.messages if isinstance(message, Measured)]
    assert (measured.steps, measured.params) == (2, 30)


def test_lists_hold_no_item_of_train_or_validation_whatever_the_model_was_trained_on(parts: Parts) -> None:
    (lists, rest), _ = with_final(REQUEST, parts, everything)
    known = parts.both.matrix().toarray() > 0
    users = np.repeat(np.arange(40), 7)
    shown = lists.ravel()
    assert not known[users[shown >= 0], shown[shown >= 0]].any()
    assert (lists >= 0).sum() == np.minimum(7, (~known).sum(axis=1)).sum()
    assert rest == b""


def test_only_candidates_are_listed(parts: Parts) -> None:
    mask = np.arange(30) % 2 == 0
    chosen = replace(parts, candidates=CandidateItems(mask))
    (lists, _), _ = with_final(REQUEST, chosen, everything)
    assert set(lists[lists >= 0] % 2) == {0}


def test_lists_are_those_that_the_scorer_would_make_of_the_scores(parts: Parts) -> None:
    (lists, _), _ = with_final(REQUEST, parts, everything)
    asked = replace(REQUEST, hand_over="scores")
    scores, _ = with_final(asked, parts, lambda wire: wire.receive(np.float32, 40, 30, "x"))
    users = np.arange(40, dtype=np.int32)
    assert np.array_equal(lists, ranker_for(REQUEST, parts).lists(users, scores))


def test_state_follows_the_lists(parts: Parts) -> None:
    (_, state), _ = with_final(replace(REQUEST, keep_state=True), parts, everything)
    assert b"scores" in state


def test_users_that_are_named_are_the_only_ones(parts: Parts) -> None:
    asked = replace(REQUEST, users=(3, 17))
    some, _ = with_final(asked, parts, lambda wire: wire.receive(np.int32, 2, 7, "x"))
    (all_lists, _), _ = with_final(REQUEST, parts, everything)
    assert np.array_equal(some, all_lists[[3, 17]])


def test_pairs_are_rated_until_none_is_sent(parts: Parts) -> None:
    def scorer(wire: Wire) -> Array:
        wire.receive(np.int32, 40, 7, "x")
        wire.send(np.array([[1, 2], [3, 4]], dtype=np.int32))
        ratings = wire.receive(np.float32, 1, 2, "x")
        wire.send(np.empty((2, 0), dtype=np.int32))
        return ratings

    ratings, told = with_final(replace(REQUEST, target="fakes:Rating", rates=True), parts, scorer)
    assert ratings.tolist() == [[3.25, 3.25]]
    assert not [message for message in told.messages if isinstance(message, Error)]


@pytest.mark.parametrize("rates", [False, True])
def test_final_whose_scorer_is_gone_puts_it_down_to_the_machine(parts: Parts, rates: bool) -> None:
    mine, theirs = socket.socketpair()
    mine.close()
    told = Told()
    final(replace(REQUEST, target="fakes:Rating", rates=rates), told, parts, [theirs.detach()])
    (error,) = [message for message in told.messages if isinstance(message, Error)]
    assert error.kind == "machine"


@pytest.mark.parametrize("passes", [0.25, 0.5, 1.75])
def test_final_in_small_steps_trains_the_passes_that_it_is_asked_for(parts: Parts, passes: float) -> None:
    step_rows = -(-len(parts.train.positives()) // 4)
    asked = replace(
        REQUEST, target="fakes:Streaming", params={"max_epochs": 3}, step_rows=step_rows, passes=passes
    )
    _, told = with_final(asked, parts, everything)
    assert max(message.step for message in told.messages if isinstance(message, Fitted)) == 4 * passes


def test_final_of_some_users_hides_what_these_have_had(parts: Parts) -> None:
    users = np.array([3, 7, 20], dtype=np.int32)
    ranker = ranker_for(replace(REQUEST, users=tuple(users.tolist())), parts)
    everybody = ranker_for(REQUEST, parts)
    assert (ranker.seen[users] != everybody.seen[users]).nnz == 0
    assert ranker.seen.nnz == everybody.seen[users].nnz
