"""The environments that there are: those that ship with bench, and those that installed packages publish."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmark.environments.environment import Environment, environment
from benchmark.environments.lock_file import LockFile
from benchmark.errors import EnvError, did_you_mean

ENTRY_POINTS = "bench.environments"


class Environments(Mapping[str, Environment]):
    """Environments by name, whether they are there or not; a lock file is read when it is asked for.

    What is found of an environment is kept: who makes or removes one asks a new catalogue.
    """

    def __init__(self, shipped: Mapping[str, Path], *, entry_points: bool = False) -> None:
        """Take lock files by name; a name that ships cannot be taken by a package.

        Args:
            shipped: path of each lock file.
            entry_points: add what installed packages publish: group ``bench.environments``,
                ``name = "module:PATH"``.
        """
        points = importlib.metadata.entry_points(group=ENTRY_POINTS) if entry_points else ()
        published: dict[str, Path | str] = {point.name: point.value for point in points}
        self._lock_files = published | dict(shipped)
        self._found: dict[str, Environment] = {}
        self._reasons: dict[str, str] = {}
        self._curable: set[str] = set()
        self._pins: dict[tuple[str, str], str | None] = {}

    def __getitem__(self, name: str) -> Environment:
        """Return the environment of a name.

        Raises:
            EnvError: there is none, or its lock file cannot be read.
        """
        if name not in self._lock_files:
            meant = did_you_mean(name, self._lock_files)
            raise EnvError(f"there is no environment {name!r}{meant}; see `bench env list`")
        if name not in self._found:
            self._found[name] = environment(name, LockFile.read(self._path(name)))
        return self._found[name]

    def _path(self, name: str) -> Path:
        where = self._lock_files[name]
        if isinstance(where, Path):
            return where
        module, _, attribute = where.partition(":")
        try:
            return Path(getattr(importlib.import_module(module), attribute))
        except Exception as error:  # whatever a package of others raises when it is imported
            raise EnvError(
                f"environment {name}: its lock file is said to be at {where}, which cannot be read "
                f"({type(error).__name__}: {error}); ask the authors of the package"
            ) from error

    def __contains__(self, name: object) -> bool:
        return name in self._lock_files

    def __iter__(self) -> Iterator[str]:
        return iter(self._lock_files)

    def __len__(self) -> int:
        return len(self._lock_files)

    def lack(self, name: str, modules: Iterable[str]) -> str:
        """Return why nothing can run in an environment, and what to do; "" if it can.

        Args:
            name: of the environment.
            modules: that must be installed there, by their import names.
        """
        if name not in self._reasons:
            try:
                self._reasons[name] = self[name].state()[1]
                self._curable.add(name)
            except EnvError as error:
                self._reasons[name] = str(error)
        if self._reasons[name]:
            return f"needs the environment {name}: {self._reasons[name]}"
        missing = [module for module in modules if self.version(name, module) is None]
        if missing:
            return (
                f"needs {', '.join(dict.fromkeys(missing))} in the environment {name}, "
                f"which {self[name].lock.path} does not name"
            )
        return ""

    def cure(self, name: str) -> str:
        """Return the command that makes an environment usable; "" where that is no cure, or not needed."""
        return f"bench env create {name}" if self.lack(name, ()) and name in self._curable else ""

    def version(self, name: str, module: str) -> str | None:
        """Return the version that an environment has of what a module is part of; None if it has none."""
        return (self.pin(name, module) or "").partition("==")[2] or None

    def pin(self, name: str, module: str) -> str | None:
        """Return what a module is part of in an environment, "name==version"; None if it has none."""
        key = name, module.partition(".")[0]
        if key not in self._pins:
            self._pins[key] = self[name].pin_of(module)
        return self._pins[key]
