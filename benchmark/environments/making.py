"""How an environment is made: a Python that fits, a virtual environment, and pip."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.environments.environment import Environment, Marker, running_python
from benchmark.environments.inside import NEEDED, check_imports
from benchmark.errors import EnvError

PIP_S = 1800.0
"""Seconds that one call of pip may take."""
NOT_FOR_PIP = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")
SHOWN_LINES = 4

Say = Callable[[str], None]


def make(environment: Environment, say: Say) -> None:
    """Make an environment, or make it again; one that is ready stays as it is.

    Raises:
        EnvError: no Python fits, pip failed, or another process is at it. What is half made is marked as
            such, and made anew by the next call.
    """
    with environment.locked():
        state, reason = environment.state()
        if state == "ready":
            say(f"{environment.name}: is ready in {environment.folder}")
            return
        if os.path.lexists(environment.folder):
            say(f"{environment.name}: {reason}")
            environment.delete()
        python, version = fitting_python(environment)
        lock = environment.lock
        if lacking := [name for name in NEEDED if name not in lock.wanted(version)]:
            raise EnvError(
                f"{lock.path}: names no {', '.join(lacking)}, which bench's own code imports in every "
                "environment: add what is missing, with hashes"
            )
        say(f"{environment.name}: Python {version} ({python}) in {environment.folder}")
        environment.folder.mkdir(parents=True)
        marker = Marker(
            name=environment.name, state="making", lock_sha256=environment.lock.sha256, python=version
        )
        environment.mark(marker)
        here = importlib.util.find_spec("pip") is not None  # ours can install there: that saves a minute
        bare = ["--without-pip"] if here else []
        run([python, "-m", "venv", *bare, str(environment.folder)], environment, "its virtual environment")
        pip = [sys.executable, "-m", "pip", "--python"] if here else []
        pip += [str(environment.python), *([] if here else ["-m", "pip"]), "install", "--no-input"]
        for first in lock.first:
            say(f"{environment.name}: installing {first}")
            run([*pip, str(first)], environment, str(first))
        built = [flag for name in lock.from_source for flag in ("--no-binary", name)]
        if built:
            say(f"{environment.name}: builds from source: {', '.join(lock.from_source)}")
        say(f"{environment.name}: installing {len(lock.wanted(version))} packages")
        exact = ["--no-deps", "--only-binary", ":all:", *built, "--require-hashes", "-r", str(lock.path)]
        run([*pip, *exact], environment, f"the packages of {lock.path.name}")
        found = environment.installed()
        for name, wanted in lock.wanted(version).items():
            if found.get(name, "").partition("+")[0] != wanted:  # torch has local versions: 2.13.0+cpu
                raise EnvError(
                    f"{environment.name}: {name} {wanted} was asked for and {found.get(name, 'nothing')} is "
                    f"installed; remove it and try again: bench env remove {environment.name}"
                )
        say(f"{environment.name}: importing bench's own code there")
        check_imports(environment)
        environment.mark(
            replace(marker, state="made", packages=found, records_sha256=environment.records_sha256())
        )
        say(f"{environment.name}: ready; {len(found)} packages")


def fitting_python(environment: Environment) -> tuple[str, str]:
    """Return an interpreter that the lock file is for, and its version; the one that runs this, if it fits.

    Raises:
        EnvError: none is at hand; the message names those that are.
    """
    seen: set[str] = set()
    for program in pythons():
        version = running_python() if program == sys.executable else version_of(program)
        if version is None:
            continue
        if version in environment.lock.python:
            return program, version
        seen.add(version)
    raise EnvError(
        f"{environment.name}: needs Python {environment.lock.python}, and here "
        f"{'are ' + ', '.join(sorted(seen)) if seen else 'is none'}; install one and put it on PATH"
    )


def pythons() -> Iterator[str]:
    """Yield interpreters that are at hand, the one that runs this first."""
    yield sys.executable
    for minor in range(11, 20):
        if (found := shutil.which(f"python3.{minor}")) is not None:
            yield found


def version_of(program: str) -> str | None:
    """Return the version of an interpreter that can make virtual environments; None if it cannot."""
    code = "import ssl, venv, sys; print('.'.join(map(str, sys.version_info[:3])))"
    try:
        answer = subprocess.run(
            [program, "-I", "-c", code], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def run(command: Sequence[str], environment: Environment, what: str) -> None:
    """Run one step of the making; what it prints goes to ``making.log`` in the environment.

    Raises:
        EnvError: it failed, or took longer than half an hour; the last lines that it printed are shown.
    """
    log = environment.folder / "making.log"
    variables = {name: value for name, value in os.environ.items() if name not in NOT_FOR_PIP}
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        try:
            code: int | str = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=PIP_S,
                env=variables,
                cwd=environment.folder,
            ).returncode
        except subprocess.TimeoutExpired:
            code = f"it took longer than {PIP_S:.0f} s"
        except OSError as error:
            code = str(error)
    if code != 0:
        why = code if isinstance(code, str) else last_lines(log)
        raise EnvError(
            f"{environment.name}: {what} cannot be installed ({why}); see {log}, "
            f"then try again: bench env create {environment.name}"
        )


def last_lines(log: Path) -> str:
    """Return the last lines of a log that say something wrong, else its last lines, as one line."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    wrong = [line for line in lines if line.lower().startswith("error")]
    return " / ".join((wrong or lines)[-SHOWN_LINES:])[-600:]
