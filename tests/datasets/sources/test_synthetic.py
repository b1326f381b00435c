"""The planted log: what is planted can be found."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.split import split


def ease(matrix, l2=50.0):
    """Steck 2019, arXiv:1905.03375: closed form."""
    gram = matrix.T @ matrix + l2 * np.eye(matrix.shape[1])
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return matrix @ weights


def recall(scores, train, test, k=10):
    """Share of held-out pairs among the k best unseen items of each user."""
    top = np.argsort(np.where(train > 0, -np.inf, scores), axis=1)[:, -k:]
    return np.take_along_axis(test, top, axis=1).sum() / test.sum()


def recalls(**shape):
    """Recall@10 of chance, popularity and EASE on a random split of a planted log."""
    cut = split(prepare(synthetic_log(**shape)))
    train, test = cut.train.matrix().toarray().astype(float), cut.test.matrix().toarray()
    chance = np.random.default_rng(0).random(train.shape)
    popularity = np.tile(train.sum(axis=0), (len(train), 1))
    return [recall(scores, train, test) for scores in (chance, popularity, ease(train))]


@pytest.mark.parametrize("shape", [{}, {"seed": 3}, {"users": 500, "items": 400, "interactions": 20_000}])
def test_planted_good_model_beats_popularity_beats_random(shape):
    chance, popularity, good = recalls(**shape)
    assert popularity > 2 * chance
    assert good > 1.5 * popularity


def test_planted_order_of_models_holds_on_the_mean_of_small_logs():
    small = [recalls(users=60, items=80, interactions=1500, seed=seed) for seed in range(4)]
    chance, popularity, good = np.mean(small, axis=0)
    assert popularity > 1.2 * chance
    assert good > 1.2 * popularity


def test_planted_without_signal_leaves_nothing_beyond_popularity():
    _, popularity, good = recalls(signal=0.0)
    assert good < 1.05 * popularity


def test_planted_has_the_shape_asked_for():
    frame = synthetic_log(users=40, items=50, interactions=600, seed=2).frame
    assert (len(frame), frame["user"].nunique(), frame["item"].nunique()) == (600, 40, 50)
    assert not frame.duplicated(["user", "item"]).any()
    assert frame.groupby("user").size().min() >= 5
    assert set(frame["value"]) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert frame["time"].is_monotonic_increasing


def test_planted_every_item_has_a_row_where_there_are_hardly_more_rows_than_items():
    frame = synthetic_log(users=50, items=200, interactions=260, skew=2.0).frame
    assert frame["item"].nunique() == 200
    assert frame.groupby("user").size().min() >= 5


def test_planted_densest_shape_is_reached():
    frame = synthetic_log(users=20, items=30, interactions=300).frame
    assert len(frame.drop_duplicates(["user", "item"])) == 300


def test_planted_blocks_of_users_leave_every_user_its_rows(monkeypatch):
    monkeypatch.setattr("benchmark.datasets.sources.synthetic.BLOCK", 500)
    frame = synthetic_log(users=40, items=50, interactions=600, seed=2).frame
    assert len(frame.drop_duplicates(["user", "item"])) == 600
    assert frame["item"].nunique() == 50


def test_planted_same_seed_same_log_other_seed_other_log():
    logs = [synthetic_log(users=40, items=50, interactions=600, seed=seed) for seed in (1, 1, 2)]
    hashes = [log.provenance.sha256 for log in logs]
    assert logs[0].frame.equals(logs[1].frame)
    assert hashes[0] == hashes[1] != hashes[2]


def test_planted_users_rate_the_genres_higher_that_they_choose_more_often():
    log = synthetic_log(seed=1)
    frame = log.frame.merge(log.items, on="item")
    frame["genre"] = frame["genres"].str.split("|").str[0]
    rows = [frame.groupby(by)["value"].transform("size") for by in (["user", "genre"], "user", "genre")]
    lift = rows[0] / rows[1] - rows[2] / len(frame)
    assert np.corrcoef(lift, frame["value"])[0, 1] > 0.2


def test_planted_is_labelled_as_generated():
    found = synthetic_log(name="toy").provenance
    assert (found.dataset, found.synthetic) == ("toy", True)
    assert (found.licence, found.origin) == ("generated", "generated")
