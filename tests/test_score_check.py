"""The one door for scores: finite float32 of the right shape passes, all else is refused by name."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmark.errors import AdapterError, MetricError
from benchmark.score_check import checked_scores, fetched, is_remote

USERS = np.array([3, 5, 8], dtype=np.int32)
SCORES = np.arange(12, dtype=np.float32).reshape(3, 4)


def bad(value: float) -> np.ndarray:
    scores = SCORES.astype(np.float64)
    scores[1, 2:4] = value
    return scores


@pytest.mark.parametrize(
    ("raw", "error", "message"),
    [
        (SCORES[:, 1:], AdapterError, "score() returned shape (3, 3), expected (3, 4): one column per item."),
        (SCORES[1:], AdapterError, "score() returned shape (2, 4), expected (3, 4): one row per user."),
        (SCORES.ravel(), AdapterError, "score() returned shape (12,), expected (3, 4): one row per user."),
        (SCORES.astype(int), AdapterError, "score() returned int64, expected float32."),
        (SCORES > 2, AdapterError, "score() returned bool, expected float32."),
        (
            bad(np.nan),
            MetricError,
            "2 values that are not finite as float32, the first for user 5; all must be finite.",
        ),
        (bad(-np.inf), MetricError, "score() returned 2 values that are not finite as float32"),
        (bad(1e300), MetricError, "score() returned 2 values that are not finite as float32"),
    ],
)
def test_broken_scores_are_refused_by_name(raw, error, message):
    with pytest.raises(error, match=re.escape(message)) as caught:
        checked_scores(raw, USERS, 4, "lightfm/warp")
    assert str(caught.value).startswith("lightfm/warp: ")


def test_message_names_the_call_that_was_answered():
    with pytest.raises(MetricError, match=re.escape("mine/mean: rate() returned 2 values")):
        checked_scores(bad(np.nan), USERS, 4, "mine/mean", "rate()")


def test_float32_scores_pass_without_a_copy_and_others_are_converted():
    assert checked_scores(SCORES, USERS, 4, "mine/mean") is SCORES
    converted = checked_scores(SCORES.astype(np.float64), USERS, 4, "mine/mean")
    assert converted.dtype == np.float32
    np.testing.assert_array_equal(converted, SCORES)


def test_finite_scores_whose_sum_overflows_pass():
    large = np.full((3, 4), np.finfo(np.float32).max)
    np.testing.assert_array_equal(checked_scores(large, USERS, 4, "mine/mean"), large)


def test_tensor_is_fetched_without_its_history():
    import torch

    tensor = torch.from_numpy(SCORES.copy()).requires_grad_()
    np.testing.assert_array_equal(checked_scores(tensor, USERS, 4, "torch/ease"), SCORES)
    np.testing.assert_array_equal(fetched(SCORES.tolist()), SCORES)


def test_tensor_on_the_host_is_not_remote():
    import torch

    assert not is_remote(torch.zeros(2, 2))
    assert not is_remote(np.zeros((2, 2)))
    assert is_remote(torch.zeros(2, 2, device="meta"))
