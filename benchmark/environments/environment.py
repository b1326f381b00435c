"""One environment: where it lies, what is in it, and whether that is what its lock file says."""

from __future__ import annotations

import base64
import csv
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from packaging.utils import canonicalize_name
from platformdirs import user_data_path

from benchmark.environments.lock_file import LockFile
from benchmark.errors import EnvError
from benchmark.files import content_hash, write_text

EnvironmentState: TypeAlias = Literal["ready", "missing", "half made", "outdated", "changed", "broken"]

MARKER = "bench-environment.json"
NAME = re.compile(r"[a-z0-9-]+")
WHOLE_MB = 16
"""Files up to this size are hashed when an environment is checked; of larger ones the size must agree."""
FORMAT = 1
BORN_WITH = frozenset({"pip", "setuptools"})
"""What ``python -m venv`` puts into an environment."""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """What is written into the folder of an environment, which makes it ours.

    Attributes:
        name: of the environment.
        state: "making" until everything is installed.
        lock_sha256: of the lock file that it was made from.
        python: version of its interpreter.
        packages: installed versions by canonical name.
        records_sha256: of what pip noted about every installed file.
        format: version of this file.
    """

    name: str
    state: Literal["making", "made"]
    lock_sha256: str
    python: str
    packages: dict[str, str] = field(default_factory=dict)
    records_sha256: str = ""
    format: int = FORMAT


def environments_root() -> Path:
    """Return the folder of all environments: below the user's own data folder."""
    return user_data_path("recsys-bench") / "environments"


def environment(name: str, lock: LockFile) -> Environment:
    """Return the environment of a name, whether it is there or not.

    Raises:
        EnvError: the name could lead elsewhere.
    """
    if not NAME.fullmatch(name):
        raise EnvError(f"{name!r} is no name of an environment: small letters, digits and hyphens alone")
    return Environment(name, lock, environments_root() / name)


