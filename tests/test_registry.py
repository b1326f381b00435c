"""The registry: names to classes, what each needs, and what makes it another adapter."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters import ADAPTERS, RENAMED
from benchmark import registry
from benchmark.errors import AdapterError
from benchmark.registry import Adapter, Registry, install_hint, load, requirement

OURS = Registry(ADAPTERS, renamed=RENAMED)
LIGHT = """
class Model:
    space = {}
    requires = ("no_such_library_anywhere", "json")
    def fit_steps(self, train, context):
        from outside_package.networks import WIDTH
        yield
    def score(self, users): ...
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody else's, with an adapter and its network."""
    folder = tmp_path / "outside_package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "light.py").write_text(LIGHT)
    (folder / "networks.py").write_text("from . import layers\nWIDTH = 1\n")
    (folder / "layers.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("outside_package")]:
        del sys.modules[name]


def outside_adapter() -> Adapter:
    return Adapter("outside/model", "outside_package.light:Model")


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        AdapterError, match="no adapter is called 'lightfm/wrap'; did you mean 'lightfm/warp'"
    ):
        OURS["lightfm/wrap"]


@pytest.mark.parametrize(("former", "present"), RENAMED.items())
def test_former_name_is_refused_with_the_present_one(former: str, present: str) -> None:
    with pytest.raises(AdapterError, match=f"no adapter is called '{former}'; did you mean '{present}'"):
        OURS[former]


def test_every_renamed_adapter_is_there_and_its_former_name_is_not() -> None:
    assert set(RENAMED.values()) <= set(ADAPTERS)
    assert not set(RENAMED) & set(ADAPTERS)


def test_an_adapter_is_found_in_any_case_under_its_name_as_published() -> None:
    assert OURS["Native/EASE"].name == "native/ease"
    assert "NATIVE/ease" in OURS
    assert OURS.hint("Torch/SLIM") == "; did you mean 'native/slim'?"


def test_two_adapters_that_differ_by_case_alone_are_refused_by_both_names() -> None:
    both = Registry({"acme/svd": "a:B", "acme/SVD": "c:D", "acme/other": "e:F"})
    for name in ("acme/svd", "acme/SVD"):
        with pytest.raises(AdapterError, match="acme/svd and acme/SVD differ by case alone"):
            both[name]
    assert both["acme/OTHER"].name == "acme/other"


def test_hint_stays_within_the_names_that_are_possible() -> None:
    assert OURS.hint("torch/slim", ["torch/sasrec", "native/slim"]) == "; did you mean 'native/slim'?"
    assert OURS.hint("torch/slim", ["torch/fm", "surprise/svd"]) == "; did you mean 'torch/fm'?"
    assert OURS.hint("torch/slim", ["zzz"]) == ""


def test_every_adapter_says_what_it_is_without_its_library() -> None:
    frameworks = {"torch", "tensorflow", "keras", "surprise", "lightfm"}
    before = {name for name in frameworks if name in sys.modules}
    for name, adapter in OURS.items():
        assert name.startswith(f"{adapter.library}/")
        assert set(adapter.traits.space) <= set(adapter.defaults)
    assert {name for name in frameworks if name in sys.modules} == before


def test_published_adapter_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("theirs/model", "fakes:Steady", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "_published", lambda: [point])
    assert Registry({}, entry_points=True)["theirs/model"].traits.space.keys() == {"bend"}
    assert "theirs/model" not in Registry({})


def test_published_adapter_names_the_package_that_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    point = SimpleNamespace(name="theirs/model", value="fakes:Steady", dist=SimpleNamespace(name="numpy"))
    monkeypatch.setattr(registry, "_published", lambda: [point])
    found = Registry(ADAPTERS, entry_points=True)

    assert found["theirs/model"].code.package == f"numpy=={importlib.metadata.version('numpy')}"
    assert found["native/ease"].code.package is None


def test_library_is_named_by_its_distribution_as_pip_installs_it() -> None:
    packages = OURS["surprise/svd"].code.packages

    assert packages == {"surprise": f"scikit-surprise=={importlib.metadata.version('scikit-surprise')}"}
    assert requirement("torch==2.13.0+cpu") == "torch==2.13.0"


def test_published_adapter_cannot_take_the_name_of_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("native/ease", "fakes:Steady", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "_published", lambda: [point])
    assert Registry(ADAPTERS, entry_points=True)["native/ease"].target == ADAPTERS["native/ease"]


