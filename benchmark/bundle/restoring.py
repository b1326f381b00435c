"""From the arrays of a bundle to the model that scores with them."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

from benchmark.bundle.format import Files
from benchmark.errors import AdapterError, BundleError, MissingLibrary
from benchmark.modelkit.stored_vectors import PREFIX, StoredVectors
from benchmark.protocol import Recommender
from benchmark.registry import Adapter, Registry, install_hint


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
        made = ", ".join(f"{name} {version}" for name, version in files.manifest.origin.libraries.items())
        used = f" (the bundle was made with {made})" if made else ""
        raise MissingLibrary(f"{files.path}: {lacking(adapter, error)}{used}") from error
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
        MissingLibrary: it comes from a package that is not installed; the message names it.
        AdapterError: there is none of that name.
    """
    origin = files.manifest.origin
    if origin.adapter not in registry and origin.package is not None:
        raise MissingLibrary(
            f"{files.path}: the adapter {origin.adapter} comes from the package {origin.package}, which is "
            f"not installed: pip install '{origin.package}'"
        )
    return registry[origin.adapter]


def lacking(adapter: Adapter, error: ImportError) -> str:
    """Return what a model needs that is not here, and what to do.

    A bundle is served from its arrays by our own Python: a model that only its framework can score has none.
    """
    if own := adapter.traits.environment:
        return (
            f"{adapter.name} needs {error.name}, which only the environment {own} has, to score what it has "
            "stored; a bundle serves models whose scores are products of stored arrays: pick another one"
        )
    return f"{adapter.name} needs {error.name}, which is not installed: {install_hint([adapter])}"
