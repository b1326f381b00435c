"""What a bundle's folder holds, and how it is read without trusting it.

bundle.json               what it is: adapter, hyperparameters, versions, data, scores, hashes of the rest
model.safetensors         the adapter's state
seen.safetensors          what each user has seen, as the index arrays of a sparse matrix (U, I)
popularity.safetensors    likes of each item in the training data (I,), for strangers
cold.safetensors          who and what the model learned nothing about, and which items are no candidates
users.json, items.json    raw ids in the order of dense ids; titles
golden.json               lists that the run stored, to compare with
README.md                 the model card
pick.md, pick.json        why this model, where `bench pick` made the bundle

Only these names are ever opened, and no name in a file is. bundle.json holds the SHA-256 of every other
file and, taken with 64 zeros in its place, its own: hashes find damage, they prove no origin.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmark.errors import BundleError
from benchmark.protocol import Array

FORMAT = 2
MANIFEST = "bundle.json"
REQUIRED = (
    *("model.safetensors", "seen.safetensors", "popularity.safetensors", "cold.safetensors"),
    *("users.json", "items.json", "golden.json", "README.md"),
)
OPTIONAL = ("pick.md", "pick.json")
GOLDEN_USERS, GOLDEN_K = 20, 10
MANIFEST_BYTES = 1 << 24
"""A bundle.json over 16 MB is none of ours; it is not read."""

_NO_HASH = "0" * 64
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Files:
    """A bundle's folder whose bundle.json is whole.

    Attributes:
        path: the folder.
        manifest: bundle.json.
    """

    path: Path
    manifest: dict[str, Any]

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each file that is not as bundle.json says; empty if all are."""
        listed = entry(self.manifest, "files", kind=dict)
        unknown = [name for name in listed if name not in (*REQUIRED, *OPTIONAL)]
        found = {str(name): "is listed, but is no file of a bundle" for name in unknown}
        for name in (*REQUIRED, *(name for name in OPTIONAL if name in listed)):
            if (fault := self._fault(name)) is not None:
                found[name] = fault
        return found

    def _fault(self, name: str) -> str | None:
        size, digest = (entry(self.manifest, "files", name, key, kind=object) for key in ("bytes", "sha256"))
        try:
            with _open(self.path / name) as file:
                found = os.fstat(file.fileno()).st_size
                if found != size:
                    return f"has {found} bytes, not {size}"
                same = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError as error:
            return f"cannot be read ({error.strerror or error})"
        return None if same else "does not match its SHA-256"

    def arrays(self, name: str) -> dict[str, Array]:
        """Return the named arrays of a file.

        Raises:
            BundleError: it is no safetensors file.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return load((self.path / name).read_bytes())
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"{self.path / name}: is no readable safetensors file ({error}); export the bundle again"
            ) from error

    def json(self, name: str) -> dict[str, Any]:
        """Return the object that a JSON file holds.

        Raises:
            BundleError: it holds none.
        """
        return parsed((self.path / name).read_bytes(), self.path / name)


def open_bundle(path: Path) -> Files:
    """Return a bundle's folder, its bundle.json read and found whole; the other files are not looked at.

    Raises:
        BundleError: there is no bundle, or its bundle.json is damaged or of another format.
    """
    place = path / MANIFEST
    try:
        with _open(place) as file:
            data = file.read(MANIFEST_BYTES + 1)
    except OSError as error:
        raise BundleError(
            f"{path}: is no bundle (no readable {MANIFEST}); `bench pick RUN --export DIR` makes one"
        ) from error
    manifest = parsed(data, place) if len(data) <= MANIFEST_BYTES else {}
    own = manifest.get("sha256")
    if not isinstance(own, str) or own != self_hash(data, own):
        raise BundleError(f"{place}: is damaged (does not match its own SHA-256); export the bundle again")
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{path}: has format {manifest.get('format')}, this bench reads format {FORMAT}; export it again"
        )
    return Files(path, manifest)


def self_hash(data: bytes, own: str) -> str | None:
    """Return SHA-256 of bundle.json with zeros where its own hash stands; None if it stands not once."""
    mark = own.encode("ascii", "replace")
    if len(mark) != len(_NO_HASH) or data.count(mark) != 1:
        return None
    return hashlib.sha256(data.replace(mark, _NO_HASH.encode())).hexdigest()


def sealed(content: Mapping[str, Any]) -> bytes:
    """Return bundle.json as bytes, with its own hash in it."""
    text = json.dumps({**content, "format": FORMAT, "sha256": _NO_HASH}, indent=2, allow_nan=False)
    data = (text + "\n").encode()
    return data.replace(_NO_HASH.encode(), hashlib.sha256(data).hexdigest().encode())


def parsed(data: bytes, place: Path) -> dict[str, Any]:
    """Return the JSON object in some bytes.

    Raises:
        BundleError: they hold none.
    """
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{place}: is damaged (no JSON: {error}); export the bundle again") from error
    if not isinstance(content, dict):
        raise BundleError(f"{place}: is damaged (no JSON object); export the bundle again")
    return content


def entry(content: Mapping[str, Any], *keys: str, kind: type[Kind]) -> Kind:
    """Return an entry of nested JSON, checked to be of a kind.

    Raises:
        BundleError: it is missing or of another kind.

    >>> entry({"data": {"n_users": 3}}, "data", "n_users", kind=int)
    3
    """
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None or not isinstance(value, kind):
        raise BundleError(f"{MANIFEST}: {'.'.join(keys)} must be of type {kind.__name__}; export it again")
    return value


def _open(path: Path) -> Any:
    """Open a plain file; a link is refused, since it would lead out of the bundle."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
