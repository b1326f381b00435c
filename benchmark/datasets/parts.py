"""The parts of a stored split: named arrays, one file a part. Light: every trial process reads them."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.protocol import Interactions

PARTS = ("train", "valid", "test")
COLUMNS = ("users", "items", "values", "times", "positive")


def write_part(rows: Interactions, places: NDArray[np.int64], path: Path) -> None:
    """Write one part with the places of its rows in the log."""
    np.savez(
        path,
        places=places,  # in the log, so that parts can be put together again in its order
        shape=np.array([rows.n_users, rows.n_items], dtype=np.int64),
        scale=np.array(rows.scale or (), dtype=np.float64),
        **{column: getattr(rows, column) for column in COLUMNS},
    )


def load_part(directory: Path, part: str) -> Interactions:
    """Return one part, read wholly into memory; no file stays open.

    Raises:
        DataError: the part is not there or is damaged.
    """
    return _load(directory, part)[0]


def load_parts(directory: Path, *parts: str) -> Interactions:
    """Return several parts as one, rows in the order of the log.

    Raises:
        DataError: a part is not there or is damaged.
    """
    loaded = [_load(directory, part) for part in parts]
    order = np.argsort(np.concatenate([places for _, places in loaded]), kind="stable")
    first = loaded[0][0]
    columns = {name: np.concatenate([getattr(rows, name) for rows, _ in loaded]) for name in COLUMNS}
    ordered = {name: column[order] if len(column) else column for name, column in columns.items()}
    return Interactions(**ordered, n_users=first.n_users, n_items=first.n_items, scale=first.scale)


def _load(directory: Path, part: str) -> tuple[Interactions, NDArray[np.int64]]:
    path = directory / f"{part}.npz"
    if not path.is_file():
        raise DataError(
            f"{path}: no such part of a split; it must be one of {', '.join(PARTS)} in a split's folder"
        )
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*COLUMNS, "places", "shape", "scale")}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(
            f"{path}: damaged, or not a part of a split ({error}); make the split again"
        ) from error
    n_users, n_items = arrays.pop("shape").tolist()
    low_high, places = arrays.pop("scale").tolist(), arrays.pop("places")
    scale = (low_high[0], low_high[1]) if low_high else None
    return Interactions(**arrays, n_users=n_users, n_items=n_items, scale=scale), places
