"""Every message that engine processes exchange comes out of the channel as it went in."""

from __future__ import annotations

import pytest

from benchmark.executors.channel import Channel
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
    Measured,
    Message,
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
    FinalRequest(**vars(FIT), steps=4, train_on="train+valid", keep_state=True),
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
    Ready(),
    Done(),
    Step(3, 0.5, {"ndcg@5": 0.25}),
    Answer(go=True, steps=5),
    Fitted(2),
    FitEnded(),
    Measured(
        fit_s=1.0,
        steps=4,
        size_mb=None,
        params=None,
        latency_ms_p50=0.1,
        latency_ms_p95=0.2,
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
    Exited(77, -9, 100.5),
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
    with pytest.raises(ValueError, match=r"'settle'; it must be one of fit, final, score"):
        decode({"event": "settle"})


def test_message_that_lacks_a_field_is_refused() -> None:
    with pytest.raises(ValueError, match="no Step"):
        decode({"event": "step", "step": 1})
