"""The parts of a stored split: a folder each, a file a column. Light: every trial process maps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import PARTS, Part
from benchmark.datasets.store.columns import SUFFIX, mapped, write_column
from benchmark.datasets.store.stored_graph import load_graph
from benchmark.errors import DataError
from benchmark.messages import restored
from benchmark.protocol import Array, Features, Floats32, Interactions, Longs, TimeUnitOfRows
from benchmark.records import to_json

COLUMNS = ("users", "items", "values", "times", "positive", "negative", "weights")
"""Those that a log lacks (times, or what a suite does not name) are not stored."""
FEATURES = ("user_features", "item_features")
"""Folders of what is known of users and of items."""
ABOUT = "part.json"
LIKED = "liked"
"""Folder, inside that of a part, with the columns of its liked rows."""


@dataclass(frozen=True, kw_only=True)
class AboutPart:
    """What the columns of a part mean: its part.json.

    Attributes:
        rows: N.
        liked: how many of them are liked, stored once more in the order of the log; as many as rows: all
            are, and nothing is stored twice; None: not stored apart.
        n_users: U.
        n_items: I.
        scale: lowest and highest rating, or nothing.
        time_unit: unit of the times.
        columns: which there are.
    """

    rows: int
    liked: int | None
    n_users: int
    n_items: int
    scale: tuple[float, float] | None
    time_unit: TimeUnitOfRows
    columns: tuple[str, ...]

    @classmethod
    def read(cls, content: Any) -> AboutPart:
        """Return what a part.json says; checked here, for the children that read it have no pydantic.

        Raises:
            ValueError: a key is missing, or holds something else.
        """
        if not isinstance(content, dict):
            raise ValueError("it must be a JSON object")  # noqa: TRY004 - load_parts says that the file is damaged
        about = restored(cls, content)
        for count in (about.rows, about.liked or 0, about.n_users, about.n_items):
            if type(count) is not int or count < 0:
                raise ValueError(f"a count is {count!r}; it must be a whole number of 0 or more")
        if not isinstance(about.columns, tuple) or not set(about.columns) <= set(COLUMNS):
            raise ValueError(f"columns are {about.columns!r}; they must be among {', '.join(COLUMNS)}")
        if about.time_unit not in get_args(TimeUnitOfRows):
            raise ValueError(f"time_unit is {about.time_unit!r}")
        if about.scale is not None and not all(isinstance(end, int | float) for end in about.scale):
            raise ValueError(f"scale is {about.scale!r}; it must be two numbers, or nothing")
        return about


@dataclass(frozen=True)
class StoredRows(Interactions):
    """Rows of a stored split: every column is mapped, and belongs to no process.

    Attributes:
        liked: the liked rows, mapped as well; None where they are not stored apart.
    """

    liked: Interactions | None = field(default=None, init=False, repr=False, compare=False)

    def positives(self) -> Interactions:
        """Return the rows that count as a like; no copy where they are stored."""
        return super().positives() if self.liked is None else self.liked


@dataclass(frozen=True, kw_only=True)
class FeatureArrays:
    """What the folder of features contains: a sparse matrix by rows, names and texts as JSON in UTF-8."""

    shape: Longs
    starts: Array
    columns: Array
    values: Floats32
    names: NDArray[np.uint8]
    texts: NDArray[np.uint8]


def write_part(parts: Sequence[Interactions], order: Longs | None, folder: Path, *, liked: bool) -> None:
    """Write rows to a folder of their own, a column at a time.

    Args:
        parts: whose rows they are, one after another.
        order: in which they are stored, numbers of rows; None: as they are.
        folder: to be made.
        liked: whether the liked rows are stored once more.
    """

    def column(name: str) -> Array:
        found: list[Array] = [getattr(part, name) for part in parts]
        whole = found[0] if len(found) == 1 else np.concatenate(found)
        return whole[order] if order is not None and len(whole) else whole

    first, positive = parts[0], column("positive")
    about = AboutPart(
        rows=len(positive),
        liked=int(np.count_nonzero(positive)) if liked else None,
        n_users=first.n_users,
        n_items=first.n_items,
        scale=first.scale,
        time_unit=first.time_unit,
        columns=tuple(
            name for name in COLUMNS if sum(len(getattr(part, name)) for part in parts) == len(positive)
        ),
    )
    for name in about.columns:
        values = column(name)
        write_column(folder / f"{name}{SUFFIX}", values)
        if about.liked not in {None, about.rows}:
            write_column(folder / LIKED / f"{name}{SUFFIX}", values[positive])
    (folder / ABOUT).write_text(json.dumps(to_json(about)) + "\n", encoding="utf-8")


def load_parts(directory: Path, *parts: Part) -> Interactions:
    """Return a part, or train and validation as one, rows in the order of the log; no file stays open.

    Columns are mapped, not read: the operating system keeps them once for all processes.

    Raises:
        DataError: a part is missing or damaged.
    """
    folder = directory / folder_of(*parts)
    try:
        about = AboutPart.read(json.loads((folder / ABOUT).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DataError(
            f"{folder}: no such part of a split; it must be one of {', '.join(PARTS)} in a split's folder"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder / ABOUT}: damaged, or not of a part of a split ({error}); make the split again"
        ) from error
    known = {**load_features(directory), "graph": load_graph(directory)}
    rows = StoredRows(**mapped_columns(folder, about, about.rows), **known)
    if about.liked is not None:
        where = folder if about.liked == about.rows else folder / LIKED
        liked = Interactions(**mapped_columns(where, about, about.liked), **known)
        object.__setattr__(rows, "liked", liked)
    return rows


def folder_of(*parts: Part) -> str:
    """Return the folder of a part, or of train and validation as one, in that of the split.

    >>> folder_of("test"), folder_of("train", "valid")
    ('test', 'train+valid')
    """
    return "+".join(parts)


def mapped_columns(folder: Path, about: AboutPart, rows: int) -> dict[str, Any]:
    """Return the columns in a folder and what they mean, as keyword arguments of Interactions.

    Raises:
        DataError: one is missing or damaged, or has another length.
    """
    columns = {name: mapped(folder / f"{name}{SUFFIX}") for name in about.columns}
    for name, column in columns.items():
        if column.shape != (rows,):
            raise DataError(
                f"{folder / name}{SUFFIX}: damaged, its shape is {column.shape} where {ABOUT} says "
                f"{rows} rows; make the split again"
            )
    return {
        "times": np.empty(0, dtype=np.int64),  # unless it is stored
        **columns,
        "n_users": about.n_users,
        "n_items": about.n_items,
        "scale": about.scale,
        "time_unit": about.time_unit,
    }


def write_features(rows: Interactions, folder: Path) -> None:
    """Write what is known of users and of items, a folder each; none if nothing is known."""
    for side in FEATURES:
        features: Features | None = getattr(rows, side)
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
            for name, array in vars(arrays).items():
                write_column(folder / side / f"{name}{SUFFIX}", array)


def load_features(directory: Path) -> dict[str, Any]:
    """Return the features of users and of items, as keyword arguments of Interactions.

    Raises:
        DataError: a file is damaged.
    """
    return {side: read_features(directory / side) for side in FEATURES}


def read_features(folder: Path) -> Features | None:
    """Return the features in a folder, the matrix mapped; None if there is none.

    Raises:
        DataError: a file is missing or damaged.
    """
    if not folder.is_dir():
        return None
    from scipy.sparse import csr_matrix  # not at import: a split without features does not need it

    arrays = FeatureArrays(
        **{name: mapped(folder / f"{name}{SUFFIX}") for name in FeatureArrays.__annotations__}
    )
    try:
        names, texts = (tuple(json.loads(words.tobytes())) for words in (arrays.names, arrays.texts))
        shape = tuple(arrays.shape.tolist())
        matrix = csr_matrix((arrays.values, arrays.columns, arrays.starts), shape=shape)
    except ValueError as error:
        raise DataError(
            f"{folder}: damaged, or not the features of a split ({error}); make the split again"
        ) from error
    return Features(matrix, names, texts)
