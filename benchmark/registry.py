"""Adapter names to adapter classes, and what each class says of itself. Imports no framework."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from benchmark.errors import AdapterError, did_you_mean
from benchmark.protocol import Hyperparameter, Traits, traits

ENTRY_POINTS = "bench.adapters"

OPTIONAL = frozenset({"deepctr"})
"""Extras that ``all`` leaves out."""
EXTRAS = frozenset({"surprise", "lightfm", "keras", "torch", "content"}) | OPTIONAL
"""Extras of this distribution: the first part of an adapter's name is the one that installs what it needs."""


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
        tops = dict.fromkeys(name.partition(".")[0] for name in self.traits.requires)
        return [name for name in tops if importlib.util.find_spec(name) is None]

    @property
    def preload(self) -> list[str]:
        """Modules to import before trials are forked: its libraries, and all of its package that it uses.

        And what ``Interactions.matrix`` makes its result of.
        """
        own = self.cls.__module__
        return [own, "scipy.sparse", *self.traits.requires, *(name for name in self._modules if name != own)]

    @cached_property
    def versions(self) -> dict[str, str]:
        """Version of each library it wraps."""
        return {name: _version(name) for name in self.traits.requires}

    @cached_property
    def source_hash(self) -> str:
        """SHA-256 of its module and all of its package that it uses: another text is another adapter."""
        digest = hashlib.sha256()
        for path in self._modules.values():
            digest.update(path.read_bytes())
        return digest.hexdigest()

    @cached_property
    def _modules(self) -> dict[str, Path]:
        """The file of its module, and of each module of the same package that it imports, at any depth."""
        found: dict[str, Path] = {}
        waiting = {self.cls.__module__: Path(inspect.getfile(self.cls))}
        while waiting:
            name, path = waiting.popitem()
            found[name] = path
            waiting |= {other: at for other, at in _imports(name, path).items() if other not in found}
        return dict(sorted(found.items()))


def _imports(module: str, path: Path) -> dict[str, Path]:
    """Return the modules of the same top-level package that a file imports anywhere, and their files."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    top = module.partition(".")[0]
    root = path.parents[package.count(".") + 1] if package else path.parent
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            named |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    own = [name for name in named if name.startswith(f"{top}.")]
    places = {name: root.joinpath(*name.split(".")) for name in own}
    files = {name: (at.with_suffix(".py"), at / "__init__.py") for name, at in places.items()}
    return {
        name: next(at for at in two if at.is_file())
        for name, two in files.items()
        if any(map(Path.is_file, two))
    }


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


def install_hint(adapters: Sequence[Adapter]) -> str:
    """Return the pip command that installs what these adapters lack: our extras, or modules by name."""
    others = {name for adapter in adapters if adapter.library not in EXTRAS for name in adapter.missing}
    extras = ({adapter.library for adapter in adapters} | others) & EXTRAS  # native/ease needs torch
    ours = [f"'recsys-bench[{','.join(sorted(extras))}]'"] if extras else []
    return " ".join(["pip install", *ours, *sorted(others - EXTRAS)])


def _published() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=ENTRY_POINTS))


def _version(module: str) -> str:
    owners = _owners().get(module.partition(".")[0], [])
    return importlib.metadata.version(owners[0]) if owners else "unknown"


@cache
def _owners() -> Mapping[str, list[str]]:
    """Return the distributions that own each top-level module; read once, it takes a second."""
    return importlib.metadata.packages_distributions()
