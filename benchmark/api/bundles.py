"""Exported models: load, verify, recommend."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.api.adapters import registry
from benchmark.datasets.tables.frames import Frame, is_column, values_of_column
from benchmark.errors import BundleError, VersionWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from benchmark.api.suites import StrPath
    from benchmark.bundle import Bundle, Recommendation
    from benchmark.bundle.served import Id
    from benchmark.bundle.verify import Check


def load(bundle: StrPath) -> Bundle:
    """Return a bundle, ready to recommend: ``load("best").recommend([196, 22], k=10)``.

    Raises:
        BundleError: a file is damaged or does not fit the others.
        MissingLibrary: the model needs a library that is not installed; names it with its version.

    Warns:
        VersionWarning: a package that serves it has another version than in the run.
    """
    from benchmark import bundle as bundles
    from benchmark.bundle.restoring import other_versions

    adapters = registry()
    loaded = bundles.load(Path(bundle), adapters)
    if others := other_versions(adapters[loaded.files.manifest.origin.adapter], loaded.files):
        warnings.warn(
            f"{bundle}: {'; '.join(others)}; `bench verify {bundle}` shows whether the lists are still the "
            "same",
            VersionWarning,
            stacklevel=2,
        )
    return loaded


def verify(bundle: StrPath) -> list[Check]:
    """Return the checks of a bundle: hashes of files, lists against the run's own, measured latency."""
    from benchmark.bundle.verify import verify as verify_bundle

    return verify_bundle(Path(bundle), registry())


def recommend(
    bundle: StrPath | Bundle,
    users: Iterable[Id] = (),
    k: int = 10,
    *,
    history: Collection[Id] | None = None,
    exclude: Collection[Id] = (),
    only: Collection[Id] | Frame | None = None,
    why: bool = False,
) -> list[Recommendation]:
    """Return the list of each user, from a bundle; or that of one user, from a history.

    Args:
        bundle: its folder, or what ``load`` returns.
        users: raw ids; of a new user with a history, a name or nothing.
        k: length of a list.
        history: items of a new user, or those that a known user has had since training, the earliest first.
        exclude: items to leave out.
        only: the only items that may be recommended.
        why: explain each item, if the model can.

    Raises:
        BundleError: the bundle is damaged, k is below 1, a history comes with several users, no item of
            ``only`` is in the catalogue, or the model cannot explain.
    """
    if is_column(users):
        users = values_of_column(users)
    if isinstance(users, Frame):
        raise BundleError("users: is a frame; load(bundle).recommend(frame) returns its lists as one")
    from benchmark.bundle import Bundle

    loaded, named = bundle if isinstance(bundle, Bundle) else load(bundle), list(users)
    if history is None:
        return loaded.recommend(named, k, exclude=exclude, only=only, why=why)
    if len(named) > 1:
        raise BundleError(f"a history is that of one user (found {len(named)} users)")
    user = named[0] if named else None
    return [loaded.recommend_new(history, k, user=user, exclude=exclude, only=only, why=why)]
