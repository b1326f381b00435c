"""Negatives drawn uniformly: which items they can be, and how rarely they are positives."""

from __future__ import annotations

import numpy as np
from training_logs import interactions

from benchmark.modelkit.negative_sampling import PositivePairs, UniformNegatives
from benchmark.testing import planted_parts


def test_pairs_contain_exactly_what_they_were_made_of():
    users, items = np.array([3, 0, 3, 3], np.int32), np.array([1, 4, 0, 1], np.int32)
    pairs = PositivePairs.from_ids(users, items, n_items=5)
    every_user, every_item = (ids.ravel().astype(np.int32) for ids in np.meshgrid(np.arange(5), np.arange(5)))
    found = pairs.contain(every_user, every_item)
    contained = zip(every_user[found].tolist(), every_item[found].tolist(), strict=True)
    assert set(contained) == {(0, 4), (3, 0), (3, 1)}


def test_negatives_have_a_row_and_are_hardly_ever_positives():
    train = planted_parts()[0].positives()
    sampler, rng = UniformNegatives.from_log(train), np.random.default_rng(0)
    first, second = sampler.draw(4, rng), sampler.draw(4, rng)
    positive = train.matrix()[np.repeat(train.users, 4), first.ravel()]
    assert first.shape == (len(train), 4)
    assert np.isin(first, train.items).all()
    assert positive.mean() < 0.02
    assert (first != second).mean() > 0.9


def test_negatives_are_uniform_over_what_is_no_positive():
    train = interactions([0, 0, 1], [2, 5, 7], n_items=9)
    drawn = UniformNegatives.from_log(train).draw(60_000, np.random.default_rng(0))
    shares = np.bincount(drawn[2], minlength=9) / 60_000
    left = (1 / 3) ** 4  # of the user's own item, after three redraws
    np.testing.assert_allclose(shares[[2, 5, 7]], [(1 - left) / 2, (1 - left) / 2, left], atol=0.01)


def test_user_with_every_item_gets_positives_rather_than_no_negatives():
    train = interactions([0, 0, 0], [0, 1, 2])
    drawn = UniformNegatives.from_log(train).draw(9, np.random.default_rng(0))
    assert set(drawn.ravel().tolist()) <= {0, 1, 2}
