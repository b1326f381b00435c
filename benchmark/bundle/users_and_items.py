"""What a bundle holds of users and items: ids, titles, what was seen, what is popular, what is cold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.bundle.format import Files
from benchmark.cold_start import Cold
from benchmark.errors import BundleError
from benchmark.metrics.topk import Integers
from benchmark.protocol import Scores

if TYPE_CHECKING:
    from benchmark.bundle.served import Id


def read_ids(files: Files, name: str, expected: int) -> list[Id]:
    """Return the raw ids in the order of dense ids.

    Raises:
        BundleError: the file does not hold as many plain ids.
    """
    ids = files.json(name).get("ids")
    if (
        not isinstance(ids, list)
        or len(ids) != expected
        or not all(isinstance(value, int | float | str) for value in ids)
    ):
        raise BundleError(f"{files.path / name}: must hold {expected} ids; export the bundle again")
    return ids


def read_titles(files: Files, expected: int) -> list[str | None]:
    """Return the titles of the items.

    Raises:
        BundleError: the file does not hold as many texts.
    """
    titles = files.json("items.json").get("titles")
    if titles is None:
        return [None] * expected
    if (
        not isinstance(titles, list)
        or len(titles) != expected
        or not all(title is None or isinstance(title, str) for title in titles)
    ):
        raise BundleError(
            f"{files.path / 'items.json'}: must hold {expected} titles; export the bundle again"
        )
    return titles


def read_seen(files: Files, n_users: int, n_items: int) -> tuple[Integers, Integers]:
    """Return index arrays (U + 1,) and (n,) of what is left out of each user's lists.

    Raises:
        BundleError: they are not such arrays.
    """
    arrays = files.arrays("seen.safetensors")
    ends, items = arrays.get("ends", np.empty(0)), arrays.get("items", np.empty(0))
    whole = ends.dtype.kind == items.dtype.kind == "i" and ends.shape == (n_users + 1,) and items.ndim == 1
    if (
        not whole
        or ends[0] != 0
        or ends[-1] != len(items)
        or (np.diff(ends) < 0).any()
        or ((items < 0) | (items >= n_items)).any()
    ):
        raise BundleError(
            f"{files.path / 'seen.safetensors'}: must hold what {n_users} users have seen; export the bundle "
            "again"
        )
    return ends, items


def read_counts(files: Files, name: str, n_items: int) -> Scores:
    """Return how often each item occurs, (I,).

    Raises:
        BundleError: the file does not hold as many finite numbers.
    """
    counts = files.arrays(name).get("counts", np.empty(0))
    if counts.shape != (n_items,) or counts.dtype.kind not in "iuf" or not np.isfinite(counts).all():
        raise BundleError(f"{files.path / name}: must hold {n_items} counts; export the bundle again")
    return counts.astype(np.float32)


def read_cold(files: Files, n_users: int, n_items: int) -> tuple[Cold, NDArray[np.bool_]]:
    """Return users and items without a training row, and which items are not candidates, (I,).

    Raises:
        BundleError: the file does not hold as many flags.
    """
    name = "cold.safetensors"
    arrays, expected = files.arrays(name), {"users": n_users, "items": n_items, "excluded": n_items}
    for key, length in expected.items():
        if key not in arrays or arrays[key].shape != (length,):
            raise BundleError(f"{files.path / name}: {key} must hold {length} flags; export the bundle again")
    users, items, excluded = (arrays[key] != 0 for key in expected)
    return Cold(users, items, read_counts(files, name, n_items)), excluded
