"""Models of Cornac, implicit, LensKit and RecTools: what is served without them; the rest in environments."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from environment_contract import skip_unless_made

from adapters import ADAPTERS, ENVIRONMENTS, cornac, lenskit
from benchmark.protocol import Hyperparameter
from benchmark.registry import load
from benchmark.testing import AdapterContract, planted_parts
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
    np.testing.assert_allclose(model.score(users), values, rtol=1e-5, atol=1e-6)  # of logits near 0
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


SMALL: dict[str, dict[str, Hyperparameter]] = {
    "implicit/als": {"dim": 8, "l2": 3.0, "alpha": 5.0},
    "implicit/bpr": {"lr": 0.05},
    "cornac/bpr": {"lr": 0.05},
    "cornac/vaecf": {"batch_size": 16},
    "lenskit/flexmf": {"batch_size": 128},
    "rectools/sasrec": {"dim": 32, "batch_size": 32, "history": 20},
    "rectools/bert4rec": {"dim": 32, "batch_size": 32, "history": 20},
}
"""What differs from the defaults where they learn too little of a log of 3,000 rows."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
class TestInItsEnvironment(AdapterContract):
    lock_files: ClassVar = ENVIRONMENTS

    @pytest.fixture(autouse=True)
    def _subject(self, name: str) -> None:
        self.adapter, self.config = load(ADAPTERS[name]), SMALL.get(name, {})  # type: ignore[misc]
        skip_unless_made(traits(self.adapter).environment)
