"""The native models against their papers' formulas, written out densely; compiled code beside autograd."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from training_logs import fitted, interactions

from adapters.native.bpr import Bpr
from adapters.native.ease import Ease
from adapters.native.ials import Ials
from adapters.native.item_knn import ItemKnn
from adapters.native.kernels.bpr import Positives, Tables, bpr_walk
from adapters.native.rp3beta import Rp3Beta
from adapters.native.slim import Slim
from adapters.native.user_knn import UserKnn
from benchmark.errors import NotOffered
from benchmark.protocol import FitContext, Interactions
from benchmark.testing import planted_parts
from benchmark.testing.ranking_quality import assert_better_than_chance


def log(users: int, items: int, share: float = 0.3) -> Interactions:
    """Return a random log; the last user and the last item have no row."""
    drawn = np.random.default_rng(1).random((users, items)) < share
    drawn[-1], drawn[:, -1] = False, False
    return interactions(*np.nonzero(drawn), n_users=users, n_items=items)


def largest(similarity, k):
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
    expected = likes @ largest(cosine(likes.T * of_users, 2.0), k).T
    model = fitted(ItemKnn(neighbours=k, shrinkage=2.0, weighting=weighting), train)
    assert_close(model.score(np.arange(60)), expected)


@pytest.mark.parametrize(
    ("weighting", "k"), [("none", 60), ("idf", 7)]
)  # counts tie at the border, logs do not
def test_user_knn_scores_equal_the_written_out_formula(weighting, k):
    train = log(60, 25)
    likes = dense(train)
    rare = np.log(60 / np.maximum(likes.sum(axis=0), 1)) if weighting == "idf" else np.ones(25)
    expected = largest(cosine(likes * rare, 2.0), k) @ likes
    model = fitted(UserKnn(neighbours=k, shrinkage=2.0, weighting=weighting), train)
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
    model = fitted(UserKnn(neighbours=k, shrinkage=2.0, weighting=weighting), train)
    assert_close(model.fold_in(items), alike @ likes)


def alike(one, other, measure, shrinkage):
    """Ferrari Dacrema's formula for two rows of ones and zeros, as their reference program has it."""
    own, theirs = set(np.flatnonzero(one)), set(np.flatnonzero(other))
    both = len(own & theirs)
    below = {
        "cosine": (len(own) * len(theirs)) ** 0.5,
        "jaccard": len(own | theirs),
        "dice": len(own) + len(theirs),
        "asymmetric": len(own) ** 0.4 * len(theirs) ** 0.6,
        "tversky": both + 0.3 * len(own - theirs) + 1.7 * len(theirs - own),
        "overlap": 0,
    }[measure]
    return both / (below + shrinkage) if both else 0.0


@pytest.mark.parametrize("measure", ["cosine", "jaccard", "dice", "asymmetric", "tversky", "overlap"])
@pytest.mark.parametrize(("model", "weighting"), [(ItemKnn, "none"), (UserKnn, "idf")])
def test_neighbours_score_by_the_written_out_formula_of_each_measure(measure, model, weighting):
    train = log(60, 25)
    likes = dense(train)
    profiles = likes.T if model is ItemKnn else likes
    named = "none" if measure in {"cosine", "asymmetric", "overlap"} else weighting  # sets have no weights
    made = model(
        neighbours=60,
        shrinkage=2.0,
        weighting=named,
        similarity="cosine" if measure == "overlap" else measure,
        normalize=measure != "overlap",
        asymmetric_alpha=0.4,
        tversky_alpha=0.3,
        tversky_beta=1.7,
    )
    similar = np.array([[alike(one, other, measure, 2.0) for other in profiles] for one in profiles])
    np.fill_diagonal(similar, 0)
    expected = likes @ similar.T if model is ItemKnn else similar @ likes
    fit = fitted(made, train)
    assert_close(fit.score(np.arange(60)), expected)
    items = np.array([2, 3, 11])
    own = np.isin(np.arange(25), items)
    by_user = np.array([alike(own, one, measure, 2.0) for one in likes]) @ likes
    assert_close(fit.fold_in(items), similar[:, items].sum(axis=1) if model is ItemKnn else by_user)


