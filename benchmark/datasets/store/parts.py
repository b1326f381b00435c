"""The parts of a stored split: named arrays, one file a part. Light: every trial process reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.protocol import Array, Features, Interactions

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

PARTS = ("train", "valid", "test")
COLUMNS = ("users", "items", "values", "times", "positive")
FEATURE_FILES = {"user_features": "user_features.npz", "item_features": "item_features.npz"}


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
    return _load(directory, part, _features(directory))[0]


def load_parts(directory: Path, *parts: str) -> Interactions:
    """Return several parts as one, rows in the order of the log.

    Raises:
        DataError: a part is not there or is damaged.
    """
    known = _features(directory)
    loaded = [_load(directory, part, known) for part in parts]
    order = np.argsort(np.concatenate([places for _, places in loaded]), kind="stable")
    first = loaded[0][0]
    columns = {name: np.concatenate([getattr(rows, name) for rows, _ in loaded]) for name in COLUMNS}
    ordered = {name: column[order] if len(column) else column for name, column in columns.items()}
    changes: dict[str, Any] = ordered
    return replace(first, **changes)


def _load(directory: Path, part: str, known: dict[str, Any]) -> tuple[Interactions, NDArray[np.int64]]:
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
    return Interactions(**arrays, n_users=n_users, n_items=n_items, scale=scale, **known), places


def write_features(rows: Interactions, folder: Path) -> None:
    """Write what is known of users and of items, a file each; none where nothing is."""
    for name, file in FEATURE_FILES.items():
        known: Features | None = getattr(rows, name)
        if known is not None:
            matrix = known.matrix
            np.savez(
                folder / file,
                shape=np.array(matrix.shape, dtype=np.int64),
                starts=matrix.indptr,
                columns=matrix.indices,
                values=matrix.data,
                names=_as_bytes(known.names),
                texts=_as_bytes(known.texts),
            )


def _as_bytes(words: tuple[str, ...]) -> Array:
    """Return the bytes of a JSON list: numpy would take as much room for each word as for the longest."""
    return np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), dtype=np.uint8)


def _features(directory: Path) -> dict[str, Any]:
    """Return what is known of users and of items, as fields of Interactions."""
    return {name: _load_features(directory / file) for name, file in FEATURE_FILES.items()}


def _load_features(path: Path) -> Features | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names, texts = (tuple(json.loads(stored[name].tobytes())) for name in ("names", "texts"))
            return Features(_matrix(stored), names, texts)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(
            f"{path}: damaged, or not the features of a split ({error}); make the split again"
        ) from error


def _matrix(stored: Any) -> csr_matrix:
    from scipy.sparse import csr_matrix  # not at import: a split without features does not need it

    return csr_matrix(
        (stored["values"], stored["columns"], stored["starts"]), shape=tuple(stored["shape"].tolist())
    )
