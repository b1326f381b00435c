"""Generated purchases: the share of repeats is known, and a basket is a set."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import SyntheticSpec

SHAPE = {"users": 60, "items": 40, "interactions": 3000, "seed": 5}


@pytest.mark.parametrize(("repeats", "basket"), [(0.6, 4), (0.75, 1), (0.8, 5)])
def test_share_of_repeats_is_exact_and_no_item_is_twice_in_a_basket(repeats, basket):
    frame = synthetic_log(**SHAPE, repeats=repeats, basket=basket).frame
    assert list(frame) == ["user", "item", "time"]
    assert (len(frame), frame.user.nunique(), frame.item.nunique()) == (3000, 60, 40)
    assert frame.duplicated(["user", "item"]).mean() == repeats
    assert not frame.duplicated(["user", "item", "time"]).any()
    assert frame.groupby(["user", "time"]).size().max() == basket


def test_first_basket_is_all_new_and_later_rows_repeat_alike():
    frame = synthetic_log(**SHAPE, repeats=0.6, basket=4).frame
    again = frame.duplicated(["user", "item"])
    place = frame.groupby("user").cumcount()
    assert not again[place < 4].any()
    late = again[place >= 4]
    halves = late[place > 25].mean(), late[place <= 25].mean()
    assert halves == pytest.approx((late.mean(), late.mean()), abs=0.05)


def test_what_was_bought_often_is_bought_again_more_often():
    frame = synthetic_log(**SHAPE, repeats=0.6, basket=1).frame
    before = frame.groupby(["user", "item"]).cumcount()
    had = frame.groupby("user").cumcount()
    repeats = frame.assign(before=before, had=had)[before > 0]
    # A repeat drawn evenly among rows falls on an item with b of h rows in proportion to b.
    own_share = (repeats.before / repeats.had).mean()
    even_share = 1 / frame.groupby("user").item.nunique().mean()
    assert own_share > 2 * even_share


def test_log_with_repeats_is_the_same_for_the_same_seed_and_has_no_ratings():
    one, same, other = (synthetic_log(**{**SHAPE, "seed": seed}, repeats=0.6) for seed in (5, 5, 6))
    assert one.provenance.sha256 == same.provenance.sha256 != other.provenance.sha256
    assert one.scale is None


def test_too_few_distinct_pairs_are_refused():
    with pytest.raises(ValueError, match="interactions without repeats is 300; with 100 users"):
        SyntheticSpec(users=100, items=50, interactions=3000, repeats=0.9)


def test_repeats_leave_the_generator_of_other_logs_alone():
    assert np.array_equal(
        synthetic_log(**SHAPE | {"interactions": 900}).frame,
        synthetic_log(**SHAPE | {"interactions": 900}, basket=1).frame,
    )