def test_rp3beta_scores_equal_the_written_out_formula():
    train = log(60, 25)
    likes = dense(train)
    of_users, of_items = np.maximum(likes.sum(axis=1), 1), np.maximum(likes.sum(axis=0), 1)
    to_user, to_item = (likes / of_items).T ** 0.7, (likes / of_users[:, None]) ** 0.7
    walks = to_user @ to_item / of_items**0.4
    model = fitted(Rp3Beta(alpha=0.7, beta=0.4, neighbours=7), train)
    assert_close(model.score(np.arange(60)), likes @ largest(walks.T, 7).T)


@pytest.mark.parametrize(("l1", "l2"), [(0.5, 1.0), (2.0, 5.0)])
def test_slim_weights_equal_those_of_scikit_learn(l1, l2):
    from sklearn.linear_model import ElasticNet

    train = log(80, 20)
    likes = dense(train)
    weights = fitted(Slim(l1=l1, l2=l2), train)._weights.toarray()
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
    likes, model = dense(train), fitted(Ials(dim=4, l2=0.02, alpha=0.3, rounds=8, max_epochs=2), train)
    items = model.state()["items"].astype(np.float64)
    for user in (0, 13, 29):
        liked = likes[user]
        normal = items.T @ ((liked + 0.3)[:, None] * items) + 0.02 * (liked.sum() + 0.3 * 20) * np.eye(4)
        assert_close(model.state()["users"][user], np.linalg.solve(normal, items.T @ liked))


def weighed(train: Interactions) -> Interactions:
    """The log with weights 1, 2 and 3 in turn, and every user's item 19 as a known dislike."""
    kept = train.rows(train.items != 19)
    dislikes = interactions(range(30), [19] * 30, n_users=30, n_items=20)
    return replace(kept, weights=(np.arange(len(kept)) % 3 + 1).astype(np.float32), dislikes=dislikes)


def test_ials_with_weights_and_dislikes_equals_a_direct_solution():
    train = weighed(log(30, 20))
    model = fitted(Ials(dim=4, l2=0.02, alpha=0.3, rounds=8, max_epochs=2), train)
    items, weights = model.state()["items"].astype(np.float64), np.zeros((30, 20))
    weights[train.users, train.items] = train.weights / train.weights.mean()
    likes = weights > 0
    weights[:, 19] = 1
    for user in (0, 13, 29):
        count = weights[user]
        normal = items.T @ ((count + 0.3)[:, None] * items) + 0.02 * (count.sum() + 0.3 * 20) * np.eye(4)
        assert_close(model.state()["users"][user], np.linalg.solve(normal, items.T @ (count * likes[user])))


def test_ials_with_weights_that_are_all_alike_is_the_one_without():
    train = log(30, 20)
    alike = replace(train, weights=np.full(len(train), 7, dtype=np.float32))
    plain, same = (fitted(Ials(dim=4), rows).score(np.arange(30, dtype=np.int32)) for rows in (train, alike))
    np.testing.assert_allclose(plain, same, atol=1e-4)


def test_bpr_draws_likes_in_proportion_to_their_weights():
    train = interactions([0, 1, 2, 3], [3, 2, 1, 0])
    drawn = [
        Positives.from_log(train).drawn(np.array([0.5, 0.25, 0.25, 0.0]), np.random.default_rng(seed))
        for seed in range(20)
    ]
    assert {tuple(one.users.tolist()) for one in drawn} == {(0, 0, 1, 2)}
    assert drawn[0].items.tolist() == [3, 3, 2, 1]
    assert drawn[0].sorted_items.tolist() == [3, 2, 1, 0]


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
    model, history = fitted(Ials(dim=8), train.positives()), train.positives().matrix()[5].indices
    np.testing.assert_allclose(model.fold_in(history), model.score(np.array([5]))[0], atol=0.01)


