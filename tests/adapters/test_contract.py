"""The contract, for all adapters that ship."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from adapters import ADAPTERS, ENVIRONMENTS
from benchmark.testing import AdapterContract
from benchmark.testing.serving_contract import ServingContract
from benchmark.testing.subject import Subject, fitted

FRAMEWORKS = {"torch", "tensorflow", "keras", "surprise", "lightfm", "sklearn", "deepctr"}
SMALL = {
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
"""What differs from the defaults where they learn too slowly on a log of 3,000 rows, or take seconds."""
TRACED = {name for name in ADAPTERS if name.startswith(("keras/", "deepctr/"))} - {"keras/mlp"}
"""A fit of Keras traces a graph for seconds: one model stands for the others in the fast suite."""
OURS = [name for name in ADAPTERS if name.partition("/")[0] not in ENVIRONMENTS]
"""What runs in our own Python; ``test_recbole.py`` and ``test_libraries.py`` have the other contracts."""


def load(name: str) -> type:
    module, _, cls = ADAPTERS[name].partition(":")
    return getattr(import_module(module), cls)


NEIGHBOURS = [name for name in ADAPTERS if name.startswith("surprise/knn-")]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in TRACED else ()) for name in OURS],
)
class TestAdapter(AdapterContract):
    @pytest.fixture(autouse=True)
    def _subject(self, name):
        self.adapter, self.config = load(name), SMALL.get(name, {})
        if name.startswith("deepctr/") and find_spec("deepctr") is None:
            pytest.skip("deepctr is not installed")
        self.learns = name not in {"baselines/random", "surprise/normal"}
        self.from_history = name != "torch/caser"  # which has a vector of each user


@pytest.mark.parametrize("name", NEIGHBOURS)
class TestItemNeighbours(ServingContract):
    """Compared by items, not users: then they can say why, and which items are alike."""

    steps = 1

    @pytest.fixture(autouse=True)
    def _subject(self, name):
        self.adapter = load(name)

    @property
    def subject(self):
        return Subject(self.adapter, (("user_based", False),))

    def _trained(self):
        return fitted(self.subject, self.steps)

    def test_they_do_not_refuse(self):
        model, _ = self._trained()
        assert len(model.explain(0, np.array([1, 2], dtype=np.int32)).history)
        assert model.similar_items(3).any()


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
