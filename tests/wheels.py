"""Tiny wheels in a folder, and lock files over them: pip needs no network for these."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import zipfile
from collections.abc import Iterable
from pathlib import Path

MADE = (2026, 1, 1, 0, 0, 0)
"""When every file of a wheel was made: equal contents are an equal wheel."""


def wheel(
    folder: Path,
    name: str,
    version: str,
    code: str | None = "",
    needs: tuple[str, ...] = (),
    more: dict[str, str] | None = None,
) -> Path:
    """Write a wheel with one module, unless its code is None, and more files; return its path."""
    info = f"{name}-{version}.dist-info"
    files = {
        **({} if code is None else {f"{name}.py": code or f"VERSION = {version!r}\n"}),
        **(more or {}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {one}\n" for one in needs),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}\n"
        for path, text in files.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(file, MADE), text)
    return path


def borrowed(folder: Path, names: Iterable[str]) -> list[Path]:
    """Write wheels of packages that are installed beside us, under their true versions.

    Each leads to a folder with a link to that package alone: installing it takes no time, and what it needs
    is not brought along.
    """
    made = []
    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        link = folder / "borrowed" / name / name
        link.parent.mkdir(parents=True)
        link.symlink_to(next(iter(spec.submodule_search_locations)))
        path = {f"{name}.pth": f"{link.parent}\n"}
        made.append(wheel(folder, name, importlib.metadata.version(name), code=None, more=path))
    return made


def lock_line(path: Path) -> str:
    """Return the line of a lock file for a wheel."""
    name, version, *_ = path.name.split("-")
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
