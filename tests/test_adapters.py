"""The adapters: the contract for all of them, and what each promises beyond it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from adapters import ADAPTERS
from benchmark.protocol import FitContext, Interactions
from benchmark.testing import AdapterContract, planted_parts

FRAMEWORKS = {"torch", "tensorflow", "keras", "surprise", "lightfm", "sklearn"}
CONFIGS = {"keras/mlp": {"batch_size": 128, "dropout": 0.2}, "torch/ncf": {"batch_size": 128, "dropout": 0.2}}


def load(name: str) -> type:
    module, _, cls = ADAPTERS[name].partition(":")
    return getattr(import_module(module), cls)


@pytest.mark.parametrize("name", ADAPTERS)
class TestAdapter(AdapterContract):
    @pytest.fixture(autouse=True)
    def _subject(self, name):
        self.adapter, self.config = load(name), CONFIGS.get(name, {})
        self.learns = name != "baselines/random"


def fitted(adapter, train: Interactions, **config):
    model = adapter(**config)
    for _ in model.fit_steps(train, FitContext()):
        pass
    return model


def test_adapter_modules_import_no_framework():
    modules = sorted({target.partition(":")[0] for target in ADAPTERS.values()})
    code = f"import sys, {', '.join(modules)}; print(*{FRAMEWORKS} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_listing_adapters_imports_nothing_but_the_package():
    heavy = ("adapters.", "benchmark", "numpy")
    code = f"import sys, adapters; print(*[name for name in sys.modules if name.startswith({heavy})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def random_pairs(train: Interactions, n: int = 1000):
    rng = np.random.default_rng(3)
    users = rng.integers(train.n_users, size=n).astype(np.int32)
    items = rng.integers(train.n_items, size=n).astype(np.int32)
    users[:20], items[10:30] = train.n_users - 1, train.n_items - 1  # nobody rated these
    return users, items


@pytest.mark.parametrize("user_based", [True, False])
@pytest.mark.parametrize("similarity", ["msd", "cosine", "pearson", "pearson_baseline"])
def test_knn_means_ratings_equal_the_library_s_own(similarity, user_based):
    import surprise

    from adapters.surprise import KnnMeans, trainset

    train, _ = planted_parts()
    options = {"name": similarity, "user_based": user_based, "shrinkage": 50}
    theirs = surprise.KNNWithMeans(7, 3, options, verbose=False).fit(trainset(train))
    settings = {"neighbours": 7, "min_neighbours": 3, "shrinkage": 50}
    ours = fitted(KnnMeans, train, similarity=similarity, user_based=user_based, **settings)
    users, items = random_pairs(train)
    expected = [theirs.predict(*pair).est for pair in zip(users.tolist(), items.tolist(), strict=True)]
    np.testing.assert_allclose(ours.rate(users, items), expected, atol=1e-6)


def test_svd_ratings_equal_the_library_s_own():
    import surprise

    from adapters.surprise import Svd, trainset

    train, _ = planted_parts()
    theirs = surprise.SVD(n_factors=10, n_epochs=5, random_state=0).fit(trainset(train))
    ours = fitted(Svd, train, dim=10, max_epochs=5)
    users, items = random_pairs(train)
    expected = [theirs.predict(*pair).est for pair in zip(users.tolist(), items.tolist(), strict=True)]
    np.testing.assert_allclose(ours.rate(users, items), expected, atol=1e-6)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_knn_means_of_equal_neighbours_takes_those_rated_first(order):
    from adapters.surprise import KnnMeans

    users, items = np.array([0, 0, 1, 1, 2, 2, 1, 2]), np.array([0, 1, 0, 1, 0, 1, 2, 2])
    values = np.array([3, 3, 3, 3, 3, 3, 5, 1], dtype=np.float32)  # users 1 and 2 are equally near to user 0
    columns = users[order].astype(np.int32), items[order].astype(np.int32), values[order]
    train = Interactions(*columns, np.empty(0, np.int64), np.ones(8, bool), 3, 3, (1.0, 5.0))
    rating = fitted(KnnMeans, train, neighbours=1).rate(np.array([0]), np.array([2]))
    assert rating == pytest.approx([3 + 4 / 3] if order.step is None else [3 - 4 / 3])


def test_lightfm_scores_equal_the_library_s_own_up_to_a_constant_per_user():
    import lightfm

    from adapters.lightfm import Warp

    train, _ = planted_parts()
    ours = fitted(Warp, train, max_epochs=2).score(np.array([5]))[0]
    theirs = lightfm.LightFM(
        Warp.dim, loss="warp", learning_rate=Warp.lr, user_alpha=Warp.l2, item_alpha=Warp.l2, random_state=0
    )
    theirs.fit(train.matrix(), epochs=2)
    difference = theirs.predict(5, np.arange(train.n_items)) - ours
    assert np.ptp(difference) < 1e-5


def test_ease_weights_solve_the_constrained_ridge_regression():
    from adapters.torch.ease import Ease

    train, _ = planted_parts()
    weights = fitted(Ease, train, l2=50.0).state()["weights"].astype(np.float64)
    dense = train.matrix().toarray().astype(np.float64)
    slope = dense.T @ (dense - dense @ weights) - 50.0 * weights  # 0 but for the multipliers of the diagonal
    np.fill_diagonal(slope, 0)
    assert np.abs(slope).max() < 1e-3
    assert not weights.diagonal().any()


def test_popularity_scores_are_the_number_of_rows():
    from adapters.baselines import Popularity

    train, _ = planted_parts()
    scores = fitted(Popularity, train).score(np.array([0, 1]))
    assert (scores == train.matrix().sum(axis=0)).all()


def test_ncf_scores_of_all_items_equal_those_of_its_training_pass():
    import torch

    from adapters.torch.ncf import Ncf

    model = fitted(Ncf, planted_parts()[0], max_epochs=1)
    users, items = torch.arange(3), torch.arange(model.score(np.array([0])).shape[1])
    with torch.no_grad():
        pairs = model._network(users, items.repeat(3, 1), torch.ones(3, 2 * model.dim))
    np.testing.assert_allclose(pairs.numpy(), model.score(users.numpy()), atol=1e-5)


def test_mlp_scores_of_all_items_equal_those_of_its_training_pass():
    from adapters.keras.mlp import Mlp

    model = fitted(Mlp, planted_parts()[0], max_epochs=1)
    users = np.arange(3, dtype=np.int32)
    scores = model.score(users)
    items = np.tile(np.arange(scores.shape[1], dtype=np.int32), (3, 1))
    np.testing.assert_allclose(model._network(users, items).numpy(), scores, atol=1e-5)


def test_torch_negatives_are_hardly_ever_likes():
    import torch

    from adapters.torch.training import unseen

    users, items = torch.arange(50).repeat_interleave(50), torch.arange(50).repeat(50)
    known = (users * 100 + items).sort().values  # half of the 100 items
    drawn = unseen(users, known, 100, 4, torch.Generator().manual_seed(0))
    assert drawn.shape == (2500, 4)
    assert (drawn < 50).float().mean() < 0.08  # 1/16 expected after three redraws
    assert len(drawn.unique()) > 50


def test_keras_negatives_are_hardly_ever_likes():
    import tensorflow as tf

    from adapters.keras.training import unseen

    users, items = np.repeat(np.arange(50), 50), np.tile(np.arange(50), 50)
    known = tf.constant(users * 100 + items, tf.int64)
    drawn = unseen(tf.constant(users), known, 100, 4, tf.random.Generator.from_seed(0)).numpy()
    assert drawn.shape == (2500, 4)
    assert (drawn < 50).mean() < 0.08
    assert len(np.unique(drawn)) > 50
