"""Ranking on a device: the tensor's methods give the host's lists bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics import topk, topk_gpu


class Watched:
    """A tensor said to lie on a device, which counts what is fetched from there."""

    fetched = 0

    def __init__(self, tensor) -> None:
        self.tensor = tensor

    def cpu(self):
        Watched.fetched += self.tensor.numel()
        return self.tensor

    def __getattr__(self, name):
        inner = getattr(self.tensor, name)
        return (lambda *args, **named: wrapped(inner, args, named)) if callable(inner) else inner

    def __getitem__(self, key):
        return Watched(self.tensor[bare(key)])

    def __eq__(self, other):
        return Watched(self.tensor == other.tensor)

    __hash__ = None

    def __gt__(self, other):
        return Watched(self.tensor > other)

    def __and__(self, other):
        return Watched(self.tensor & other.tensor)


def bare(value):
    if isinstance(value, tuple):
        return tuple(bare(part) for part in value)
    return value.tensor if isinstance(value, Watched) else value


def wrapped(inner, args, named):
    result = inner(*(bare(arg) for arg in args), **named)
    if hasattr(result, "indices") and isinstance(result, tuple):
        return type(result)((Watched(result[0]), Watched(result[1])))
    return Watched(result)


def case(seed: int, levels: int, n_items: int = 50):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-levels, levels, (6, n_items)).astype(np.float32)
    seen = rng.random(scores.shape) < 0.3
    starts = np.concatenate([[0], seen.sum(axis=1).cumsum()]).astype(np.int64)
    return scores, (starts, np.nonzero(seen)[1].astype(np.int32)), rng.permutation(40)[:6].astype(np.int32)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([1, 3, 10**6]), k=st.sampled_from([1, 7, 50]))
def test_device_lists_equal_the_hosts(seed, levels, k):
    import torch

    scores, seen, users = case(seed, levels)
    excluded = np.random.default_rng(seed).random(50) < 0.1
    tensor = torch.from_numpy(scores.copy())
    lists = topk_gpu.top_k(tensor, k, users, seed, seen, excluded)
    np.testing.assert_array_equal(lists, topk.top_k(scores, k, users, seed, seen=seen, excluded=excluded))
    np.testing.assert_array_equal(tensor.numpy(), scores)


def test_device_moves_only_the_columns_of_the_lists():
    import torch

    scores, seen, users = case(0, 10**6, n_items=5000)
    Watched.fetched = 0
    tensor = Watched(torch.from_numpy(scores))
    assert topk_gpu.is_sound(tensor, (6, 5000))
    lists = topk_gpu.top_k(tensor, 10, users, 0, seen, None)
    np.testing.assert_array_equal(lists, topk.top_k(scores, 10, users, 0, seen=seen))
    assert Watched.fetched == 1 + 6 * (2 * 10 + 1)  # one flag; scores and items of each list, a flag a row


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_device_scores_that_are_not_finite_are_not_sound(value):
    import torch

    scores, _, _ = case(1, 5)
    assert topk_gpu.is_sound(torch.from_numpy(scores), (6, 50))
    scores[2, 3] = value
    assert not topk_gpu.is_sound(torch.from_numpy(scores), (6, 50))


def test_device_scores_of_another_shape_or_type_are_not_sound():
    import torch

    assert not topk_gpu.is_sound(torch.zeros(2, 3), (2, 4))
    assert not topk_gpu.is_sound(torch.zeros(2, 3, dtype=torch.int32), (2, 3))
    assert not topk_gpu.is_sound(torch.full((2, 3), 1e300, dtype=torch.float64), (2, 3))


@pytest.mark.gpu
def test_device_lists_on_cuda_equal_the_hosts():
    import torch

    for levels in (1, 3, 10**6):
        scores, seen, users = case(levels, levels, n_items=3000)
        tensor = torch.from_numpy(scores).cuda()
        assert topk_gpu.is_sound(tensor, (6, 3000))
        lists = topk_gpu.top_k(tensor, 10, users, 0, seen, None)
        np.testing.assert_array_equal(lists, topk.top_k(scores, 10, users, 0, seen=seen))