def test_ials_folds_in_from_arrays_that_may_not_be_written():
    train, _ = planted_parts()
    model, state = Ials(dim=8), fitted(Ials(dim=8, max_epochs=2), train.positives()).state()
    for array in state.values():
        array.flags.writeable = False
    model.restore(state)
    assert np.isfinite(model.fold_in(np.array([3, 4], dtype=np.int32))).all()


@pytest.mark.parametrize("adapter", [Ials, Slim, ItemKnn, Rp3Beta, UserKnn, Ease])
def test_new_user_with_the_history_of_an_old_one_gets_the_same_scores(adapter):
    train, _ = planted_parts()
    exact = {"max_epochs": 3, "dim": 8, "rounds": 16} if adapter is Ials else {}
    model = fitted(adapter(**exact), train.positives())
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
    model = fitted(Ease(l2=3.0), train)
    state = model.state()
    assert ("weights" in state) == (items < users)
    assert all(array.flags.c_contiguous for array in state.values())  # or each score copies a matrix
    assert_close(model.score(np.arange(users)), dense(train) @ written_out_ease(dense(train), 3.0))


def test_ease_from_the_side_of_users_serves_a_new_user():
    train, items = log(25, 60), np.array([2, 3, 41])
    expected = written_out_ease(dense(train), 3.0)[items].sum(axis=0)
    assert_close(fitted(Ease(l2=3.0), train).fold_in(items), expected)


def test_ease_from_the_side_of_users_comes_back_from_its_state():
    model, copy = fitted(Ease(l2=3.0), log(25, 60)), Ease(l2=3.0)
    copy.restore(model.state())
    assert np.array_equal(copy.score(np.arange(25)), model.score(np.arange(25)))


def test_sparse_state_with_an_index_out_of_bounds_is_refused():
    state = fitted(ItemKnn(), log(60, 25)).state()
    state["weights.columns"] = state["weights.columns"] + 25
    with pytest.raises(ValueError, match="indices must be < 25"):
        ItemKnn().restore(state)


def test_ease_weights_solve_the_constrained_ridge_regression():
    train, _ = planted_parts()
    weights = fitted(Ease(l2=50.0), train).state()["weights"].astype(np.float64)
    likes = dense(train)
    slope = likes.T @ (likes - likes @ weights) - 50.0 * weights  # 0 but for the multipliers of the diagonal
    np.fill_diagonal(slope, 0)
    assert np.abs(slope).max() < 1e-3
    assert not weights.diagonal().any()


