"""Adapter names to adapter classes, and what each class says of itself. Imports no framework."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.errors import AdapterError, did_you_mean
from benchmark.protocol import Hyperparameter, Traits, traits

ENTRY_POINTS = "bench.adapters"
HEAVY_SIBLINGS = ("networks", "training")
"""Modules beside an adapter that hold its framework code: imported before trials are forked."""


@dataclass(frozen=True)
class Adapter:
    """One adapter by name: its class, traits, defaults, source hash and installed libraries."""

    name: str
    target: str

    @property
    def library(self) -> str:
        """The part of the name before the slash; also the extra that installs it."""
        return self.name.split("/")[0]

    @cached_property
    def cls(self) -> type:
        """The adapter class.

        Raises:
            AdapterError: the module cannot be imported or has no such class.
        """
        found = load(self.target)
        if not isinstance(found, type):
            raise AdapterError(f"{self.target}: is {found!r}, an adapter must be a class")
        return found

    @cached_property
    def traits(self) -> Traits:
        """What the class says about itself."""
        return traits(self.cls)

    @property
    def defaults(self) -> dict[str, Hyperparameter]:
        """The default configuration: every field of the dataclass."""
        return {field.name: field.default for field in fields(self.cls) if field.default is not MISSING}

    @property
    def missing(self) -> list[str]:
        """Libraries that it needs and that are not installed."""
        return [name for name in self.traits.requires if importlib.util.find_spec(name) is None]

    @property
    def preload(self) -> list[str]:
        """Modules to import before trials are forked: its libraries and its heavy siblings."""
        package = self.cls.__module__.rpartition(".")[0]
        heavy = [f"{package}.{name}" for name in HEAVY_SIBLINGS if (self._folder / f"{name}.py").exists()]
        return [self.cls.__module__, *self.traits.requires, *heavy]

    @property
    def versions(self) -> dict[str, str]:
        """Version of each library it wraps."""
        return {name: _version(name) for name in self.traits.requires}

    @cached_property
    def source_hash(self) -> str:
        """SHA-256 of its module and heavy siblings: another text is another adapter."""
        digest = hashlib.sha256()
        for path in [self._file, *(self._folder / f"{name}.py" for name in HEAVY_SIBLINGS)]:
            if path.exists():
                digest.update(path.read_bytes())
        return digest.hexdigest()

    @property
    def _file(self) -> Path:
        return Path(inspect.getfile(self.cls))

    @property
    def _folder(self) -> Path:
        return self._file.parent


class Registry(Mapping[str, Adapter]):
    """Adapters by name: ours, and those that installed packages publish as entry points."""

    def __init__(self, targets: Mapping[str, str], *, entry_points: bool = False) -> None:
        """Take names and "module:Class" strings; nothing is imported until a class is needed."""
        found = {point.name: point.value for point in _published()} if entry_points else {}
        self._adapters = {name: Adapter(name, target) for name, target in (found | dict(targets)).items()}

    def __getitem__(self, name: str) -> Adapter:
        """Return the adapter called ``name``.

        Raises:
            AdapterError: there is none; the message names the nearest.
        """
        if name not in self._adapters:
            raise AdapterError(f"no adapter is called {name!r}{did_you_mean(name, self._adapters)}")
        return self._adapters[name]

    def __contains__(self, name: object) -> bool:
        return name in self._adapters

    def __iter__(self) -> Any:
        return iter(self._adapters)

    def __len__(self) -> int:
        return len(self._adapters)


def load(target: str) -> Any:
    """Import what "module:name" points to.

    Raises:
        AdapterError: the module or the name does not exist.
    """
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise AdapterError(f"{target}: cannot be imported ({error})") from error


def install_hint(adapters: list[Adapter]) -> str:
    """Return the pip command that installs what these adapters lack."""
    extras = ",".join(sorted({adapter.library for adapter in adapters}))
    return f"pip install 'recsys-bench[{extras}]'"


def _published() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=ENTRY_POINTS))


def _version(module: str) -> str:
    owners = importlib.metadata.packages_distributions().get(module, [])
    return importlib.metadata.version(owners[0]) if owners else "unknown"
