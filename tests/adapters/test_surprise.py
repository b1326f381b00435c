"""Surprise's models: our numbers are the library's own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from training_logs import fitted, interactions

from adapters.surprise.baselines import BaselineOnly, NormalPredictor
from adapters.surprise.co_clustering import CoClustering
from adapters.surprise.factors import Nmf, Pmf, Svd, SvdPlusPlus
from adapters.surprise.knn import KnnBaseline, KnnBasic, KnnMeans, KnnZScore
from adapters.surprise.slope_one import SlopeOne
from adapters.surprise.training import trainset
from benchmark.protocol import Interactions
from benchmark.testing import planted_parts

NEIGHBOURS = {
    "KNNBasic": KnnBasic,
    "KNNWithMeans": KnnMeans,
    "KNNWithZScore": KnnZScore,
    "KNNBaseline": KnnBaseline,
}
OTHERS = {
    "baseline-als": (BaselineOnly(), "BaselineOnly", {"verbose": False}),
    "baseline-sgd": (
        BaselineOnly("sgd", max_epochs=20),
        "BaselineOnly",
        {"verbose": False, "bsl_options": {"method": "sgd"}},
    ),
    "svd": (Svd(10, max_epochs=5), "SVD", {"n_factors": 10, "n_epochs": 5, "random_state": 0}),
    "pmf": (Pmf(10), "SVD", {"n_factors": 10, "biased": False, "random_state": 0}),
    "svdpp": (SvdPlusPlus(5, max_epochs=3), "SVDpp", {"n_factors": 5, "n_epochs": 3, "random_state": 0}),
    "nmf": (Nmf(), "NMF", {"random_state": 0}),
    "nmf-biased": (Nmf(4, biased=True), "NMF", {"n_factors": 4, "biased": True, "random_state": 0}),
    "slope-one": (SlopeOne(), "SlopeOne", {}),
    "co-clustering": (CoClustering(), "CoClustering", {"random_state": 0}),
}


def theirs(name: str, train: Interactions, **options):
    import surprise

    return getattr(surprise, name)(**options).fit(trainset(train))


def random_pairs(train: Interactions, n: int = 1000):
    rng = np.random.default_rng(3)
    users = rng.integers(train.n_users, size=n).astype(np.int32)
    items = rng.integers(train.n_items, size=n).astype(np.int32)
    users[:20], items[10:30] = train.n_users - 1, train.n_items - 1  # nobody rated these
    return users, items


def assert_same_ratings(ours, library, train: Interactions):
    users, items = random_pairs(train)
    pairs = list(zip(users.tolist(), items.tolist(), strict=True))
    expected = [library.predict(*pair).est for pair in pairs]
    np.testing.assert_allclose(ours.rate(users, items), expected, atol=1e-6)
    raw = [library.predict(*pair, clip=False).est for pair in pairs]
    np.testing.assert_allclose(ours.score(np.arange(train.n_users))[users, items], raw, atol=1e-5)


@pytest.mark.parametrize("user_based", [True, False])
@pytest.mark.parametrize("similarity", ["msd", "cosine", "pearson", "pearson_baseline"])
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours_ratings_equal_the_library_s_own(name, similarity, user_based):
    train, _ = planted_parts()
    options = {"name": similarity, "user_based": user_based, "min_support": 2, "shrinkage": 50}
    library = theirs(name, train, k=7, min_k=3, sim_options=options, verbose=False)
    ours = fitted(NEIGHBOURS[name](7, 3, similarity, 2, 50, user_based), train)
    assert_same_ratings(ours, library, train)


@pytest.mark.parametrize("case", OTHERS)
def test_ratings_of_other_models_equal_the_library_s_own(case):
    train, _ = planted_parts()
    ours, name, options = OTHERS[case]
    assert_same_ratings(fitted(replace(ours), train), theirs(name, train, **options), train)


@pytest.mark.parametrize("user_based", [True, False])
def test_neighbours_order_of_rows_decides_between_equals_as_in_the_library(user_based):
    train, _ = planted_parts()
    shuffled = train.rows(np.random.default_rng(1).permutation(len(train)))
    whole_stars = replace(shuffled, values=np.ceil(shuffled.values / 2.5).astype(np.float32))  # ties abound
    library = theirs("KNNBasic", whole_stars, k=5, sim_options={"user_based": user_based}, verbose=False)
    assert_same_ratings(fitted(KnnBasic(5, user_based=user_based), whole_stars), library, whole_stars)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_knn_means_of_equal_neighbours_takes_those_rated_first(order):
    users, items = np.array([0, 0, 1, 1, 2, 2, 1, 2]), np.array([0, 1, 0, 1, 0, 1, 2, 2])
    values = np.array([3, 3, 3, 3, 3, 3, 5, 1], dtype=np.float32)  # users 1 and 2 are equally near to user 0
    train = interactions(users[order], items[order], values[order], scale=(1.0, 5.0))
    rating = fitted(KnnMeans(neighbours=1), train).rate(np.array([0]), np.array([2]))
    assert rating == pytest.approx([3 + 4 / 3] if order.step is None else [3 - 4 / 3])


@pytest.mark.parametrize("model", [SlopeOne(), CoClustering()])
def test_half_stars_are_not_cut_off(model):
    train, _ = planted_parts()
    halves = replace(train, values=train.values / 2, scale=(0.5, 2.5))
    users = np.arange(train.n_users, dtype=np.int32)
    whole = fitted(replace(model), train).score(users)
    np.testing.assert_allclose(fitted(replace(model), halves).score(users), whole / 2, atol=1e-6)


def test_normal_ratings_have_mean_and_deviation_of_training():
    train, _ = planted_parts()
    scores = fitted(NormalPredictor(), train).score(np.arange(train.n_users, dtype=np.int32))
    assert scores.mean() == pytest.approx(train.values.mean(), abs=0.03)
    assert scores.std() == pytest.approx(train.values.std(), abs=0.03)


def test_neighbours_state_with_raters_out_of_bounds_is_refused():
    model = fitted(KnnBasic(), planted_parts()[0])
    damaged = model.state() | {"raters": model.state()["raters"] + np.int32(10**6)}
    with pytest.raises(ValueError, match="indices must be"):
        KnnBasic().restore(damaged)


def test_neighbours_state_with_similarities_of_others_is_refused():
    state = fitted(KnnBasic(), planted_parts()[0]).state()
    with pytest.raises(ValueError, match="similarity has shape"):
        KnnBasic().restore(state | {"similarity": state["similarity"][:, :-1]})


def test_stored_neighbours_are_served_without_surprise():
    code = "import sys, adapters.surprise.knn, adapters.surprise.training; print('surprise' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("user_based", [True, False])
@pytest.mark.parametrize("similarity", ["cosine", "pearson_baseline"])
def test_a_vector_of_zeros_is_near_nobody_and_all_others_are_as_the_library_says(
    similarity: str, user_based: bool
) -> None:
    train = planted_parts()[0]
    options = {"name": similarity, "user_based": user_based, "min_support": 2, "shrinkage": 10}
    model = fitted(KnnBasic(similarity=similarity, min_support=2, shrinkage=10, user_based=user_based), train)
    library = theirs("KNNBasic", train, sim_options=options, verbose=False)
    sides = (train.users, train.n_users) if user_based else (train.items, train.n_items)
    present = np.unique(sides[0])
    np.testing.assert_array_equal(model._similarity[np.ix_(present, present)], library.sim)
    # The same rows beside a user, and an item, whose every rating is the one that gives no direction.
    values = np.full(len(train), 3.0) if similarity == "pearson_baseline" else train.values.copy()
    if similarity == "cosine":
        values[train.users == 0] = 0.0
        values[train.items == 0] = 0.0
    flat = replace(train, values=values.astype(np.float32), scale=(0.0, 5.0))
    found = fitted(KnnBasic(similarity=similarity, min_support=2, user_based=user_based), flat)._similarity
    assert np.isfinite(found).all()
    nobody = 0 if similarity == "cosine" else slice(None)
    alone = found.copy()
    np.fill_diagonal(alone, 0.0)
    assert not alone[nobody].any()


def test_similarities_beside_a_zero_vector_are_the_librarys_own() -> None:
    from adapters.surprise.similarity import similarities

    train = planted_parts()[0]
    import surprise

    for name in ("cosine", "pearson_baseline"):
        options = {"name": name, "user_based": True, "min_support": 2, "shrinkage": 10}
        model = surprise.KNNBasic(sim_options=options, verbose=False)
        model.fit(trainset(train))
        data = model.trainset
        extra = data.n_users  # one more user, whose only ratings make a vector of zeros
        items = list(data.ir)[:5]
        zero = dict.fromkeys(items, 0.0)
        if name == "pearson_baseline":
            model.bu = np.append(model.bu, 0.0)
            zero = {item: data.global_mean + model.bi[item] for item in items}
        for item, value in zero.items():
            data.ir[item].append((extra, value))
        data.n_users += 1
        with_zero = similarities(model, lambda: pytest.fail("the library would divide by zero"))
        np.testing.assert_allclose(with_zero[:extra, :extra], model.sim, rtol=1e-12)
        assert not with_zero[extra, :extra].any()


@pytest.mark.parametrize("model", [Svd(10, max_epochs=3), Pmf(10, max_epochs=3)])
def test_surprise_factors_of_many_ratings_are_those_of_the_library_without_its_training_set(
    model, monkeypatch
):
    train, _ = planted_parts()
    by_library = fitted(model, train).state()
    monkeypatch.setattr("adapters.surprise.factors.LIBRARY_ROWS", 10)
    monkeypatch.setattr("adapters.surprise.training.trainset", None)
    ours = fitted(replace(model), train).state()
    assert all(np.array_equal(ours[name], by_library[name]) for name in by_library)
    assert replace(model).needs(train).host_bytes < 100 * len(train)
