"""Environments of foreign frameworks: which there are, made, checked and removed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import EnvError, did_you_mean
from benchmark.registry import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmark.environments import Environment

ENTRY_POINTS = "bench.environments"


def lock_files() -> Mapping[str, Path]:
    """Return the lock file of each environment: ours, and those that installed packages publish.

    A package publishes one by an entry point of the group ``bench.environments``, ``name = "module:PATH"``.
    """
    from benchmark.api.adapters import shipped_lock_files

    published = importlib.metadata.entry_points(group=ENTRY_POINTS)
    return {point.name: Path(load(point.value)) for point in published} | dict(shipped_lock_files())


def env(name: str | None = None) -> list[Environment]:
    """Return the environments whose names contain this, or all; whether they are there or not.

    Raises:
        EnvError: none is called so.
    """
    names = [one for one in sorted(lock_files()) if (name or "") in one]
    if not names:
        raise EnvError(
            f"no environment has {name!r} in its name; there are {', '.join(sorted(lock_files()))}"
        )
    return [_environment(one) for one in names]


def create_env(name: str, *, say: Callable[[str], None] = lambda _: None) -> Environment:
    """Make an environment from its lock file; one that is ready stays as it is.

    Args:
        name: of the environment.
        say: takes one line of progress.

    Raises:
        EnvError: there is none of that name, no Python fits, or pip failed.
    """
    from benchmark.environments.making import make

    made = _environment(name)
    make(made, say)
    return made


def check_env(name: str) -> Environment:
    """Return an environment, every file of which is what was installed.

    Raises:
        EnvError: it cannot be used; the message says why and what to do.
    """
    found = _environment(name)
    state, reason = found.state(thorough=True)
    if state != "ready":
        raise EnvError(f"{name}: {state}: {reason}")
    return found


def remove_env(name: str) -> None:
    """Delete an environment.

    Raises:
        EnvError: it is not there, or not ours.
    """
    _environment(name).remove()


def _environment(name: str) -> Environment:
    from benchmark.environments import LockFile, environment

    locks = lock_files()
    if name not in locks:
        raise EnvError(f"there is no environment {name!r}{did_you_mean(name, locks)}; see `bench env list`")
    return environment(name, LockFile.read(locks[name]))