def test_library_that_is_not_installed_is_missing_and_named_with_its_extra(outside: Path) -> None:
    assert outside_adapter().missing == ["no_such_library_anywhere"]
    both = [outside_adapter(), OURS["torch/mf"]]
    assert install_hint(both) == "pip install 'recsys-bench[torch]' no_such_library_anywhere"


def test_module_inside_a_library_that_is_not_installed_is_missing_too(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = outside_adapter()
    monkeypatch.setattr(
        adapter.cls, "requires", ("no_such_library_anywhere.text", "sklearn.feature_extraction")
    )
    assert adapter.missing == ["no_such_library_anywhere"]
    assert adapter.versions["sklearn.feature_extraction"] == importlib.metadata.version("scikit-learn")


@pytest.mark.parametrize("changed", ["light.py", "networks.py", "layers.py"])
def test_source_hash_changes_with_the_adapter_and_with_whatever_it_imports_of_its_package(
    outside: Path, changed: str
) -> None:
    before = outside_adapter().source_hash
    assert outside_adapter().source_hash == before
    with (outside / changed).open("a") as file:
        file.write("# another text\n")
    assert outside_adapter().source_hash != before


def test_source_hash_does_not_change_with_another_file_beside_it(outside: Path) -> None:
    before = outside_adapter().source_hash
    (outside / "unrelated.py").write_text("x = 1\n")
    assert outside_adapter().source_hash == before


def test_source_hash_changes_with_what_adapters_share(
    outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = tmp_path / "kit"
    kit.mkdir()
    (kit / "__init__.py").touch()
    (kit / "negatives.py").write_text("from kit import deeper\n")
    (kit / "deeper.py").touch()
    (outside / "layers.py").write_text("from kit.negatives import draw\nimport json\n")
    alone = outside_adapter().source_hash
    monkeypatch.setattr(registry, "SHARED", ("kit",))
    before = outside_adapter().source_hash
    (kit / "deeper.py").write_text("# another text\n")
    assert len({alone, before, outside_adapter().source_hash}) == 3
    assert {"kit.negatives", "kit.deeper"} <= set(outside_adapter().preload)
    assert "json" not in outside_adapter().modules


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("native/slim", "benchmark.modelkit.item_to_item"),
        ("native/slim", "benchmark.modelkit.sparse_state"),
        ("native/user-knn", "benchmark.modelkit.weighting"),
        ("torch/lightgcn", "benchmark.modelkit.dot_product"),
        ("torch/neumf", "benchmark.modelkit.negative_sampling"),
        ("torch/sasrec", "adapters.torch.base"),
        ("keras/gru", "adapters.keras.base"),
    ],
)
def test_shared_code_is_part_of_an_adapter_and_imported_before_trials_are_forked(
    name: str, module: str
) -> None:
    assert module in OURS[name].modules
    assert module in OURS[name].preload


def test_engine_apart_from_what_adapters_share_is_no_part_of_an_adapter() -> None:
    engine = {name for adapter in OURS.values() for name in adapter.modules if name.startswith("benchmark")}
    assert {name.rpartition(".")[0] for name in engine} == {"benchmark.modelkit"}


def test_network_is_imported_before_trials_are_forked(outside: Path) -> None:
    assert "outside_package.networks" in outside_adapter().preload


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("native/bpr", "adapters.native.kernels.bpr"),
        ("native/slim", "adapters.native.kernels.slim"),
        ("native/item-knn", "adapters.native.kernels.similarity"),
        ("native/user-knn", "adapters.native.kernels.similarity"),
        ("native/rp3beta", "adapters.native.kernels.similarity"),
        ("surprise/knn-basic", "adapters.surprise.training"),
    ],
)
def test_compiled_code_is_loaded_before_trials_are_forked(name: str, module: str) -> None:
    assert module in OURS[name].preload


@pytest.mark.parametrize("target", ["no_such_module:X", "fakes:NoSuchClass", "fakes"])
def test_target_that_cannot_be_imported_is_refused(target: str) -> None:
    with pytest.raises(AdapterError, match=f"{target}: cannot be imported"):
        load(target)


def test_target_that_is_no_class_is_refused() -> None:
    with pytest.raises(AdapterError, match="an adapter must be a class"):
        _ = Adapter("fake/number", "fakes:PLANTED_USER").traits