def test_bpr_step_follows_the_gradient_that_autograd_finds():
    import torch

    one = interactions([0], [1], n_items=2)  # the other item is the only negative
    rng = np.random.default_rng(1)
    tables = Tables(*(rng.standard_normal(shape).astype(np.float32) for shape in [(1, 7), (2, 7), (2,)]))
    before = [torch.tensor(table, requires_grad=True) for table in (tables.users, tables.items, tables.bias)]
    users, items, bias = before
    liked = int(one.items[0])
    scores = users[0] @ items.T + bias
    penalty = 0.05 * sum(table.square().sum() for table in before)  # half of l2: its gradient is l2 x
    (penalty - torch.nn.functional.logsigmoid(scores[liked] - scores[1 - liked])).backward()
    bpr_walk(Positives.from_log(one), tables, (0.2, 0.1), (1, 1), [5])
    for table, old in zip((tables.users, tables.items, tables.bias), before, strict=True):
        np.testing.assert_allclose(table, (old - 0.2 * old.grad).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_bpr_takes_the_hardest_of_its_negatives():
    one = interactions([0], [4], n_items=9)
    others = np.delete(np.arange(9), one.items[0])
    bias = np.arange(9, dtype=np.float32)
    tables = Tables(np.zeros((1, 2), np.float32), np.zeros((9, 2), np.float32), bias.copy())
    bpr_walk(Positives.from_log(one), tables, (0.1, 0.0), (1, 500), [3])
    moved = np.flatnonzero(tables.bias < bias)
    assert moved.tolist() == [others.max()]


@pytest.mark.parametrize("n_negatives", [1, 6])
def test_bpr_never_moves_away_from_a_like(n_negatives):
    """One item is no positive: all steps go away from it, and none from another."""
    train = interactions(np.zeros(11), np.delete(np.arange(12), 7), n_items=12)
    tables = Tables(np.zeros((1, 2), np.float32), np.zeros((12, 2), np.float32), np.zeros(12, np.float32))
    for seed in range(1, 20):
        bpr_walk(Positives.from_log(train), tables, (0.1, 0.0), (len(train), n_negatives), [seed])
    gained = tables.bias[train.items]
    assert (gained >= 0).all()
    np.testing.assert_allclose(gained.sum(), -tables.bias[7], rtol=1e-5)


def test_bpr_in_two_threads_learns_too():
    train, _ = planted_parts()
    model = Bpr()
    for _ in islice(model.fit_steps(train.positives(), FitContext(threads=2)), 40):
        pass
    assert_better_than_chance(model.score(np.arange(train.n_users)), "of score()")


@pytest.mark.parametrize("adapter", [Ials, ItemKnn, Rp3Beta, UserKnn, Slim])
def test_threads_change_no_number(adapter):
    one, three = adapter(), adapter()
    for model, threads in ((one, 1), (three, 3)):
        next(iter(model.fit_steps(log(60, 25), FitContext(threads=threads))))
    expected = one.state()
    assert all(np.array_equal(array, expected[name]) for name, array in three.state().items())


def test_slim_from_sparse_overlaps_is_the_one_from_dense_ones(monkeypatch):
    dense_weights = fitted(Slim(l1=0.5, l2=2.0), log(60, 25)).state()
    monkeypatch.setattr("adapters.native.slim.DENSE_ITEMS", 0)
    found = fitted(Slim(l1=0.5, l2=2.0), log(60, 25)).state()
    assert dense_weights["weights.values"].any()
    assert all(np.array_equal(array, dense_weights[name]) for name, array in found.items())


def test_bpr_goes_on_from_the_states_that_a_walk_returned():
    train = log(60, 25)
    whole, parts = (Tables(*untrained(60, 25)) for _ in range(2))
    positives, rates = Positives.from_log(train), (0.1, 0.01)
    bpr_walk(positives, whole, rates, (90, 3), [7])
    states = bpr_walk(positives, parts, rates, (50, 3), [7])
    bpr_walk(positives, parts, rates, (40, 3), states)
    assert np.array_equal(whole.users, parts.users)
    assert np.array_equal(whole.bias, parts.bias)


def test_threads_of_bpr_take_as_many_steps_as_one(monkeypatch):
    counts = []
    kernel = "adapters.native.kernels.bpr.descend"
    monkeypatch.setattr(kernel, lambda *asked: counts.append(asked[4]) or 1)
    train = log(60, 25)
    bpr_walk(Positives.from_log(train), Tables(*untrained(60, 25)), (0.1, 0.0), (100, 5), [1, 2, 3])
    assert sorted(counts) == [(33, 5), (33, 5), (34, 5)]


def untrained(users, items):
    """Return small vectors of users and items, and biases."""
    rng = np.random.default_rng(2)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in [(users, 4), (items, 4), (items,)]]


def test_bpr_of_a_user_who_liked_everything_changes_nothing():
    train = interactions(np.zeros(4), np.arange(4))
    model = fitted(Bpr(dim=3, max_epochs=2), train, steps=2)
    assert not model.state()["bias"].any()


