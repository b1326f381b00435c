"""Large logs with tastes to be found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from large_log import Shape
from planted_figures import columns, figures
from planted_log import CHUNK, Planted, draws_for, planted_path, planted_shape, write

from benchmark.errors import DataError

SHAPE = Shape(users=60, items=400, interactions=2400)
ROWS = 100_000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return planted_path(ROWS, tmp_path_factory.mktemp("planted"))


def test_planted_log_has_its_rows_and_users_and_no_pair_twice(path):
    frame, shape = pd.read_parquet(path), planted_shape(ROWS)
    assert (len(frame), frame["userId"].nunique()) == (ROWS, shape.users)
    assert not frame.duplicated(["userId", "movieId"]).any()
    assert frame["userId"].value_counts().min() >= 20
    assert set(frame["rating"] * 2) <= set(range(1, 11))


def test_planted_log_stands_in_the_order_of_users_and_their_times(path):
    frame = pd.read_parquet(path)
    assert np.lexsort((frame["timestamp"], frame["userId"])).tolist() == list(range(ROWS))


def test_planted_log_is_the_same_for_the_same_seed_alone(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, SHAPE, seed)
    a, b, c = (pd.read_parquet(tmp_path / name) for name in "abc")
    assert a.equals(b)
    assert not a.equals(c)


def test_chunks_of_users_make_one_log(tmp_path):
    shape = Shape(users=CHUNK + 5, items=200, interactions=(CHUNK + 5) * 21)
    write(tmp_path / "log", shape)
    users, _, _ = columns(tmp_path / "log")
    assert np.bincount(users).tolist() == Planted.draw(shape).counts.tolist()


def test_truth_ranks_held_out_likes_far_better_than_popularity(path):
    found = figures(path, ROWS)
    assert 3 * found.popularity < found.truth < 0.5
    assert found.truth_rmse < 0.8 * found.global_mean_rmse


def test_held_out_likes_are_as_frequent_as_the_truth_says(path):
    users, items, ratings = columns(path)
    shape = planted_shape(ROWS)
    among = Planted.draw(shape).held_out_like(np.arange(shape.users), 1.0)  # all held out: a like at all
    likes = np.zeros((shape.users, shape.items))
    likes[users[ratings >= 4], items[ratings >= 4]] = 1
    assert likes.sum() == pytest.approx(among.sum(), rel=0.05)
    for low, high in ((0.1, 0.2), (0.3, 0.5), (0.6, 0.8)):
        said = (among >= low) & (among < high)
        assert likes[said].mean() == pytest.approx(among[said].mean(), abs=0.05)


def test_draws_leave_as_many_distinct_items_as_a_user_has_rows():
    rates = np.full(100, 0.01, dtype=np.float32)
    assert 100 * -np.expm1(-draws_for(rates, 50) / 100) == pytest.approx(50, rel=2e-3)


@pytest.mark.parametrize("rows", [1199, 6001])
def test_planted_log_that_does_not_fit_its_shape_is_refused(rows):
    with pytest.raises(DataError, match="there must be 20 to 100 a user"):
        Planted.draw(Shape(users=60, items=400, interactions=rows))
