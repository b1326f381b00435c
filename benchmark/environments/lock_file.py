"""Lock files: every package of an environment with its version and hashes, as pip reads them.

A lock file is a requirements file with hashes, made by ``uv pip compile --universal --generate-hashes`` or
``pip-compile --generate-hashes``, whose first lines may say three things more::

    # python: >=3.11,<3.14      which Python it is for
    # first: torch==2.13.0      installed first, with what it needs, and without a hash
    # from source: thop         packages that have no wheel and are built
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from benchmark.errors import EnvError

DIRECTIVES = ("python", "first", "from source")


@dataclass(frozen=True)
class LockFile:
    """What an environment is made of.

    Attributes:
        path: where it lies.
        sha256: of its bytes.
        python: versions of Python that it is for.
        first: requirements that are installed first, without a hash.
        from_source: names of packages that are built.
        packages: every other requirement, each of one version and with a hash.
    """

    path: Path
    sha256: str
    python: SpecifierSet
    first: tuple[Requirement, ...]
    from_source: tuple[str, ...]
    packages: tuple[Requirement, ...]

    @classmethod
    def read(cls, path: Path) -> LockFile:
        """Read a lock file.

        Raises:
            EnvError: it is not there, or a line of it is none that a lock file may have.
        """
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EnvError(f"{path}: the lock file cannot be read ({error}); install bench again") from error
        said = dict.fromkeys(DIRECTIVES, "")
        packages: list[Requirement] = []
        for number, line in logical_lines(text):
            where = f"{path}, line {number}"
            if line.startswith("#"):
                word, colon, value = line.lstrip("# ").partition(":")
                if colon and word in said:
                    said[word] = value.strip()
                continue
            written, *hashes = line.split(" --hash=")
            package = requirement(written, where)
            if not hashes or not all(one.strip().startswith("sha256:") for one in hashes):
                raise EnvError(
                    f"{where}: {package.name} has no sha256 hash; a lock file holds one for every file "
                    "(make it with `uv pip compile --generate-hashes`)"
                )
            packages.append(package)
        if not packages:
            raise EnvError(f"{path}: names no package; a lock file holds one requirement a line")
        try:
            python = SpecifierSet(said["python"])
        except InvalidSpecifier as error:
            raise EnvError(
                f"{path}: '# python: {said['python']}' is no range of versions ({error})"
            ) from error
        return cls(
            path=path,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            python=python,
            first=tuple(requirement(one, f"{path}, '# first:'") for one in said["first"].split()),
            from_source=tuple(said["from source"].split()),
            packages=tuple(packages),
        )

    def wanted(self, python: str) -> dict[str, str]:
        """Return the version of each package that a Python gets, by canonical name.

        Args:
            python: its version, such as "3.11.4".
        """
        marks = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
        applying = [one for one in self.packages if one.marker is None or one.marker.evaluate(marks)]
        return {
            canonicalize_name(one.name): next(iter(one.specifier)).version for one in (*self.first, *applying)
        }


def logical_lines(text: str) -> list[tuple[int, str]]:
    r"""Return the lines that are not empty, with their numbers; one that ends in a backslash goes on.

    >>> logical_lines("a==1 \\\n  --hash=sha256:00\n\n# b\n")
    [(1, 'a==1 --hash=sha256:00'), (4, '# b')]
    """
    found: list[tuple[int, str]] = []
    open_at, begun = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        begun, open_at = f"{begun} {line.strip()}".strip(), open_at or number
        if begun.endswith("\\"):
            begun = begun.removesuffix("\\").strip()
            continue
        if begun:
            found.append((open_at, begun))
        open_at, begun = 0, ""
    return found


def requirement(text: str, where: str) -> Requirement:
    """Return a requirement of exactly one version.

    Raises:
        EnvError: it is none, or allows several versions.
    """
    try:
        found = Requirement(text.strip())
    except InvalidRequirement as error:
        raise EnvError(f"{where}: {text.strip()!r} is no requirement ({error})") from error
    exact = [one for one in found.specifier if one.operator == "==" and not one.version.endswith(".*")]
    if len(found.specifier) != 1 or not exact:
        raise EnvError(f"{where}: {text.strip()!r} must name one version, such as {found.name}==1.2.3")
    return found
