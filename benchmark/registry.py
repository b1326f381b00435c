"""Adapter names to adapter classes, and what each class says of itself. Imports no framework."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import AdapterError, did_you_mean
from benchmark.protocol import Hyperparameter

if TYPE_CHECKING:
    from benchmark.environments import Environment, Environments
    from benchmark.environments.inside import InsidePython
    from benchmark.records import AdapterCode, EnvironmentRecord
    from benchmark.traits import Traits

ENTRY_POINTS = "bench.adapters"

OPTIONAL = frozenset({"deepctr"})
"""Extras that ``all`` leaves out."""
EXTRAS = frozenset({"surprise", "lightfm", "keras", "torch", "content"}) | OPTIONAL
"""Extras of this distribution: the first part of an adapter's name is the one that installs what it needs."""
SHARED = ("adapters", "benchmark.modelkit")
"""Packages whose code is part of every adapter that imports it, wherever the adapter itself comes from."""


@dataclass(frozen=True)
class Adapter:
    """One adapter by name: its class, traits, defaults, source hash and installed libraries.

    Attributes:
        name: library/name.
        target: "module:Class".
        environments: where its environment is found, if it has one.
        package: the distribution of others that publishes it; None for our own.
    """

    name: str
    target: str
    environments: Environments | None = field(default=None, compare=False, repr=False)
    package: str | None = None

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
        from benchmark.traits import traits  # not at import: serving a bundle asks for none

        with faults_named(self.target):
            return traits(self.cls)

    @property
    def defaults(self) -> dict[str, Hyperparameter]:
        """The default configuration: every field of the dataclass."""
        from benchmark.traits import hyperparameters

        with faults_named(self.target):
            return hyperparameters(self.cls)

    @cached_property
    def fault(self) -> str:
        """Why it can be neither shown nor run: its module or class is broken; "" if it is whole."""
        try:
            _ = self.traits, self.defaults, self.missing
        except AdapterError as error:
            return str(error)
        return ""

    @property
    def environment(self) -> Environment | None:
        """The environment that it runs in; None for our own Python.

        Raises:
            EnvError: it names one that there is not, or whose lock file cannot be read.
        """
        return self._environments[self.traits.environment] if self.traits.environment else None

    @property
    def _environments(self) -> Environments:
        if self.environments is not None:
            return self.environments
        from benchmark.environments import Environments

        return Environments({})

    @property
    def environment_record(self) -> EnvironmentRecord | None:
        """What a run writes down of its environment; None for our own Python.

        Raises:
            EnvError: as :attr:`environment`.
        """
        if (own := self.environment) is None:
            return None
        from benchmark.records import EnvironmentRecord

        marker = own.marker()
        return EnvironmentRecord(
            name=own.name, sha256=own.hash, python="unknown" if marker is None else marker.python
        )

    @property
    def inside(self) -> InsidePython | None:
        """How its processes start in its environment; None for our own Python.

        Raises:
            EnvError: it is not ready.
        """
        if (environment := self.environment) is None:
            return None
        from benchmark.environments.inside import inside

        environment.refuse_unready()
        return inside(environment, self.cls.__module__)

    @property
    def missing(self) -> list[str]:
        """Libraries that it needs here and that are not installed."""
        if self.traits.environment:
            return []
        with faults_named(self.target):
            tops = dict.fromkeys(name.partition(".")[0] for name in self.traits.requires)
            return [name for name in tops if importlib.util.find_spec(name) is None]

    @property
    def lack(self) -> str:
        """Why it cannot run, in words that follow its name; "" if it can."""
        if self.traits.environment:
            return self._environments.lack(self.traits.environment, self.traits.requires)
        return f"needs {', '.join(self.missing)}, which is not installed" if self.missing else ""

    @property
    def cure(self) -> str:
        """The command that makes its environment usable; "" if it has none, or that would be no cure."""
        own = self.traits.environment
        return self._environments.cure(own) if own else ""

    @property
    def preload(self) -> list[str]:
        """Modules to import before trials are forked: its libraries, and all code that is part of it.

        And what ``Interactions.matrix`` makes its result of.
        """
        own = self.cls.__module__
        return [own, "scipy.sparse", *self.traits.requires, *(name for name in self.modules if name != own)]

    @cached_property
    def versions(self) -> dict[str, str]:
        """Version of each library it wraps, where it runs."""
        if own := self.traits.environment:
            return {name: self._environments.version(own, name) or "unknown" for name in self.traits.requires}
        return {name: _version(name) for name in self.traits.requires}

    @cached_property
    def packages(self) -> dict[str, str]:
        """The distribution of each library it wraps, as pip installs it again, by module; unknown ones apart.

        The module ``surprise`` is part of ``scikit-surprise==1.1.5``.
        """
        if own := self.traits.environment:
            found = {name: self._environments.pin(own, name) for name in self.traits.requires}
        else:
            found = {name: pin_of(name) for name in self.traits.requires}
        return {name: pin for name, pin in found.items() if pin}

    @cached_property
    def source_hash(self) -> str:
        """SHA-256 of all code that is part of it: another text is another adapter."""
        digest = hashlib.sha256()
        for path in self.modules.values():
            digest.update(path.read_bytes())
        return digest.hexdigest()

    @property
    def code(self) -> AdapterCode:
        """What its results depend on besides the suite and the data."""
        from benchmark.records import AdapterCode  # not at import: serving a bundle does without

        own = self.environment
        where = {} if own is None else {f"environment {own.name}": own.hash[:12]}
        versions = {**self.versions, **where}
        return AdapterCode(
            source_sha256=self.source_hash, versions=versions, package=self.pin, packages=self.packages
        )

    @property
    def pin(self) -> str | None:
        """The distribution of others that publishes it, as pip installs it again; None for our own."""
        return self.package and f"{self.package}=={importlib.metadata.version(self.package)}"

    @cached_property
    def modules(self) -> Mapping[str, Path]:
        """The code that is part of it, by name of the module, in order.

        Its own module, and each that it imports, at any depth, from the same top-level package or from
        what adapters share.
        """
        from benchmark.adapter_source import (  # not at import: serving asks for none
            imported_names,
            source_file,
        )

        own = self.cls.__module__
        prefixes = (own.partition(".")[0], *SHARED)
        found: dict[str, Path] = {}
        waiting = {own: Path(inspect.getfile(self.cls))}
        while waiting:
            name, path = waiting.popitem()
            found[name] = path
            for other in imported_names(name, path) - found.keys():
                inside = any(f"{other}.".startswith(f"{prefix}.") for prefix in prefixes)
                if inside and (file := source_file(other)):
                    waiting[other] = file
        return dict(sorted(found.items()))


