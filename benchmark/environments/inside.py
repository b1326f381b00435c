"""How our own code runs inside an environment: what it imports there, and the way it is found.

The child of a model with an environment is that environment's interpreter. Its modules are those of the
environment, and ours by a folder of links: to ``benchmark``, to ``adapters``, and to the package of a third
party's adapter, alone. Nothing else that is installed beside us can be imported there.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import EnvError

if TYPE_CHECKING:
    from benchmark.environments.environment import Environment

NEEDED = ("llvmlite", "numba", "numpy", "safetensors", "scipy")
"""Packages that our own code imports in every environment, and so every lock file names: these alone."""
IMPORTED = ("benchmark.executors.fork_server", "benchmark.trial", "benchmark.final_fit", "benchmark.probe")
"""What of ours runs there; the rest follows from it."""
OURS = ("benchmark", "adapters")
FOLDER = "bench"
"""Folder of an environment with what bench puts there: links, and code that it compiled."""
OWN_VARIABLES = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "NUMBA_CACHE")
"""Beginnings of the variables that mean our own Python."""
ENTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); "
FIRST_IMPORT_S = 300.0
"""Seconds that the first import in an environment may take: it may compile what ranks and measures."""


@dataclass(frozen=True)
class InsidePython:
    """The interpreter of an environment, as children start it.

    Attributes:
        python: the interpreter.
        links: the folder by which our own modules are found.
        compiled: where numba keeps what it compiles there; None where our own folders hold the same.
    """

    python: Path
    links: Path
    compiled: Path | None

    def command(self, code: str, *arguments: object) -> list[str]:
        """Return the command that runs code there; ``sys.argv`` has the arguments from 1 on.

        Isolated (``-I``): no variable and no folder of the user adds to its modules.
        """
        words = [self.python, "-I", "-u", "-c", ENTER + code, self.links, *arguments]
        return [str(word) for word in words]

    def variables(self, ours: Mapping[str, str]) -> dict[str, str]:
        """Return our own environment variables without what belongs to our own Python, and with its own."""
        kept = {name: value for name, value in ours.items() if not name.startswith(OWN_VARIABLES)}
        kept.pop("_", None)  # a shell's word for the program that it started: our Python
        programs = ours.get("PATH", os.defpath).split(os.pathsep)
        if sys.prefix != sys.base_prefix:  # we run in a virtual environment
            programs = [entry for entry in programs if entry != f"{sys.prefix}/bin"]
        cache = {} if self.compiled is None else {"NUMBA_CACHE_DIR": str(self.compiled)}
        return {**kept, **cache, "PATH": os.pathsep.join([str(self.python.parent), *programs])}


def inside(environment: Environment, *modules: str) -> InsidePython:
    """Return how children start in an environment.

    Args:
        environment: in which its packages are.
        modules: of adapters that are not ours; the packages that they are part of are linked as well.

    Raises:
        EnvError: a module is not to be found, or the environment cannot be written.
    """
    folder = environment.folder / FOLDER
    compiled = None if compiles_alike(environment) else folder / "compiled"
    tops = dict.fromkeys([*OURS, *(module.partition(".")[0] for module in modules)])
    return InsidePython(environment.python, linked(folder, tops), compiled)


def linked(folder: Path, tops: Iterable[str]) -> Path:
    """Return a folder inside this one with a link to each of these top-level modules, and nothing else.

    Its name follows from where they lie, so that it stays where it is: numba knows code by its path.

    Raises:
        EnvError: a module is not to be found, or the folder cannot be written.
    """
    sources = {source.name: source for source in map(source_of, tops)}
    digest = hashlib.sha256("\n".join(f"{name} {sources[name]}" for name in sorted(sources)).encode())
    links = folder / f"links-{digest.hexdigest()[:12]}"
    if links.is_dir():
        return links
    try:
        folder.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".links-", dir=folder))
        for name, source in sources.items():
            (scratch / name).symlink_to(source)
        try:
            scratch.rename(links)
        except OSError:  # another process was quicker
            shutil.rmtree(scratch)
            if not links.is_dir():
                raise
    except OSError as error:
        raise EnvError(f"{folder}: cannot be written ({error.strerror}); make it writable") from error
    return links


def source_of(top: str) -> Path:
    """Return the folder of a package, or the file of a module; nothing is imported.

    Raises:
        EnvError: there is none.
    """
    spec = importlib.util.find_spec(top)
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    if spec is None or not spec.has_location or spec.origin is None:
        raise EnvError(f"{top}: is no module in a file, so an environment cannot be led to it")
    return Path(spec.origin).resolve()


def compiles_alike(environment: Environment) -> bool:
    """Return whether what numba compiles in an environment is what it compiles here, and kept for both."""
    marker = environment.marker()
    if marker is None or marker.python.split(".")[:2] != [str(part) for part in sys.version_info[:2]]:
        return False
    return all(
        environment.pin_of(name) == f"{name}=={importlib.metadata.version(name)}"
        for name in ("numba", "llvmlite")
    )


def check_imports(environment: Environment) -> None:
    """Import what of ours runs in an environment, there; what it compiles is kept.

    Raises:
        EnvError: an import fails, or takes longer than five minutes.
    """
    there = inside(environment)
    try:
        answer = subprocess.run(
            there.command(f"import {', '.join(IMPORTED)}"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=FIRST_IMPORT_S,
            env=there.variables(os.environ),
            cwd=environment.folder,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvError(
            f"{environment.name}: bench's own code was not imported there within {FIRST_IMPORT_S:.0f} s"
        ) from error
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        raise EnvError(
            f"{environment.name}: bench's own code cannot be imported there "
            f"({said[-1] if said else f'exit code {answer.returncode}'}); "
            f"{environment.lock.path.name} must name versions of {', '.join(NEEDED)} that fit together"
        )
