"""The models there are, and what they need: the one place that joins adapters to the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.registry import OPTIONAL, Adapter, Registry, install_hint

if TYPE_CHECKING:
    from benchmark.environments import Environment
    from benchmark.records import Hardware


def registry() -> Registry:
    """Return every adapter by name: ours, and those that installed packages publish."""
    from adapters import ADAPTERS, RENAMED
    from benchmark.api.frameworks import environments

    return Registry(ADAPTERS, renamed=RENAMED, entry_points=True, environments=environments())


def shipped_lock_files() -> Mapping[str, Path]:
    """Return the lock file of each environment that ships with bench."""
    from adapters import ENVIRONMENTS

    return ENVIRONMENTS


def models(*names: str) -> list[Adapter]:
    """Return the models of these names, or all of them; no framework is imported.

    Raises:
        AdapterError: there is no model of that name.
    """
    adapters = registry()
    return [adapters[name] for name in names or sorted(adapters)]


@dataclass(frozen=True)
class Diagnosis:
    """What this machine offers and lacks.

    Attributes:
        hardware: the machine and the versions of libraries.
        missing: libraries that are not installed, by the model that needs them.
        install: the command that installs them.
        environments: those that models may run in.
        broken: models of other packages that cannot be imported, or cannot say what they are, and why.
    """

    hardware: Hardware
    missing: Mapping[str, Sequence[str]]
    install: str
    environments: Sequence[Environment] = ()
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every model of the extra ``all`` can run, and each environment that was made is ready.

        A broken package of others is shown, and nobody else's trouble.
        """
        usable = all(one.state()[0] in {"ready", "missing"} for one in self.environments)
        return usable and all(name.partition("/")[0] in OPTIONAL for name in self.missing)


def doctor() -> Diagnosis:
    """Return what this machine offers, which libraries are missing, and which environments are ready.

    Raises:
        EnvError: a lock file cannot be read.
    """
    from benchmark.api.frameworks import env
    from benchmark.runner.hardware import hardware

    found = models()
    broken = {adapter.name: adapter.fault for adapter in found if adapter.fault}
    adapters = [adapter for adapter in found if not adapter.fault]
    lacking = [adapter for adapter in adapters if adapter.missing]
    missing = {adapter.name: adapter.missing for adapter in lacking}
    return Diagnosis(hardware(adapters), missing, install_hint(lacking), env(), broken)