class Registry(Mapping[str, Adapter]):
    """Adapters by name: ours, and those that installed packages publish as entry points."""

    def __init__(
        self,
        targets: Mapping[str, str],
        *,
        renamed: Mapping[str, str] | None = None,
        entry_points: bool = False,
        environments: Environments | None = None,
    ) -> None:
        """Take names and "module:Class" strings; nothing is imported until a class is needed.

        Args:
            targets: "module:Class" by name.
            renamed: the present name by each former one, for messages alone.
            entry_points: add what installed packages publish.
            environments: those that models may run in.
        """
        published = {point.name: point for point in _published()} if entry_points else {}
        self._adapters = {
            name: Adapter(name, point.value, environments, point.dist.name if point.dist else None)
            for name, point in published.items()
        }
        self._adapters |= {name: Adapter(name, target, environments) for name, target in targets.items()}
        self._renamed = dict(renamed or {})
        self._by_case: dict[str, list[str]] = {}
        for name in self._adapters:
            self._by_case.setdefault(name.casefold(), []).append(name)

    def __getitem__(self, name: str) -> Adapter:
        """Return the adapter called ``name``, without regard to case; it has its name as published.

        Raises:
            AdapterError: there is none; the message names the one that was meant. Or two packages publish
                names that differ by case alone.
        """
        alike = self._by_case.get(name.casefold(), [])
        if not alike:
            raise AdapterError(f"no adapter is called {name!r}{self.hint(name)}")
        if len(alike) > 1:
            raise AdapterError(
                f"{' and '.join(alike)} differ by case alone, so {name!r} may be either: uninstall one of "
                "the packages that publish them"
            )
        return self._adapters[alike[0]]

    def hint(self, name: str, among: Collection[str] | None = None) -> str:
        """Return ``"; did you mean 'x'?"`` for what an unknown name was renamed to, or else the nearest.

        Args:
            name: the unknown name.
            among: the names that are possible; all adapters by default.
        """
        possible = self._adapters if among is None else among
        renamed = self._renamed.get(name.casefold())
        return f"; did you mean {renamed!r}?" if renamed in possible else did_you_mean(name, possible)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.casefold() in self._by_case

    def __iter__(self) -> Iterator[str]:
        return iter(self._adapters)

    def __len__(self) -> int:
        return len(self._adapters)


