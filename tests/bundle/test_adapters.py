"""Every adapter, exported and loaded in a fresh process: the same scores, and no framework without need."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from exported_models import exported
from repository import ROOT

from adapters import ADAPTERS, ENVIRONMENTS
from adapters.deepctr.base import ClickModel
from adapters.keras.base import KerasModel
from adapters.torch.base import TorchModel
from benchmark import bundle
from benchmark.errors import BundleError
from benchmark.registry import Registry
from benchmark.testing import planted_parts

FRAMEWORKS = {"torch", "tensorflow", "keras", "surprise", "lightfm", "sklearn", "pandas", "deepctr"}
SERVED_BY = {
    TorchModel: {"torch"},
    KerasModel: {"tensorflow", "keras"},
    ClickModel: {"tensorflow", "keras", "deepctr"},
}
"""Models that their own network serves; numpy alone serves all others."""
BROUGHT = {"pandas", "sklearn"}
"""What TensorFlow imports by itself where it is installed."""
REGISTRY = Registry(ADAPTERS)
OURS = [name for name in ADAPTERS if name.partition("/")[0] not in ENVIRONMENTS]
"""What is fitted in our own Python."""
QUICK = {
    *("baselines/random", "surprise/svd", "surprise/knn-means", "lightfm/hybrid", "content/tfidf"),
    *("native/ease", "native/ials", "native/item-knn", "native/bpr"),
}
"""One of each way to serve; the others, and whoever must start a framework twice, are for the slow suite."""

CHILD = f"""
import sys
from pathlib import Path
import numpy as np
from benchmark import load
bundle = load(sys.argv[1])
users = np.arange(len(bundle.user_ids), dtype=np.int32)
np.save(Path(sys.argv[2]), bundle.scores(users))
print(*({FRAMEWORKS!r} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in OURS]
)
def test_bundle_of_each_adapter_scores_the_same_in_a_fresh_process(name, tmp_path):
    if name.startswith("deepctr/") and REGISTRY[name].missing:
        pytest.skip("deepctr is not installed")
    model, folder = exported(name, tmp_path / "bundle")
    scores = tmp_path / "scores.npy"
    program = [sys.executable, "-c", CHILD, str(folder), str(scores)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    users, known = np.arange(planted_parts()[0].n_users, dtype=np.int32), bundle.load(folder, REGISTRY)
    expected = known.cold.fill(users, model.score(users))
    np.testing.assert_allclose(np.load(scores), expected, rtol=1e-5, atol=1e-5)
    bases = REGISTRY[name].cls.__mro__
    needed = next((frameworks for base, frameworks in SERVED_BY.items() if base in bases), set())
    assert set(done.stdout.split()) - (BROUGHT if "tensorflow" in needed else set()) == needed


def test_bundle_of_ease_folds_a_new_history_in_as_if_it_had_been_trained_with(tmp_path):
    model, folder = exported("native/ease", tmp_path / "bundle")
    loaded, (train, _) = bundle.load(folder, REGISTRY), planted_parts()
    user = int(train.users[0])
    history = [f"item {item}" for item in np.unique(train.positives().items[train.positives().users == user])]
    found = loaded.recommend_new(history, k=5)
    known = model.score(np.array([user], dtype=np.int32))[0]
    assert found.source == "history"
    assert [item.score for item in found.items] == pytest.approx(
        [float(known[int(item.id.split()[1])]) for item in found.items], abs=1e-6
    )
    assert not {item.id for item in found.items} & set(history)


def test_bundle_of_ease_with_histories_out_of_bounds_is_refused(tmp_path):
    from safetensors.numpy import load, save

    from benchmark.bundle.format import write_sums

    _, folder = exported("native/ease", tmp_path / "bundle")
    state = load((folder / "model.safetensors").read_bytes())
    (folder / "model.safetensors").write_bytes(save(state | {"items": state["items"] + 10**6}))
    write_sums(folder)
    with pytest.raises(BundleError, match="not a state of native/ease"):
        bundle.load(folder, REGISTRY)
