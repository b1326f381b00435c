"""What a final hands over, and arrays that go from one end to the other or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from wired import wires

from benchmark.errors import MetricError
from benchmark.hand_over import batches_of, hand_over
from benchmark.metrics.register import parse_metric


@pytest.mark.parametrize(
    ("metrics", "candidates", "expected"),
    [
        (["ndcg@10", "coverage@10", "rmse"], "all", "lists"),
        (["ndcg@10"], "train", "lists"),
        (["ndcg@10"], "given", "lists"),
        (["rmse"], "all", "lists"),
        (["ndcg@10", "auc"], "all", "scores"),
        (["ndcg@10", "rprecision"], "all", "scores"),
        (["ndcg@10", "hit@10/99neg"], "all", "scores"),
        (["ndcg@10"], "test-items", "scores"),
        (["ndcg@10"], "cold-items", "scores"),
    ],
)
def test_scores_are_handed_over_only_where_lists_are_not_enough_or_would_tell_of_test(
    metrics: list[str], candidates: str, expected: str
) -> None:
    assert hand_over([parse_metric(name) for name in metrics], candidates) == expected


def test_array_arrives_as_it_was_sent() -> None:
    one, other = wires()
    with one, other:
        for array in (np.arange(6, dtype=np.int32).reshape(2, 3), np.empty((4, 0), dtype=np.int32)):
            one.send(array)
            got = other.receive(np.int32, len(array), None, "x")
            assert np.array_equal(got, array)


@pytest.mark.parametrize(
    "sent",
    [
        np.zeros((2, 3), dtype=np.int64),
        np.zeros((2, 3), dtype=np.float32),
        np.zeros((2, 4), dtype=np.int32),
        np.zeros((3, 3), dtype=np.int32),
    ],
)
def test_array_of_another_type_or_shape_is_refused_with_both(sent: np.ndarray) -> None:
    one, other = wires()
    with one, other:
        one.send(sent)
        with pytest.raises(MetricError, match=r"native/ease: handed over .*expected <i4 and \(2, 3\)"):
            other.receive(np.int32, 2, 3, "native/ease")


def test_end_before_an_array_is_whole_is_an_end_of_the_conversation() -> None:
    one, other = wires()
    with other:
        with one:
            one.send_bytes(b"short")
        with pytest.raises(ConnectionError, match="the other end is gone"):
            other.receive(np.int32, 2, 3, "x")


@pytest.mark.parametrize("users", [None, (1, 5, 8)])
def test_batches_hold_each_user_once_in_order(users: tuple[int, ...] | None) -> None:
    found = np.concatenate(list(batches_of(users, n_users=9, n_items=4_000_000)))
    assert found.tolist() == list(range(9) if users is None else users)
    assert found.dtype == np.int32
