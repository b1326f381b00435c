"""Where data came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a log came from: passed along whole, from the file that was read to the bundle that is served.

    Attributes:
        dataset: name in tables and files; says so if it is a stand-in.
        origin: path or address it came from, or "generated".
        licence: terms of use in a few words.
        acknowledged: when the licence was shown to the user.
        synthetic: whether it was generated.
        sha256: content hash of what was read.
        scale: lowest and highest rating allowed; None if values are not ratings.
        stand_in_for: name of the known data set that this generated one replaces; None for all others.
    """

    dataset: str
    origin: str
    licence: str
    synthetic: bool
    sha256: str
    scale: tuple[float, float] | None = None
    acknowledged: str = "shown when the data was read"
    stand_in_for: str | None = None


@dataclass(frozen=True, kw_only=True)
class EnvironmentRecord:
    """The environment that a model runs in: its name, its hash, and the version of its Python."""

    name: str
    sha256: str
    python: str