def load(target: str) -> Any:
    """Import what "module:name" points to.

    Raises:
        AdapterError: the module or the name does not exist, or the module cannot be imported.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        shown = target or "an empty value"
        raise AdapterError(f"{shown}: cannot be imported; an adapter is published as 'module:Class'")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise AdapterError(f"{target}: cannot be imported ({named(error)})") from error
    except (Exception, SystemExit) as error:
        raise AdapterError(f"{target}: cannot be imported ({named(error)})") from error


@contextmanager
def faults_named(target: str) -> Iterator[None]:
    """Turn whatever a class raises when it is asked what it is into a message.

    Raises:
        AdapterError: it raised something.
    """
    try:
        yield
    except AdapterError:
        raise
    except (Exception, SystemExit) as error:
        raise AdapterError(f"{target}: its class cannot say what it is ({named(error)})") from error


def named(error: BaseException) -> str:
    r"""Return an error's kind and text, which any terminal can show.

    >>> named(ValueError("\udcff"))
    'ValueError: \\udcff'
    """
    return f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace").decode()


def install_hint(adapters: Sequence[Adapter]) -> str:
    """Return the commands that install what these adapters lack: extras, modules by name, environments."""
    cures = dict.fromkeys(cure for adapter in adapters if (cure := adapter.cure))
    adapters = [adapter for adapter in adapters if not adapter.traits.environment]
    others = {name for adapter in adapters if adapter.library not in EXTRAS for name in adapter.missing}
    extras = ({adapter.library for adapter in adapters} | others) & EXTRAS  # native/ease needs torch
    ours = [f"'recsys-bench[{','.join(sorted(extras))}]'"] if extras else []
    pip = [" ".join(["pip install", *ours, *sorted(others - EXTRAS)])] if adapters else []
    return " && ".join([*pip, *cures])


def _published() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=ENTRY_POINTS))


def pin_of(module: str) -> str | None:
    """Return the installed distribution that a module is part of, "name==version"; None if none is known."""
    top = module.partition(".")[0]
    owners = _declared_owners().get(top) or _owners().get(top, [])
    return f"{owners[0]}=={importlib.metadata.version(owners[0])}" if owners else None


def requirement(pin: str) -> str:
    """Return what pip installs for a distribution; no index has the local part of a version.

    >>> requirement("torch==2.13.0+cpu")
    'torch==2.13.0'
    """
    return pin.partition("+")[0]


def _version(module: str) -> str:
    return (pin_of(module) or "==unknown").partition("==")[2]


@cache
def _declared_owners() -> Mapping[str, list[str]]:
    """Return the distributions that say which top-level modules are theirs; takes a twentieth of a second."""
    found: dict[str, list[str]] = {}
    for distribution in importlib.metadata.distributions():
        for module in (distribution.read_text("top_level.txt") or "").split():
            found.setdefault(module, []).append(distribution.name)
    return found


@cache
def _owners() -> Mapping[str, list[str]]:
    """Return the distributions that own each top-level module; read once, it takes a second."""
    return importlib.metadata.packages_distributions()
