"""Large logs that are quick to make."""

from __future__ import annotations

import numpy as np
import pytest
from large_log import Shape, large

from benchmark.errors import DataError

SHAPE = Shape(users=60, items=90, interactions=2000)


def test_large_log_has_every_user_and_item_and_no_pair_twice():
    frame = large(SHAPE).frame
    assert (len(frame), frame["user"].nunique(), frame["item"].nunique()) == (2000, 60, 90)
    assert not frame.duplicated(["user", "item"]).any()


def test_large_log_stands_in_the_order_of_users_and_their_times():
    frame = large(SHAPE).frame
    assert np.lexsort((frame["time"], frame["user"])).tolist() == list(range(2000))


def test_large_log_is_the_same_for_the_same_seed_alone():
    hashes = [large(SHAPE, seed).provenance.sha256 for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_large_log_has_popular_items():
    counts = np.sort(np.bincount(large(Shape(2000, 500, 20_000)).frame["item"]))[::-1]
    assert counts[:50].sum() > 0.35 * 20_000


@pytest.mark.parametrize("rows", [80, 2701])
def test_large_log_that_does_not_fit_its_shape_is_refused(rows):
    with pytest.raises(DataError, match="there must be 90 to 2700"):
        large(Shape(users=60, items=90, interactions=rows))