def test_slim_explains_popular_items_first_within_a_pass():
    train = planted_parts()[0].positives()
    model = Slim(l1=0.5)
    steps = model.fit_steps(train, FitContext(step_rows=-(-len(train) // 4)))
    next(steps)
    explained = np.diff(model._weights.tocsc().indptr) > 0
    likes = np.bincount(train.items, minlength=train.n_items)
    assert 0 < explained.sum() <= -(-train.n_items // 4)
    assert likes[explained].min() >= np.sort(likes)[::-1][-(-train.n_items // 4) - 1]


def added_up(found):
    return found.values.sum(axis=0) + found.rest


@pytest.mark.parametrize(("users", "items"), [(40, 25), (25, 40)])  # both sides of the solution
def test_ease_says_the_weights_of_the_written_out_formula(users, items):
    train, asked = log(users, items), np.array([3, 0, 7], dtype=np.int32)
    likes = dense(train)
    inverse = np.linalg.inv(likes.T @ likes + 20.0 * np.eye(items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    model = fitted(Ease(l2=20.0), train)
    found = model.explain(4, asked)
    assert_close(found.values, weights[np.ix_(found.history, asked)])
    assert found.history.tolist() == np.flatnonzero(likes[4]).tolist()
    assert_close(added_up(found), model.score(np.array([4]))[0, asked])
    assert_close(added_up(model.explain_history(found.history, asked)), model.fold_in(found.history)[asked])


def test_ials_divides_a_score_by_equation_7_with_its_weights_and_dislikes():
    train, asked = weighed(log(30, 20)), np.array([1, 12], dtype=np.int32)
    model = fitted(Ials(dim=4, l2=0.02, alpha=0.3, rounds=8, max_epochs=2), train)
    items, weights = model.state()["items"].astype(np.float64), np.zeros((30, 20))
    weights[train.users, train.items] = train.weights / train.weights.mean()
    likes = weights[13] > 0
    weights[:, 19] = 1
    count = weights[13]
    normal = items.T @ ((count + 0.3)[:, None] * items) + 0.02 * (count.sum() + 0.3 * 20) * np.eye(4)
    expected = (count * likes)[:, None] * (items @ np.linalg.inv(normal) @ items[asked].T)
    restored = Ials(dim=4, l2=0.02, alpha=0.3)
    restored.restore(model.state())
    for one in (model, restored):
        found = one.explain(13, asked)
        assert_close(found.values, expected[found.history])
        assert 19 in found.history
        assert not found.values[found.history == 19].any()  # the known dislike
        assert_close(added_up(found), model.score(np.array([13]))[0, asked])
        assert one.history_of(13).tolist() == np.flatnonzero(likes).tolist()


def test_ials_whose_users_are_far_from_their_best_vector_says_so_in_the_rest():
    train, asked = log(30, 20), np.array([1, 12], dtype=np.int32)
    model = fitted(Ials(dim=4, rounds=1, max_epochs=1), train)
    found = model.explain(13, asked)
    assert np.abs(found.rest).max() > 1e-4
    assert_close(added_up(found), model.score(np.array([13]))[0, asked])


def test_ials_of_an_earlier_version_scores_and_says_why_it_cannot_say_why():
    train = log(30, 20)
    model, old = fitted(Ials(dim=4), train), Ials(dim=4)
    old.restore({name: model.state()[name] for name in ("users", "items")})
    assert_close(old.score(np.arange(30)), model.score(np.arange(30)))
    assert sorted(old.state()) == ["items", "users"]
    with pytest.raises(NotOffered, match="stored by an earlier version of bench, without histories"):
        old.explain(3, np.array([1]))


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
def test_user_knn_says_what_a_score_loses_where_the_neighbours_are_found_without_an_item(similarity):
    train, asked = log(60, 25), np.array([3, 7], dtype=np.int32)
    model = fitted(UserKnn(neighbours=7, similarity=similarity), train)
    found = model.explain(5, asked)
    whole = model.score(np.array([5], dtype=np.int32))[0, asked]
    for item, carried in zip(found.history, found.values, strict=True):
        similar = model._similarities(
            found.history[found.history != item], model._comparable(), np.array([5])
        )
        assert_close(carried, whole - (similar @ model._history)[asked])
    assert_close(added_up(found), whole)
