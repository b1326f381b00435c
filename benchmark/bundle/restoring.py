"""From the arrays of a bundle to the model that scores with them."""

from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import fields
from typing import cast

from benchmark.bundle.format import Files
from benchmark.errors import AdapterError, BundleError, MissingLibrary
from benchmark.modelkit.stored_vectors import PREFIX, StoredVectors
from benchmark.protocol import Recommender
from benchmark.registry import Adapter, Registry, install_hint, requirement


def restore(adapter: Adapter, files: Files) -> Recommender:
    """Return the adapter as it was trained, or the vectors that its scores are products of.

    Raises:
        BundleError: it has other hyperparameters, or the state is not one of its own.
        MissingLibrary: it needs a library that is not installed.
    """
    params = files.manifest.params
    if bad := sorted(params.keys() - {field.name for field in fields(adapter.cls)}):
        raise BundleError(
            f"{files.path}: {adapter.name} has no hyperparameters {bad}; export the bundle again"
        )
    state = files.arrays("model.safetensors")
    model: Recommender = adapter.cls(**params)
    try:
        if f"{PREFIX}users" in state:
            return cast("Recommender", StoredVectors(state))  # it scores, and nothing else is asked of it
        if hasattr(model, "restore"):
            model.restore(state)
            return model
    except ImportError as error:
        raise MissingLibrary(f"{files.path}: {lacking(adapter, files, error)}") from error
    except Exception as error:
        what = str(error) if isinstance(error, AdapterError) else f"{type(error).__name__}: {error}"
        raise BundleError(
            f"{files.path / 'model.safetensors'}: not a state of {adapter.name} ({what}); export the bundle "
            "again, with the version of bench that is installed"
        ) from error
    raise BundleError(f"{files.path}: {adapter.name} cannot restore a stored state")


def installed(registry: Registry, files: Files) -> Adapter:
    """Return the adapter of a bundle.

    Raises:
        MissingLibrary: it comes from a package that is not installed, or whose module imports a library that
            is not; the message names it.
        AdapterError: there is none of that name.
    """
    origin = files.manifest.origin
    if origin.adapter not in registry and origin.package is not None:
        raise MissingLibrary(
            f"{files.path}: the adapter {origin.adapter} comes from the package {origin.package}, which is "
            f"not installed: pip install '{requirement(origin.package)}'"
        )
    adapter = registry[origin.adapter]
    try:
        adapter.cls  # noqa: B018 - the first look at it imports its module
    except AdapterError as error:
        if isinstance(error.__cause__, ImportError) and (missing := origin.missing(error.__cause__)):
            raise MissingLibrary(f"{files.path}: {adapter.name} {missing}") from error
        raise
    return adapter


def other_versions(adapter: Adapter, files: Files) -> list[str]:
    """Return the packages that are installed in another version than the bundle was made with.

    A library that nothing has imported by now serves nothing, so its version does not matter; nor does what
    an environment holds.
    """
    origin, found = files.manifest.origin, []
    if origin.package is not None and adapter.pin != origin.package:
        here = adapter.pin or f"an adapter of that name from {adapter.target.partition(':')[0]}"
        found.append(differing(origin.package, here))
    for module, pin in () if origin.environment else origin.libraries.items():
        if module.partition(".")[0] in sys.modules and (here := installed_pin(adapter, module, pin)) != pin:
            found.append(differing(pin, here))
    return list(dict.fromkeys(found))


def installed_pin(adapter: Adapter, module: str, pin: str) -> str:
    """Return the distribution that a module of the adapter is part of here: first looked for by its name."""
    name = pin.partition("==")[0]
    try:
        return f"{name}=={importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:  # as with tensorflow in the place of tensorflow-cpu
        return adapter.packages.get(module, "an unknown version")


def differing(pin: str, here: str) -> str:
    """Return how what is installed differs from what a bundle was made with.

    >>> differing("scikit-surprise==1.1.5", "scikit-surprise==1.1.4")
    'scikit-surprise 1.1.5 in the run, 1.1.4 here'
    >>> differing("tensorflow-cpu==2.21.0", "tensorflow==2.21.0")
    'tensorflow-cpu 2.21.0 in the run, tensorflow 2.21.0 here'
    """
    name = pin.partition("==")[0]
    return f"{pin.replace('==', ' ')} in the run, {here.removeprefix(f'{name}==').replace('==', ' ')} here"


def lacking(adapter: Adapter, files: Files, error: ImportError) -> str:
    """Return what a model needs that is not here, and what to do.

    A bundle is served from its arrays by our own Python: a model that only its framework can score has none.
    """
    if own := adapter.traits.environment:
        return (
            f"{adapter.name} needs {error.name}, which only the environment {own} has, to score what it has "
            "stored; a bundle serves models whose scores are products of stored arrays: pick another one"
        )
    missing = f"needs {error.name}, which is not installed: {install_hint([adapter])}"
    return f"{adapter.name} {files.manifest.origin.missing(error) or missing}"
