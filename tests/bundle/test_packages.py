"""The packages of a bundle: one that is missing is named with what installs it, another version is told."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bundles_made import made_bundle
from training_logs import fitted

from benchmark import bundle, registry
from benchmark.bundle.format import ModelOrigin
from benchmark.bundle.model_card import made_with
from benchmark.bundle.restoring import other_versions
from benchmark.bundle.verify import verify
from benchmark.errors import MissingLibrary
from benchmark.registry import Registry
from benchmark.runner.hardware import hardware
from benchmark.testing import planted_parts

MODEL = """
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
{top}

@dataclass
class Constant:
    space: ClassVar = {{}}
    requires: ClassVar = ("their_module",)

    def fit_steps(self, train, context) -> Iterator[None]:
        self._scores = np.arange(train.n_items, dtype=np.float32)
        yield

    def score(self, users):
        {score}
        return np.tile(self._scores, (len(users), 1))

    def state(self):
        return {{"scores": self._scores}}

    def restore(self, state) -> None:
        {restore}
        self._scores = state["scores"]
"""
PLACES = ("top", "score", "restore")
"""Where the model may import its library."""


class Site:
    """A folder of packages, as pip would have made it: the model of others, and the library that it wraps."""

    def __init__(self, folder: Path) -> None:
        """Put both there."""
        self.folder = folder
        self.write()
        self.package("their-models", "their_models", "1.2", MODEL, points=True)
        self.package("their-library", "their_module", "2.0+cpu", "")

    def write(self, imported: str = "score") -> None:
        """Write the model, which imports its library at one place."""
        uses = {place: "import their_module" if place == imported else "pass" for place in PLACES}
        (self.folder / "their_models").mkdir(exist_ok=True)
        (self.folder / "their_models" / "__init__.py").write_text(MODEL.format(**uses))
        self.forget()

    def package(self, name: str, module: str, version: str, _: str = "", *, points: bool = False) -> None:
        """Install a package in a version, in place of any other."""
        self.remove(name, module if not points else None)
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "top_level.txt").write_text(f"{module}\n")
        if points:
            (info / "entry_points.txt").write_text(
                "[bench.adapters]\ntheirs/constant = their_models:Constant\n"
            )
        else:
            (self.folder / f"{module}.py").write_text("")
        self.forget()

    def remove(self, name: str, module: str | None = None) -> None:
        """Uninstall a package, and its module."""
        for info in self.folder.glob(f"{name.replace('-', '_')}-*.dist-info"):
            shutil.rmtree(info)
        if module is not None:
            (self.folder / f"{module}.py").unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """Let Python look again."""
        for name in ("their_models", "their_module"):
            sys.modules.pop(name, None)
        shutil.rmtree(self.folder / "__pycache__", ignore_errors=True)
        shutil.rmtree(self.folder / "their_models" / "__pycache__", ignore_errors=True)
        importlib.invalidate_caches()
        registry._declared_owners.cache_clear()
        registry._owners.cache_clear()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    made = Site(folder)
    yield made
    made.forget()


def published() -> Registry:
    return Registry({}, entry_points=True)


@pytest.fixture
def folder(site: Site, tmp_path: Path) -> Path:
    """A bundle of the model of others, made while both packages were installed."""
    adapter, (train, _) = published()["theirs/constant"], planted_parts()
    origin = ModelOrigin(
        adapter=adapter.name,
        library=adapter.library,
        feedback="implicit",
        train_on="train",
        seed=0,
        steps=1,
        package=adapter.code.package,
        libraries=adapter.code.packages,
    )
    return made_bundle(fitted(adapter.cls(), train, steps=1), origin, train, tmp_path / "bundle")


def test_manifest_of_a_run_and_bundle_have_the_packages_as_pip_names_them(folder: Path) -> None:
    adapter = published()["theirs/constant"]
    origin = json.loads((folder / "bundle.json").read_text())["origin"]
    versions = hardware([adapter]).versions

    assert (adapter.code.package, adapter.code.packages) == (
        "their-models==1.2",
        {"their_module": "their-library==2.0+cpu"},
    )
    assert (versions["their-models"], versions["their-library"]) == ("1.2", "2.0+cpu")
    assert (origin["package"], origin["libraries"]) == (adapter.code.package, adapter.code.packages)
    assert "Made with their-models 1.2, their-library 2.0+cpu." in (folder / "README.md").read_text()


def test_bundle_whose_packages_are_all_here_says_nothing(folder: Path) -> None:
    loaded = bundle.load(folder, published())

    assert other_versions(published()["theirs/constant"], loaded.files) == []
    assert [check.name for check in verify(folder, published())] == ["files", "lists", "latency"]


def test_bundle_of_a_package_that_is_gone_names_it_with_its_version(site: Site, folder: Path) -> None:
    site.remove("their-models")
    with pytest.raises(
        MissingLibrary,
        match=r"bundle: the adapter theirs/constant comes from the package their-models==1\.2, which is not "
        r"installed: pip install 'their-models==1\.2'",
    ):
        bundle.load(folder, published())


@pytest.mark.parametrize("place", PLACES)
def test_bundle_whose_library_is_gone_names_it_wherever_the_model_imports_it(
    site: Site, folder: Path, place: str
) -> None:
    site.write(imported=place)
    site.remove("their-library", "their_module")
    with pytest.raises(
        MissingLibrary,
        match=r"bundle: theirs/constant needs their-library 2\.0\+cpu, which is not installed: "
        r"pip install 'their-library==2\.0'$",
    ):
        bundle.load(folder, published())


def other_library(site: Site) -> str:
    site.package("their-library", "their_module", "3.1")
    return "their-library 2.0+cpu in the run, 3.1 here"


def library_of_another_name(site: Site) -> str:
    site.remove("their-library", "their_module")
    site.package("their-fork", "their_module", "2.0")
    return "their-library 2.0+cpu in the run, their-fork 2.0 here"


def other_package(site: Site) -> str:
    site.package("their-models", "their_models", "1.3", points=True)
    return "their-models 1.2 in the run, 1.3 here"


@pytest.mark.parametrize("change", [other_library, library_of_another_name, other_package])
def test_bundle_of_another_version_is_loaded_and_the_difference_is_told(
    site: Site, folder: Path, change: Callable[[Site], str]
) -> None:
    expected = change(site)
    loaded, adapters = bundle.load(folder, published()), published()
    checks = {check.name: check for check in verify(folder, adapters)}

    assert other_versions(adapters["theirs/constant"], loaded.files) == [expected]
    assert checks["packages"].ok
    assert checks["packages"].detail == expected


def test_library_that_serves_nothing_is_not_missed_and_its_version_does_not_matter(
    site: Site, folder: Path
) -> None:
    site.write(imported="nowhere")
    site.package("their-library", "their_module", "3.1")
    loaded = bundle.load(folder, published())
    assert other_versions(published()["theirs/constant"], loaded.files) == []
    site.remove("their-library", "their_module")

    assert bundle.load(folder, published()).recommend([100], k=2)[0].items


def test_what_an_environment_holds_is_in_the_card_and_is_not_compared_here(site: Site, folder: Path) -> None:
    from benchmark.provenance import EnvironmentRecord

    site.package("their-library", "their_module", "3.1")
    loaded = bundle.load(folder, published())
    own = EnvironmentRecord(name="theirs", sha256="0" * 64, python="3.12.1")
    manifest = loaded.files.manifest
    inside = replace(manifest, origin=replace(manifest.origin, environment=own))

    assert other_versions(published()["theirs/constant"], replace(loaded.files, manifest=inside)) == []
    assert list(made_with(inside.origin)) == ["Made with their-models 1.2, their-library 2.0+cpu."]
