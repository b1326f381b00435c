"""Linear and neighbourhood rankers against their papers' formulas, written out densely."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.native.ease import Ease
from adapters.native.ials import Ials
from adapters.native.item_knn import ItemKnn
from adapters.native.rp3beta import Rp3Beta
from adapters.native.slim import Slim
from adapters.native.user_knn import UserKnn
from benchmark.protocol import FitContext, Interactions
from benchmark.testing import planted_parts


def log(users: int, items: int, share: float = 0.3) -> Interactions:
    """Return a random log; the last user and the last item have no row."""
    drawn = np.random.default_rng(1).random((users, items)) < share
    drawn[-1], drawn[:, -1] = False, False
    rows, columns = (np.array(places, dtype=np.int32) for places in np.nonzero(drawn))
    size = len(rows)
    values, times = np.ones(size, np.float32), np.empty(0, np.int64)
    return Interactions(rows, columns, values, times, np.ones(size, np.bool_), users, items)


def fitted(adapter, train: Interactions, **config):
    model = adapter(**config)
    for _ in model.fit_steps(train, FitContext()):
        pass
    return model


def nearest(similarity, k):
    """Keep the k largest of each row, none on the diagonal."""
    np.fill_diagonal(similarity, 0)
    least = np.sort(similarity, axis=1)[:, -k][:, None]
    return np.where(similarity >= least, similarity, 0)


def cosine(profiles, shrinkage):
    norms = np.linalg.norm(profiles, axis=1)
    return profiles @ profiles.T / (np.outer(norms, norms) + shrinkage)


def dense(train: Interactions):
    return train.matrix().toarray().astype(np.float64)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("weighting", "k"), [("none", 25), ("idf", 7), ("length", 7)])
def test_item_knn_scores_equal_the_written_out_formula(weighting, k):
    train = log(60, 25)
    likes = dense(train)
    counts = likes.sum(axis=1)
    some = np.maximum(counts, 1)
    of_users = {"none": some**0, "idf": np.log(25 / some), "length": some**-0.5}[weighting]
    of_users *= counts.sum() / (of_users @ counts)
    expected = likes @ nearest(cosine(likes.T * of_users, 2.0), k).T
    model = fitted(ItemKnn, train, neighbours=k, shrinkage=2.0, weighting=weighting)
    assert_close(model.score(np.arange(60)), expected)


@pytest.mark.parametrize(
    ("weighting", "k"), [("none", 60), ("idf", 7)]
)  # counts tie at the border, logs do not
def test_user_knn_scores_equal_the_written_out_formula(weighting, k):
    train = log(60, 25)
    likes = dense(train)
    rare = np.log(60 / np.maximum(likes.sum(axis=0), 1)) if weighting == "idf" else np.ones(25)
    expected = nearest(cosine(likes * rare, 2.0), k) @ likes
    model = fitted(UserKnn, train, neighbours=k, shrinkage=2.0, weighting=weighting)
    assert_close(model.score(np.arange(60)), expected)


@pytest.mark.parametrize(
    ("weighting", "k"), [("none", 60), ("idf", 7)]
)  # counts tie at the border, logs do not
def test_user_knn_serves_a_new_user_by_the_written_out_formula(weighting, k):
    train = log(60, 25)
    likes = dense(train)
    items = np.array([2, 3, 11])
    rare = np.log(60 / np.maximum(likes.sum(axis=0), 1)) if weighting == "idf" else np.ones(25)
    own = np.isin(np.arange(25), items)
    alike = cosine(np.vstack([likes, own]) * rare, 2.0)[-1, :-1]
    alike[alike < np.sort(alike)[-k]] = 0
    model = fitted(UserKnn, train, neighbours=k, shrinkage=2.0, weighting=weighting)
    assert_close(model.fold_in(items), alike @ likes)


def test_rp3beta_scores_equal_the_written_out_formula():
    train = log(60, 25)
    likes = dense(train)
    of_users, of_items = np.maximum(likes.sum(axis=1), 1), np.maximum(likes.sum(axis=0), 1)
    to_user, to_item = (likes / of_items).T ** 0.7, (likes / of_users[:, None]) ** 0.7
    walks = to_user @ to_item / of_items**0.4
    model = fitted(Rp3Beta, train, alpha=0.7, beta=0.4, neighbours=7)
    assert_close(model.score(np.arange(60)), likes @ nearest(walks.T, 7).T)


@pytest.mark.parametrize(("l1", "l2"), [(0.5, 1.0), (2.0, 5.0)])
def test_slim_weights_equal_those_of_scikit_learn(l1, l2):
    from sklearn.linear_model import ElasticNet

    train = log(80, 20)
    likes = dense(train)
    weights = fitted(Slim, train, l1=l1, l2=l2)._weights.toarray()
    theirs = ElasticNet(
        alpha=(l1 + l2) / 80, l1_ratio=l1 / (l1 + l2), positive=True, fit_intercept=False, tol=1e-10
    )
    for item in (0, 7, 18):
        others = likes.copy()
        others[:, item] = 0
        np.testing.assert_allclose(weights[:, item], theirs.fit(others, likes[:, item]).coef_, atol=2e-3)
    assert weights.any()
    assert not weights.diagonal().any()


def test_ials_vectors_equal_a_direct_solution():
    train = log(30, 20)
    likes, model = dense(train), fitted(Ials, train, dim=4, l2=0.02, alpha=0.3, rounds=8, max_epochs=2)
    items = model.state()["items"].astype(np.float64)
    for user in (0, 13, 29):
        liked = likes[user]
        normal = items.T @ ((liked + 0.3)[:, None] * items) + 0.02 * (liked.sum() + 0.3 * 20) * np.eye(4)
        assert_close(model.state()["users"][user], np.linalg.solve(normal, items.T @ liked))


def test_ials_each_step_lowers_its_loss():
    train = log(30, 20)
    likes, model, losses = dense(train), Ials(dim=4, l2=0.02, alpha=0.3, max_epochs=6), []
    for _ in model.fit_steps(train, FitContext()):
        users, items = model._users.astype(np.float64), model._items.astype(np.float64)
        scores = users @ items.T
        loss = (likes * (1 - scores) ** 2).sum() + 0.3 * (scores**2).sum()
        loss += 0.02 * (likes.sum(axis=1) + 0.3 * 20) @ (users**2).sum(axis=1)
        losses.append(loss + 0.02 * (likes.sum(axis=0) + 0.3 * 30) @ (items**2).sum(axis=1))
    assert (np.diff(losses) < 1e-4).all()


def test_ials_default_rounds_come_near_a_solution():
    train, _ = planted_parts()
    model, history = fitted(Ials, train.positives(), dim=8), train.positives().matrix()[5].indices
    np.testing.assert_allclose(model.fold_in(history), model.score(np.array([5]))[0], atol=0.01)


def test_ials_folds_in_from_arrays_that_may_not_be_written():
    train, _ = planted_parts()
    model, state = Ials(dim=8), fitted(Ials, train.positives(), dim=8, max_epochs=2).state()
    for array in state.values():
        array.flags.writeable = False
    model.restore(state)
    assert np.isfinite(model.fold_in(np.array([3, 4], dtype=np.int32))).all()


@pytest.mark.parametrize("adapter", [Ials, Slim, ItemKnn, Rp3Beta, UserKnn, Ease])
def test_new_user_with_the_history_of_an_old_one_gets_the_same_scores(adapter):
    train, _ = planted_parts()
    exact = {"max_epochs": 3, "dim": 8, "rounds": 16} if adapter is Ials else {}
    model = fitted(adapter, train.positives(), **exact)
    history = train.positives().matrix()[5].indices
    np.testing.assert_allclose(model.fold_in(history), model.score(np.array([5]))[0], rtol=1e-3, atol=1e-5)


def written_out_ease(likes, l2):
    inverse = np.linalg.inv(likes.T @ likes + l2 * np.eye(likes.shape[1]))
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(("users", "items"), [(60, 25), (25, 60)])
def test_ease_scores_are_the_same_from_the_side_of_users_and_of_items(users, items):
    train = log(users, items)
    model = fitted(Ease, train, l2=3.0)
    state = model.state()
    assert ("weights" in state) == (items < users)
    assert all(array.flags.c_contiguous for array in state.values())  # or each score copies a matrix
    assert_close(model.score(np.arange(users)), dense(train) @ written_out_ease(dense(train), 3.0))


def test_ease_from_the_side_of_users_serves_a_new_user():
    train, items = log(25, 60), np.array([2, 3, 41])
    expected = written_out_ease(dense(train), 3.0)[items].sum(axis=0)
    assert_close(fitted(Ease, train, l2=3.0).fold_in(items), expected)


def test_ease_from_the_side_of_users_comes_back_from_its_state():
    model, copy = fitted(Ease, log(25, 60), l2=3.0), Ease(l2=3.0)
    copy.restore(model.state())
    assert np.array_equal(copy.score(np.arange(25)), model.score(np.arange(25)))


def test_sparse_state_with_an_index_out_of_bounds_is_refused():
    state = fitted(ItemKnn, log(60, 25)).state()
    state["weights.columns"] = state["weights.columns"] + 25
    with pytest.raises(ValueError, match="indices must be < 25"):
        ItemKnn().restore(state)
