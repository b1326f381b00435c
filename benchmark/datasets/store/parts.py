"""The parts of a stored split: named arrays, one file a part. Light: every trial process reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import PARTS, Part
from benchmark.errors import DataError
from benchmark.protocol import Array, Features, Floats32, Ids, Interactions, Longs, TimeUnitOfRows, Values

Arrays = TypeVar("Arrays")

COLUMNS = ("users", "items", "values", "times", "positive")
NAMED_COLUMNS = ("negative", "weights")
"""Columns that are stored only where the suite names them."""
FEATURE_FILES = {"user_features": "user_features.npz", "item_features": "item_features.npz"}


@dataclass(frozen=True, kw_only=True)
class PartArrays:
    """What the file of a part contains: the columns of the part, N rows, and what they mean.

    Attributes:
        row_numbers: row numbers in the log, (N,), so that parts can be put together again in its order.
        shape: U and I.
        scale: lowest and highest rating, or nothing.
        time_unit: unit of the times, one word; parts stored without it have seconds.
    """

    row_numbers: Longs
    shape: Longs
    scale: Values
    users: Ids
    items: Ids
    values: Floats32
    times: Longs
    positive: NDArray[np.bool_]
    negative: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    weights: Floats32 = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    time_unit: Array = field(default_factory=lambda: np.array("s"))


@dataclass(frozen=True, kw_only=True)
class FeatureArrays:
    """What the file of features contains: a sparse matrix by rows, names and texts as JSON in UTF-8."""

    shape: Longs
    starts: Array
    columns: Array
    values: Floats32
    names: NDArray[np.uint8]
    texts: NDArray[np.uint8]


def write_part(rows: Interactions, row_numbers: Longs, path: Path) -> None:
    """Write one part with the numbers of its rows in the log."""
    arrays = PartArrays(
        row_numbers=row_numbers,
        shape=np.array([rows.n_users, rows.n_items], dtype=np.int64),
        scale=np.array(rows.scale or (), dtype=np.float64),
        **{column: getattr(rows, column) for column in (*COLUMNS, *NAMED_COLUMNS)},
        time_unit=np.array(rows.time_unit),
    )
    stored = {
        name: column for name, column in vars(arrays).items() if name not in NAMED_COLUMNS or len(column)
    }
    np.savez(path, **stored)


def load_parts(directory: Path, *parts: Part) -> Interactions:
    """Return one part, or several as one, rows in the order of the log; no file stays open.

    Raises:
        DataError: a part is missing or damaged.
    """
    loaded = [read_part(directory, part) for part in parts]
    order = np.argsort(np.concatenate([part.row_numbers for part in loaded]), kind="stable")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in loaded]) for name in (*COLUMNS, *NAMED_COLUMNS)
    }
    n_users, n_items = loaded[0].shape.tolist()
    scale = loaded[0].scale.tolist()
    return Interactions(
        **{name: column[order] if len(column) else column for name, column in columns.items()},
        **load_features(directory),
        n_users=n_users,
        n_items=n_items,
        scale=(scale[0], scale[1]) if scale else None,
        time_unit=cast("TimeUnitOfRows", loaded[0].time_unit.item()),
    )


def read_part(directory: Path, part: str) -> PartArrays:
    """Return the arrays of a part.

    Raises:
        DataError: the part is missing or damaged.
    """
    path = directory / f"{part}.npz"
    if not path.is_file():
        raise DataError(
            f"{path}: no such part of a split; it must be one of {', '.join(PARTS)} in a split's folder"
        )
    return read_arrays(PartArrays, path, "a part")


def read_arrays(kind: type[Arrays], path: Path, what: str) -> Arrays:
    """Return the arrays of a file, read wholly into memory; a pickle is refused.

    Raises:
        DataError: the file is damaged, or lacks an array.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return kind(**{name: stored[name] for name in stored.files})
    except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
        raise DataError(
            f"{path}: damaged, or not {what} of a split ({error}); make the split again"
        ) from error


def write_features(rows: Interactions, folder: Path) -> None:
    """Write what is known of users and of items, one file each; none if nothing is known."""
    for name, file in FEATURE_FILES.items():
        features: Features | None = getattr(rows, name)
        if features is not None:
            # The bytes of a JSON list: numpy would take as much room for each word as for the longest.
            names, texts = (
                np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), dtype=np.uint8)
                for words in (features.names, features.texts)
            )
            arrays = FeatureArrays(
                shape=np.array(features.matrix.shape, dtype=np.int64),
                starts=features.matrix.indptr,
                columns=features.matrix.indices,
                values=features.matrix.data,
                names=names,
                texts=texts,
            )
            np.savez(folder / file, **vars(arrays))


def load_features(directory: Path) -> dict[str, Any]:
    """Return the features of users and of items, as keyword arguments of Interactions.

    Raises:
        DataError: a file is damaged.
    """
    return {name: read_features(directory / file) for name, file in FEATURE_FILES.items()}


def read_features(path: Path) -> Features | None:
    """Return the features in a file; None if there is none.

    Raises:
        DataError: the file is damaged.
    """
    if not path.is_file():
        return None
    from scipy.sparse import csr_matrix  # not at import: a split without features does not need it

    arrays = read_arrays(FeatureArrays, path, "the features")
    names, texts = (tuple(json.loads(words.tobytes())) for words in (arrays.names, arrays.texts))
    shape = tuple(arrays.shape.tolist())
    return Features(csr_matrix((arrays.values, arrays.columns, arrays.starts), shape=shape), names, texts)
