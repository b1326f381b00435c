"""Models of Cornac, implicit, LensKit and RecTools: what is served without them; the rest in environments."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from environment_contract import InItsEnvironment

from adapters import ADAPTERS, cornac, implicit, lenskit, rectools
from benchmark.protocol import Hyperparameter
from benchmark.registry import load
from benchmark.testing import planted_parts
from benchmark.traits import traits

LIBRARIES = ("cornac", "implicit", "lenskit", "rectools")
NAMES = [name for name in ADAPTERS if name.partition("/")[0] in LIBRARIES]


@pytest.mark.parametrize("name", NAMES)
def test_every_default_lies_in_its_space_and_every_model_names_its_environment(name: str) -> None:
    cls = load(ADAPTERS[name])
    own = traits(cls)
    assert own.environment == name.partition("/")[0]
    assert all(getattr(cls(), field) in domain for field, domain in own.space.items())


def test_autoencoder_scores_as_its_layers_say_and_comes_back_without_cornac() -> None:
    train, _ = planted_parts()
    rng, hidden, dim = np.random.default_rng(3), 5, 2
    sizes = {
        "encoder.fc0": (hidden, train.n_items),
        "enc_mu": (dim, hidden),
        "decoder.fc0": (hidden, dim),
        "decoder.fc1": (train.n_items, hidden),
    }
    model, again = cornac.Vaecf(), cornac.Vaecf()
    model._history = train.matrix()
    model._weights = {}
    for name, size in sizes.items():
        model._weights[f"{name}.weight"] = rng.normal(size=size).astype(np.float32)
        model._weights[f"{name}.bias"] = rng.normal(size=size[0]).astype(np.float32)
    users = np.array([3, 7], dtype=np.int32)
    values = train.matrix()[users].toarray()
    for name in sizes:
        values = values @ model._weights[f"{name}.weight"].T + model._weights[f"{name}.bias"]
        if name in ("encoder.fc0", "decoder.fc0"):
            values = np.tanh(values)
    np.testing.assert_allclose(model.score(users), values, rtol=1e-5)
    again.restore(model.state())
    np.testing.assert_array_equal(again.score(users), model.score(users))


class Biases:
    """What LensKit's model keeps of a fit."""

    global_bias = 3.5
    item_biases = np.array([0.5, -0.5], dtype=np.float32)
    user_biases = np.array([1.0], dtype=np.float32)


class Scorer:
    """A model of LensKit after a fit."""

    bias = Biases
    user_embeddings = np.array([[1.0, 2.0]], dtype=np.float32)
    item_embeddings = np.array([[0.5, 0.0], [0.0, -1.0]], dtype=np.float32)


def test_biased_factors_rate_as_lenskit_does_and_come_back_without_it() -> None:
    model, again = lenskit.BiasedMf(), lenskit.BiasedMf()
    model._scale = np.array([1.0, 5.0])
    model.keep(Scorer)
    again.restore(model.state())
    pairs = np.array([0, 0], dtype=np.int32), np.array([0, 1], dtype=np.int32)
    for one in (model, again):
        assert one.rate(*pairs).tolist() == [5.0, 2.0]  # 3.5 + 1 + .5 + .5 is clipped; 3.5 + 1 - .5 - 2


@pytest.mark.slow
class TestImplicitAls(InItsEnvironment):
    adapter = implicit.Als
    config: ClassVar[dict[str, Hyperparameter]] = {"dim": 8, "l2": 3.0, "alpha": 5.0}


@pytest.mark.slow
class TestImplicitBpr(InItsEnvironment):
    adapter = implicit.Bpr
    config: ClassVar[dict[str, Hyperparameter]] = {"lr": 0.05}


@pytest.mark.slow
class TestImplicitLmf(InItsEnvironment):
    adapter = implicit.Lmf


@pytest.mark.slow
class TestImplicitItemKnn(InItsEnvironment):
    adapter = implicit.ItemKnn


@pytest.mark.slow
class TestCornacBpr(InItsEnvironment):
    adapter = cornac.Bpr
    config: ClassVar[dict[str, Hyperparameter]] = {"lr": 0.05}


@pytest.mark.slow
class TestCornacEase(InItsEnvironment):
    adapter = cornac.Ease


@pytest.mark.slow
class TestCornacVaecf(InItsEnvironment):
    adapter = cornac.Vaecf
    config: ClassVar[dict[str, Hyperparameter]] = {"batch_size": 16}


@pytest.mark.slow
class TestCornacItemKnn(InItsEnvironment):
    adapter = cornac.ItemKnn


@pytest.mark.slow
class TestLensKitImplicitMf(InItsEnvironment):
    adapter = lenskit.ImplicitMf


@pytest.mark.slow
class TestLensKitBiasedMf(InItsEnvironment):
    adapter = lenskit.BiasedMf


@pytest.mark.slow
class TestLensKitFlexMf(InItsEnvironment):
    adapter = lenskit.FlexMf
    config: ClassVar[dict[str, Hyperparameter]] = {"batch_size": 128}


@pytest.mark.slow
class TestLensKitItemKnn(InItsEnvironment):
    adapter = lenskit.ItemKnn


@pytest.mark.slow
class TestRecToolsEase(InItsEnvironment):
    adapter = rectools.Ease


@pytest.mark.slow
class TestRecToolsItemKnn(InItsEnvironment):
    adapter = rectools.ItemKnn


@pytest.mark.slow
class TestRecToolsPureSvd(InItsEnvironment):
    adapter = rectools.PureSvd


@pytest.mark.slow
class TestRecToolsSasRec(InItsEnvironment):
    adapter = rectools.SasRec
    config: ClassVar[dict[str, Hyperparameter]] = {"dim": 32, "batch_size": 32, "history": 20}


@pytest.mark.slow
class TestRecToolsBert4Rec(InItsEnvironment):
    adapter = rectools.Bert4Rec
    config: ClassVar[dict[str, Hyperparameter]] = {"dim": 32, "batch_size": 32, "history": 20}
