"""The adapters: the contract for all of them, and what each promises beyond it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from adapters import ADAPTERS
from benchmark.errors import AdapterError
from benchmark.protocol import FitContext, Interactions
from benchmark.testing import AdapterContract, planted_parts

FRAMEWORKS = {"torch", "tensorflow", "keras", "surprise", "lightfm", "sklearn", "deepctr"}
CONFIGS = {
    "keras/mlp": {"batch_size": 128, "dropout": 0.2},
    "torch/neumf": {"batch_size": 128, "dropout": 0.2},
    "torch/deepfm": {"batch_size": 128, "dropout": 0.2, "max_epochs": 15},
    "torch/dmf": {"batch_size": 512, "max_epochs": 15},
    "torch/mf": {"batch_size": 512, "lr": 0.01, "max_epochs": 10},
    "torch/multvae": {"dim": 16, "lr": 5e-3},
    "torch/sasrec": {"dim": 32, "history": 20, "batch_size": 16, "lr": 5e-3, "max_epochs": 12},
    "torch/gru4rec": {"history": 20, "batch_size": 16, "negatives": 64, "lr": 0.01, "max_epochs": 12},
    "torch/caser": {"dim": 32, "batch_size": 256, "negatives": 64, "lr": 0.01, "max_epochs": 12},
}
TRACED = {name for name in ADAPTERS if name.startswith(("keras/", "deepctr/"))} - {"keras/mlp"}


def load(name: str) -> type:
    module, _, cls = ADAPTERS[name].partition(":")
    return getattr(import_module(module), cls)


@pytest.mark.parametrize(
    "name",
    # Each fit of Keras traces a graph for seconds; its first model stands for the others in the fast suite.
    [pytest.param(name, marks=pytest.mark.slow if name in TRACED else ()) for name in ADAPTERS],
)
class TestAdapter(AdapterContract):
    @pytest.fixture(autouse=True)
    def _subject(self, name):
        self.adapter, self.config = load(name), CONFIGS.get(name, {})
        if name.startswith("deepctr/") and find_spec("deepctr") is None:
            pytest.skip("deepctr is not installed")
        self.learns = name not in {"baselines/random", "surprise/normal"}
        self.from_history = name != "torch/caser"  # which has a vector of each user


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


def test_lightfm_hybrid_scores_what_it_never_saw_by_its_features_alone():
    from adapters.lightfm import Hybrid

    train, _ = planted_parts()
    matrix = train.item_features.matrix[np.append(np.arange(train.n_items - 2), [0, 0])]
    twins = replace(train.positives(), item_features=replace(train.item_features, matrix=matrix))
    scores = fitted(Hybrid, twins, max_epochs=3).score(np.array([5]))[0]
    assert scores[-1] == scores[-2]  # two strangers with the same features
    assert scores[-1] != scores[0]  # their twin has a vector of its own beside them


def test_lightfm_hybrid_without_features_says_what_it_needs():
    from adapters.lightfm import Hybrid

    train, _ = planted_parts()
    with pytest.raises(AdapterError, match="needs user or item features"):
        fitted(Hybrid, replace(train, item_features=None))


def test_lightfm_logistic_negatives_are_never_likes():
    from adapters.lightfm import Logistic

    train, _ = planted_parts()
    rows = next(
        Logistic()._epochs(train.positives(), seed=0)
    ).tocsr()  # a like drawn as a negative would sum to 0
    likes = train.positives().matrix()
    assert (rows.multiply(likes) != likes).nnz == 0
    assert rows.min() <= -1


def test_tfidf_scores_are_summed_cosines_of_words():
    from sklearn.feature_extraction.text import TfidfVectorizer

    from adapters.content import TfIdf

    train, _ = planted_parts()
    words = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b").fit_transform(train.item_features.texts)
    liked = np.unique(train.items[train.users == 3])
    expected = (words @ words[liked].T).sum(axis=1)
    assert np.allclose(fitted(TfIdf, train).score(np.array([3]))[0], np.asarray(expected).ravel(), atol=1e-4)


def test_ease_weights_solve_the_constrained_ridge_regression():
    from adapters.native.ease import Ease

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

    from adapters.torch.neumf import NeuMf

    model = fitted(NeuMf, planted_parts()[0], max_epochs=1)
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
