"""Environments of foreign frameworks: which there are, made, checked and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.errors import EnvError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmark.environments import Environment, Environments


def environments() -> Environments:
    """Return every environment by name: ours, and those that installed packages publish."""
    from benchmark.api.adapters import shipped_lock_files
    from benchmark.environments import Environments

    return Environments(shipped_lock_files(), entry_points=True)


def env(name: str | None = None) -> list[Environment]:
    """Return the environments whose names contain this, or all; whether they are there or not.

    Raises:
        EnvError: none is called so.
    """
    found = environments()
    names = [one for one in sorted(found) if (name or "") in one]
    if not names:
        raise EnvError(f"no environment has {name!r} in its name; there are {', '.join(sorted(found))}")
    return [found[one] for one in names]


def create_env(name: str, *, say: Callable[[str], None] = lambda _: None) -> Environment:
    """Make an environment from its lock file; one that is ready stays as it is.

    Args:
        name: of the environment.
        say: takes one line of progress.

    Raises:
        EnvError: there is none of that name, no Python fits, or pip failed.
    """
    from benchmark.environments.making import make

    made = environments()[name]
    make(made, say)
    return made


def check_env(name: str) -> Environment:
    """Return an environment, every file of which is what was installed.

    Raises:
        EnvError: it cannot be used; the message says why and what to do.
    """
    found = environments()[name]
    found.refuse_unready(thorough=True)
    return found


def remove_env(name: str) -> None:
    """Delete an environment.

    Raises:
        EnvError: it is not there, or not ours.
    """
    environments()[name].remove()
