"""The scorer: takes what a model's process hands over, refuses what no sound one would, and measures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import Rating
from wired import wires, with_final

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec, SyntheticSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import save_split
from benchmark.errors import MetricError
from benchmark.hand_over import Wire
from benchmark.messages import FinalRequest, Scored, ScoreRequest
from benchmark.metrics.decoys import DECOYS
from benchmark.protocol import Array
from benchmark.scorer import measure
from benchmark.trial import Parts, load

USERS, ITEMS = 300, 250


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("split") / "planted"
    spec = SyntheticSpec(users=USERS, items=ITEMS, interactions=8_000)
    cut = split(prepare(open_log(LogSpec(name="planted", synthetic=spec))))
    save_split(cut, folder, audit(cut))
    return folder


@pytest.fixture(scope="module")
def parts(folder: Path) -> Parts:
    return load(str(folder))


def requests(folder: Path, out: Path, *metrics: str, **changes: object) -> tuple[FinalRequest, ScoreRequest]:
    final = FinalRequest(
        target="fakes:Rating",
        name="fake/rating",
        params={"pause_s": 0.0},
        seed=0,
        threads=1,
        device="cpu",
        metrics=metrics,
        rates="rmse" in metrics,
        passes=1,
        train_on="train",
        keep_state=True,
        hand_over="lists",
    )
    score = ScoreRequest(
        name=final.name,
        metrics=metrics,
        rates=final.rates,
        train_on=final.train_on,
        directory=str(folder),
        candidates="all",
        per_user_path=str(out / "per_user.parquet"),
        state_path=str(out / "state"),
        hand_over="lists",
    )
    own = {name: value for name, value in changes.items() if name in vars(score)}
    return replace(final, **changes), replace(score, **own)


def scored(folder: Path, parts: Parts, out: Path, *metrics: str, **changes: object) -> Scored:
    final, score = requests(folder, out, *metrics, **changes)
    return with_final(final, parts, lambda wire: measure(score, wire))[0]


def test_lists_and_scores_have_the_same_values_bit_for_bit(
    folder: Path, parts: Parts, tmp_path: Path
) -> None:
    names = ("ndcg@10", "recall@5", "coverage@10", "map@10")
    by_lists = scored(folder, parts, tmp_path, *names)
    by_scores = scored(folder, parts, tmp_path, *names, hand_over="scores")
    assert by_lists == by_scores
    assert by_lists.values["ndcg@10"] > 0


def test_state_is_stored_with_its_hash(folder: Path, parts: Parts, tmp_path: Path) -> None:
    found = scored(folder, parts, tmp_path, "ndcg@10")
    assert found.state_sha256 is not None
    assert b"scores" in (tmp_path / "state").read_bytes()
    assert scored(folder, parts, tmp_path, "ndcg@10", keep_state=False, seed=0).state_sha256 is None


def test_ratings_of_held_out_pairs_are_measured(folder: Path, parts: Parts, tmp_path: Path) -> None:
    found = scored(folder, parts, tmp_path, "ndcg@10", "rmse")
    test = load_parts(folder, "test")
    assert found.values["rmse"] == pytest.approx(np.sqrt(np.mean((3.25 - test.values) ** 2)))


def test_model_is_asked_about_each_held_out_pair_among_nine_that_are_none(
    folder: Path, parts: Parts, tmp_path: Path
) -> None:
    Rating.asked.clear()
    scored(folder, parts, tmp_path, "ndcg@10", "rmse")
    users, items = (np.concatenate(side) for side in zip(*Rating.asked, strict=True))
    asked, test = users.astype(np.int64) * ITEMS + items, load_parts(folder, "test")
    held_out = test.users.astype(np.int64) * ITEMS + test.items
    assert len(np.unique(asked)) == len(asked)
    assert np.isin(held_out, asked).all()
    assert len(asked) >= (1 + DECOYS) * len(held_out) - 0.01 * len(asked)


def test_users_that_are_named_are_the_only_ones_measured(folder: Path, parts: Parts, tmp_path: Path) -> None:
    test = load_parts(folder, "test")
    users = tuple(np.unique(test.users)[:50].tolist())
    found = scored(folder, parts, tmp_path, "ndcg@10", "rmse", users=users)
    assert found.counts["users"] == 50
    chosen = np.isin(test.users, users)
    assert found.values["rmse"] == pytest.approx(np.sqrt(np.mean((3.25 - test.values[chosen]) ** 2)))


def hidden(lists: Array, parts: Parts) -> Array:
    lists[parts.both.users[0]] = parts.both.items[0]
    return lists


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (hidden, "hidden from this user|twice"),
        (
            lambda lists, _: np.where(lists == lists[0, 0], ITEMS, lists).astype(np.int32),
            "numbered from 0 to 249",
        ),
        (lambda lists, _: lists[:, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]], "twice"),
        (lambda lists, _: np.full_like(lists, -1), "it must have 10"),
        (lambda lists, _: lists.astype(np.int64), "expected <i4"),
        (lambda lists, _: lists[:, :9], "expected <i4"),
    ],
)
def test_lists_that_no_ranker_would_make_are_refused(
    folder: Path, parts: Parts, tmp_path: Path, spoil: Callable[[Array, Parts], Array], message: str
) -> None:
    final, score = requests(folder, tmp_path, "ndcg@10")
    lists, _ = with_final(final, parts, lambda wire: wire.receive(np.int32, USERS, 10, "x"))
    with pytest.raises(MetricError, match=f"fake/rating: .*({message})"):
        measured_from(score, spoil(lists, parts))


def test_scores_that_are_not_finite_are_refused(folder: Path, tmp_path: Path) -> None:
    _, score = requests(folder, tmp_path, "ndcg@10", hand_over="scores")
    scores = np.zeros((USERS, ITEMS), dtype=np.float32)
    scores[7, 3] = np.nan
    with pytest.raises(MetricError, match=r"fake/rating: .*the first for user 7"):
        measured_from(score, scores)


def test_ratings_that_are_not_finite_are_refused(folder: Path, parts: Parts, tmp_path: Path) -> None:
    final, score = requests(folder, tmp_path, "ndcg@10")
    lists, _ = with_final(final, parts, lambda wire: wire.receive(np.int32, USERS, 10, "x"))

    def answer(wire: Wire) -> None:
        pairs = wire.receive(np.int32, 2, None, "x")
        wire.send(np.full((1, pairs.shape[1]), np.inf, dtype=np.float32))

    rated = replace(score, metrics=("ndcg@10", "rmse"), rates=True)
    with pytest.raises(MetricError, match=r"fake/rating: rate\(\) returned .* not finite"):
        measured_from(rated, lists, answer)


def test_process_that_ends_early_is_named(folder: Path, tmp_path: Path) -> None:
    _, score = requests(folder, tmp_path, "ndcg@10")
    with pytest.raises(MetricError, match="fake/rating: the lists ended early; the model's process is gone"):
        measured_from(score, None)


def measured_from(
    score: ScoreRequest, handed_over: Array | None, then: Callable[[Wire], None] | None = None
) -> Scored:
    """Measure an array, as if a model's process had handed it over."""
    mine, theirs = wires()

    def hand_over() -> None:
        with theirs:
            if handed_over is not None:
                theirs.send(handed_over)
            if then is not None:
                then(theirs)

    with ThreadPoolExecutor(1) as pool, mine:
        running = pool.submit(hand_over)
        try:
            return measure(score, mine)
        finally:
            mine.close()
            running.exception(60)
