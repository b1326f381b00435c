"""A split on disk: one file a part, so that whoever is handed train cannot read test."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.audit import audit
from benchmark.datasets.log import PARTS
from benchmark.datasets.prepare import Prepared
from benchmark.datasets.split import Split
from benchmark.errors import DataError
from benchmark.protocol import Interactions

COLUMNS = ("users", "items", "values", "times", "positive")


def save_split(split: Split, directory: Path) -> dict[str, Any]:
    """Write the split to ``directory`` in one stroke and return its manifest, the audit included.

    Files: train.npz, valid.npz, test.npz, users.parquet (id), items.parquet (id, title, genres where
    known; row number = dense id), manifest.json. An older split there is replaced.

    Raises:
        DataError: the directory cannot be written.
    """
    manifest = split.manifest | {"audit": audit(split)}
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        try:
            _write(split, manifest, scratch)
            _swap(scratch, directory)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{directory}: the split cannot be written: {error.strerror or error}; choose another directory"
        ) from error
    return manifest


def _write(split: Split, manifest: dict[str, Any], folder: Path) -> None:
    for part in PARTS:
        _write_part(getattr(split, part), split.rows[part], folder / f"{part}.npz")
    _write_ids(split.prepared, folder)
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    folder.chmod(0o755)
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _write_part(rows: Interactions, places: NDArray[np.int64], path: Path) -> None:
    np.savez(
        path,
        places=places,  # in the log, so that parts can be put together again in its order
        shape=np.array([rows.n_users, rows.n_items], dtype=np.int64),
        scale=np.array(rows.scale or (), dtype=np.float64),
        **{column: getattr(rows, column) for column in COLUMNS},
    )


def _write_ids(prepared: Prepared, folder: Path) -> None:
    pd.DataFrame({"id": prepared.user_ids}).to_parquet(folder / "users.parquet", index=False)
    items = {"id": prepared.item_ids, "title": prepared.titles, "genres": prepared.genres}
    known = {column: values for column, values in items.items() if values is not None}
    pd.DataFrame(known).to_parquet(folder / "items.parquet", index=False)


def _swap(scratch: Path, directory: Path) -> None:
    """Put the new folder in place of the old; at no instant is there half a split."""
    if not directory.exists():
        scratch.rename(directory)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{directory.name}.old.", dir=directory.parent))
    directory.rename(old)
    scratch.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


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
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*COLUMNS, "places", "shape", "scale")}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"{path}: damaged, or not a part of a split ({error}); make the split again"
        ) from error
    n_users, n_items = arrays.pop("shape").tolist()
    low_high, places = arrays.pop("scale").tolist(), arrays.pop("places")
    scale = (low_high[0], low_high[1]) if low_high else None
    return Interactions(**arrays, n_users=n_users, n_items=n_items, scale=scale), places


def load_manifest(directory: Path) -> dict[str, Any]:
    """Return what :func:`save_split` wrote about a split.

    Raises:
        DataError: there is no manifest, or it is damaged.
    """
    path = directory / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no readable manifest of a split ({error}); make the split again") from error
    return manifest