@dataclass(frozen=True)
class Environment:
    """A virtual environment in which a framework runs.

    Attributes:
        name: of it, and of its lock file.
        lock: what it is made of.
        folder: where it lies.
    """

    name: str
    lock: LockFile
    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages_folder(self) -> Path | None:
        """Where its packages lie; None if there is no such folder, or several."""
        found = list((self.folder / "lib").glob("python3.*/site-packages"))
        return found[0] if len(found) == 1 else None

    def marker(self) -> Marker | None:
        """Return what is written in its folder; None if that is not ours, or cannot be read."""
        try:
            marker = Marker(**json.loads((self.folder / MARKER).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return marker if (marker.name, marker.format) == (self.name, FORMAT) else None

    def mark(self, marker: Marker) -> None:
        """Write the marker."""
        write_text(self.folder / MARKER, json.dumps(asdict(marker), indent=2) + "\n")

    def state(  # noqa: PLR0911 - a line for each state
        self, *, thorough: bool = False
    ) -> tuple[EnvironmentState, str]:
        """Return whether it can be used, and the reason if it cannot.

        Args:
            thorough: look at every installed file, which takes some seconds, and not just at what pip noted.
        """
        cure = f"bench env create {self.name}"
        if not self.folder.exists():
            return "missing", f"it is not there; make it: {cure}"
        marker = self.marker()
        if marker is None:
            return (
                "broken",
                f"{self.folder} was not made by this version of bench; move it away, then: {cure}",
            )
        if marker.state == "making":
            return "half made", f"its making was interrupted; make it again: {cure}"
        if not os.access(self.python, os.X_OK):  # follows the link
            return "broken", f"its interpreter is gone (Python {marker.python}); make it again: {cure}"
        if marker.lock_sha256 != self.lock.sha256:
            return "outdated", f"it was made from another lock file; make it again: {cure}"
        found = self.installed()
        if found != marker.packages:
            return "changed", f"{self.differences(marker.packages, found)}; make it again: {cure}"
        if self.records_sha256() != marker.records_sha256:
            return "changed", f"packages in it were installed anew; make it again: {cure}"
        if thorough and (wrong := next(self.changed_files(), None)):
            return "changed", f"{wrong} is not the file that was installed; make it again: {cure}"
        return "ready", ""

    def refuse_unready(self, *, thorough: bool = False) -> None:
        """Check that it can be used.

        Args:
            thorough: look at every installed file.

        Raises:
            EnvError: it cannot; the message says why and what to do.
        """
        state, reason = self.state(thorough=thorough)
        if state != "ready":
            raise EnvError(f"{self.name}: {state}: {reason}")

    @property
    def hash(self) -> str:
        """SHA-256 of what results depend on, the same everywhere: lock file, Python, versions installed.

        The versions tell apart what the lock file leaves open: builds of PyTorch, and what those bring. What
        a virtual environment is born with does not count: it has none where bench's own pip installs.
        """
        marker = self.marker()
        python, found = ("", {}) if marker is None else (marker.python, marker.packages)
        wanted = self.lock.wanted(python) if python else {}
        packages = {name: found[name] for name in found if name in wanted or name not in BORN_WITH}
        return content_hash({"lock": self.lock.sha256, "python": python, "packages": packages})

    def distributions(self) -> list[Path]:
        """Return the folder that each installed package describes itself in, in order."""
        return sorted(self.packages_folder.glob("*.dist-info")) if self.packages_folder else []

    def installed(self) -> dict[str, str]:
        """Return the version of each installed package, by canonical name."""
        found: dict[str, str] = {}
        for folder in self.distributions():
            name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
            found[canonicalize_name(name)] = version
        return found

    def pin_of(self, module: str) -> str | None:
        """Return the package that a module is part of, "name==version"; None if none has it."""
        top = module.partition(".")[0]
        for folder in self.distributions():
            try:
                files = (folder / "RECORD").read_text("utf-8").splitlines()
            except OSError:
                continue
            if any(file.startswith((f"{top}/", f"{top}.")) for file in files):
                name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
                return f"{canonicalize_name(name)}=={version}"
        return None

    def records_sha256(self) -> str:
        """Return the hash of what pip noted about every installed file."""
        digest = hashlib.sha256()
        for folder in self.distributions():
            record = folder / "RECORD"
            digest.update(record.read_bytes() if record.is_file() else b"?")
        return digest.hexdigest()

    def changed_files(self) -> Iterator[str]:
        """Yield installed files that are not what pip noted: gone, of another size or other content.

        Bytecode is left out: pip compiles it anew where a wheel brings its own (numpy 1.26 does).
        """
        root = self.packages_folder
        for folder in self.distributions():
            assert root is not None
            try:
                rows = list(csv.reader((folder / "RECORD").read_text("utf-8").splitlines()))
            except OSError:
                yield f"{folder.name}/RECORD"
                continue
            noted_files = (row for row in rows if len(row) == 3 and row[1] and not row[0].endswith(".pyc"))
            for name, noted, size in noted_files:
                path = root / name
                if not path.is_file() or (size and path.stat().st_size != int(size)):
                    yield name
                elif path.stat().st_size <= WHOLE_MB * 2**20:
                    digest = hashlib.sha256(path.read_bytes()).digest()
                    if noted != "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
                        yield name

    @staticmethod
    def differences(noted: dict[str, str], found: dict[str, str]) -> str:
        """Return the first package that is not the noted one."""
        name = min(name for name in noted.keys() | found.keys() if noted.get(name) != found.get(name))
        return f"{name} is {found.get(name, 'gone')}, where {noted.get(name, 'nothing')} was installed"

    def remove(self) -> None:
        """Delete it: only a real folder below the folder of all environments that bears our marker.

        Raises:
            EnvError: it is not there, a link, somebody else's, or in use by another ``bench env``.
        """
        with self.locked():
            if not os.path.lexists(self.folder):
                raise EnvError(f"{self.name}: there is no such environment; see `bench env list`")
            self.delete()

    def delete(self) -> None:
        """Delete the folder; whoever calls holds the lock.

        Raises:
            EnvError: it is a link, or not ours.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            raise EnvError(f"{self.folder}: is a link or a file, not an environment; remove it by hand")
        if self.marker() is None:
            raise EnvError(
                f"{self.folder}: has no {MARKER} of bench's, so bench deletes nothing there; "
                "if nobody needs it, remove it by hand"
            )
        grave = self.folder.with_name(f".{self.name}.removed")
        shutil.rmtree(grave, ignore_errors=True)  # of a process that was killed
        self.folder.rename(grave)  # at once: what is half deleted is nobody's environment
        shutil.rmtree(grave)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from making or deleting it; the kernel lets go when this process dies.

        Raises:
            EnvError: another process is at it, or the folder of all environments cannot be written.
        """
        root = self.folder.parent
        try:
            root.mkdir(parents=True, exist_ok=True)
            file = (root / f".{self.name}.lock").open("a")
        except OSError as error:
            raise EnvError(f"{root}: cannot be written ({error.strerror}); set XDG_DATA_HOME") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise EnvError(
                    f"{self.name}: another `bench env` makes or removes it; wait for that"
                ) from error
            yield


def running_python() -> str:
    """Return the version of the Python that runs this.

    >>> running_python().count(".")
    2
    """
    return ".".join(map(str, sys.version_info[:3]))
