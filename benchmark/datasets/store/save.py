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

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.log import hash_arrays
from benchmark.datasets.prepare.features import describe
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.split import Split
from benchmark.datasets.store.parts import PARTS, write_features, write_part
from benchmark.errors import DataError
from benchmark.protocol import Array


def save_split(split: Split, directory: Path) -> dict[str, Any]:
    """Write the split to ``directory`` in one stroke and return its manifest, the audit included.

    Files: train.npz, valid.npz, test.npz, users.parquet and items.parquet (id, title and what else is
    known; row number = dense id), user_features.npz and item_features.npz where there are any,
    manifest.json. An older split there is replaced.

    Raises:
        DataError: the directory cannot be written.
    """
    manifest = split.manifest | _about(split.prepared) | {"audit": audit(split)}
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
        write_part(getattr(split, part), split.rows[part], folder / f"{part}.npz")
    write_features(split.prepared.interactions, folder)
    _write_ids(split.prepared, folder)
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    folder.chmod(0o755)
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _about(prepared: Prepared) -> dict[str, Any]:
    """Return what the manifest says about licence and features; the split's hash knows nothing of them."""
    rows = prepared.interactions
    known = {"users": describe(rows.user_features), "items": describe(rows.item_features)}
    return {
        "licence_acknowledged": prepared.acknowledged,
        "features": known,
        "features_sha256": hash_arrays(
            (side, np.array([one["sha256"]], dtype=object)) for side, one in known.items() if one
        )
        if any(known.values())
        else None,
    }


def _write_ids(prepared: Prepared, folder: Path) -> None:
    _with_ids(prepared.user_ids, prepared.user_table).to_parquet(folder / "users.parquet", index=False)
    items = _with_ids(prepared.item_ids, prepared.item_table)
    if prepared.titles is not None:
        items["title"] = prepared.titles
    items.to_parquet(folder / "items.parquet", index=False)


def _with_ids(ids: Array, table: pd.DataFrame | None) -> pd.DataFrame:
    """Return the ids and the columns of the table, whole numbers without a point."""
    first = pd.DataFrame({"id": ids})
    if table is None:
        return first
    whole = [column for column in table.select_dtypes("float") if (table[column].dropna() % 1 == 0).all()]
    return pd.concat([first, table.astype(dict.fromkeys(whole, "Int64"))], axis=1)


def _swap(scratch: Path, directory: Path) -> None:
    """Put the new folder in place of the old; at no instant is there half a split."""
    if not directory.exists():
        scratch.rename(directory)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{directory.name}.old.", dir=directory.parent))
    directory.rename(old)
    scratch.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


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
