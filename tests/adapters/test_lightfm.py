"""LightFM: our numbers are the library's own; features and negatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_logs import fitted

from adapters.lightfm import Hybrid, Logistic, Warp
from benchmark.errors import AdapterError
from benchmark.testing import planted_parts


def test_lightfm_scores_equal_the_library_s_own_up_to_a_constant_per_user():
    import lightfm

    train, _ = planted_parts()
    ours = fitted(Warp(max_epochs=2), train).score(np.array([5]))[0]
    theirs = lightfm.LightFM(
        Warp.dim, loss="warp", learning_rate=Warp.lr, user_alpha=Warp.l2, item_alpha=Warp.l2, random_state=0
    )
    theirs.fit(train.matrix(), epochs=2)
    difference = theirs.predict(5, np.arange(train.n_items)) - ours
    assert np.ptp(difference) < 1e-5


def test_lightfm_hybrid_scores_what_it_never_saw_by_its_features_alone():
    train, _ = planted_parts()
    matrix = train.item_features.matrix[np.append(np.arange(train.n_items - 2), [0, 0])]
    twins = replace(train.positives(), item_features=replace(train.item_features, matrix=matrix))
    scores = fitted(Hybrid(max_epochs=3), twins).score(np.array([5]))[0]
    assert scores[-1] == scores[-2]  # two strangers with the same features
    assert scores[-1] != scores[0]  # their twin has a vector of its own beside them


def test_lightfm_hybrid_without_features_says_what_it_needs():
    train, _ = planted_parts()
    with pytest.raises(AdapterError, match="needs user or item features"):
        fitted(Hybrid(), replace(train, item_features=None))


def test_lightfm_logistic_negatives_are_never_likes():
    train, _ = planted_parts()
    rows = next(Logistic().epoch_rows(train.positives(), seed=0)).signs.tocsr()
    likes = train.positives().matrix()  # a like that is drawn as a negative would sum to 0
    assert (rows.multiply(likes) != likes).nnz == 0
    assert rows.min() <= -1


def test_lightfm_logistic_walks_through_known_dislikes_and_weighs_likes_alone():
    log, _ = planted_parts()
    likes = replace(log.positives(), weights=log.values[log.positive])
    dislikes = log.rows(log.values <= 2)
    rows = next(Logistic().epoch_rows(replace(likes, dislikes=dislikes), seed=0))
    signs, weights = rows.signs.tocsr(), rows.weights.tocsr()
    assert (np.asarray(signs[dislikes.users, dislikes.items]) < 0).all()
    liked = np.asarray(weights[likes.users, likes.items]).ravel()
    np.testing.assert_allclose(liked, likes.weights / likes.weights.mean(), rtol=1e-6)
    assert (rows.weights.data[rows.signs.data < 0] == 1).all()


def test_lightfm_weights_that_are_all_alike_change_nothing():
    train = planted_parts()[0].positives()
    alike = replace(train, weights=np.full(len(train), 7, dtype=np.float32))
    for model in (Warp(max_epochs=1), Logistic(max_epochs=1)):
        plain, same = (fitted(model, rows).score(np.array([5])) for rows in (train, alike))
        assert np.array_equal(plain, same)


def test_lightfm_penalty_is_divided_where_there_are_many_users_or_items(monkeypatch):
    import lightfm

    train, _ = planted_parts()
    given, library = {}, lightfm.LightFM

    def recording(*sizes, **options):
        given.update(options)
        return library(*sizes, **options)

    monkeypatch.setattr(lightfm, "LightFM", recording)
    monkeypatch.setattr("adapters.lightfm.MANY", train.n_users - 2)
    fitted(Warp(l2=1e-3, max_epochs=1), train)
    assert given["user_alpha"] == pytest.approx(1e-3 * (train.n_users - 2) / train.n_users)
    assert given["item_alpha"] == pytest.approx(1e-3 * min(1, (train.n_users - 2) / train.n_items))
    monkeypatch.setattr("adapters.lightfm.MANY", 10_000)
    fitted(Warp(l2=1e-3, max_epochs=1), train)
    assert (given["user_alpha"], given["item_alpha"]) == (1e-3, 1e-3)
