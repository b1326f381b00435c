"""Every message that engine processes exchange comes out of the channel as it went in."""

from __future__ import annotations

import pytest

from benchmark.executors.channel import Channel
from benchmark.lists_request import ListsRequest, StoredListsRequest
from benchmark.messages import (
    KINDS,
    Answer,
    Broken,
    Done,
    Error,
    Exited,
    FinalRequest,
    FitEnded,
    FitRequest,
    Fitted,
    Launch,
    ListsScored,
    Look,
    Measured,
    Message,
    ProbeRequest,
    Ready,
    Scored,
    ScoreRequest,
    ServeRequest,
    SetUp,
    Started,
    Step,
    decode,
)

FIT = FitRequest(
    target="fakes:Steady",
    name="fake/steady",
    params={"dim": 8, "lr": 0.5, "kind": "msd", "bias": True},
    seed=3,
    threads=1,
    device="cpu",
    metrics=("ndcg@5", "rmse"),
    rates=False,
)
EVERY_KIND: list[Message] = [
    FIT,
    FinalRequest(**vars(FIT), passes=4.5, train_on="train+valid", keep_state=True),
    ProbeRequest(**vars(FIT), first_rows=1000, most_rows=8000, enough_s=0.5, hold_s=4.0),
    Look(rows=1000, of_rows=64_000, first_s=1.5, step_s=None, user_s=0.001, judged=40),
    ScoreRequest(
        name="fake/steady",
        metrics=("ndcg@5",),
        rates=False,
        train_on="train",
        directory="/split",
        candidates="all",
        per_user_path="/p",
        state_path="/s",
    ),
    ListsRequest(
        name="production",
        metrics=("ndcg@5",),
        train_on="train",
        directory="/split",
        candidates="all",
        seen="hide",
        per_user_path="/p",
        test="/lists/a-test.npy",
        valid=None,
        valid_sampled=False,
        test_sampled=True,
    ),
    StoredListsRequest(
        name="fake/fixed",
        metrics=("ndcg@5", "recall@5"),
        train_on="train+valid",
        directory="/split",
        candidates="all",
        seen="hide",
        per_user_path="/p",
        test_sampled=False,
        stored="/per_user/key.parquet",
        values={"ndcg@5": 0.25},
    ),
    Ready(),
    Done(),
    Step(3, 0.5, {"ndcg@5": 0.25}, 1.5),
    Answer(go=True, steps=5),
    Fitted(2),
    FitEnded(),
    Measured(
        fit_s=1.0,
        steps=4,
        size_mb=None,
        params=None,
        latency={"latency_ms_p50": 0.1, "latency_ms_p95": 0.2},
        users_per_s=10.0,
        filled_users=0,
        filled_items=1,
    ),
    Scored(
        values={"ndcg@5": 0.25},
        counts={"users": 40, "without_relevant": 3},
        popularity_lift=None,
        sha256="ab",
        state_sha256=None,
    ),
    ListsScored(
        values={"ndcg@5": 0.25},
        counts={"users": 40, "without_relevant": 3},
        popularity_lift=1.5,
        sha256="ab",
        state_sha256=None,
        with_list=38,
        short=2,
        valid={"ndcg@5": 0.5},
    ),
    Error("oom", "no memory left", "Traceback ..."),
    SetUp(
        sys_path=("/a", "/b"),
        cores=(0, 1),
        preload=("numpy",),
        target="benchmark.trial:load",
        arguments={"directory": "/split", "sampled": True},
    ),
    Broken("Traceback ..."),
    ServeRequest({"CUDA_VISIBLE_DEVICES": ""}),
    Launch("benchmark.trial:run", FIT, (1,)),
    Started(77, 1234),
    Exited(77, -9, 3.25),
]


def test_every_kind_of_message_is_tried_here() -> None:
    assert {type(message) for message in EVERY_KIND} == set(KINDS.values())


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.event)
def test_message_comes_out_of_the_channel_as_it_went_in(message: Message) -> None:
    here, there = Channel.pair()
    here.send(message)
    assert there.receive() == message
    here.close()
    there.close()


def test_message_of_no_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'settle'; it must be one of fit, final, probe, score"):
        decode({"event": "settle"})


def test_message_that_lacks_a_field_is_refused() -> None:
    with pytest.raises(ValueError, match="no Step"):
        decode({"event": "step", "step": 1})
