"""A split on disk: one folder a part, so that whoever maps train maps nothing of test."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.manifest import SplitAudit, SplitManifest
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.split import Split
from benchmark.datasets.store.candidates import negatives_path
from benchmark.datasets.store.columns import write_checksums, write_column
from benchmark.datasets.store.parts import folder_of, write_features, write_part
from benchmark.datasets.store.stored_graph import write_graph
from benchmark.errors import DataError
from benchmark.protocol import Array
from benchmark.records import from_json, to_json

MANIFEST = "manifest.json"


def save_split(split: Split, directory: Path, audit: SplitAudit) -> SplitManifest:
    """Write the split to ``directory``, whole or not at all, and return its manifest with the audit.

    Folders train, valid, test, and train+valid in the order of the log: part.json, and users.npy and so on,
    a file for each column, in ``liked`` those of the liked rows of what models are trained on. Beside them
    users.parquet and items.parquet (id, title and what else is known; row number = dense id), folders
    user_features, item_features and graph if there are any (with entities.parquet: the entities that are no
    items), checksums.json, manifest.json. An older split there is replaced.

    Raises:
        DataError: the directory cannot be written.
    """
    manifest = replace(split.manifest, audit=audit)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        try:
            write_files(split, manifest, scratch)
            swap(scratch, directory)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{directory}: the split cannot be written: {error.strerror or error}; choose another directory"
        ) from error
    return manifest


def write_files(split: Split, manifest: SplitManifest, folder: Path) -> None:
    """Write every file of a split and flush it to the disk."""
    for part, rows in split.parts.items():
        write_part([rows], None, folder / folder_of(part), liked=part == "train")
    order = np.argsort(np.concatenate([split.rows["train"], split.rows["valid"]]), kind="stable")
    write_part([split.train, split.valid], order, folder / folder_of("train", "valid"), liked=True)
    write_features(split.prepared.interactions, folder)
    write_graph(split.prepared.interactions.graph, folder)
    if split.negatives is not None:
        write_column(negatives_path(folder, "test"), split.negatives)
    write_checksums(folder)
    write_ids(split.prepared, folder)
    (folder / MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def manifest_text(manifest: SplitManifest) -> str:
    """Return a manifest as its file holds it."""
    return json.dumps(to_json(manifest), indent=2, ensure_ascii=False) + "\n"


def write_ids(prepared: Prepared, folder: Path) -> None:
    """Write the publisher's ids of users, items and other entities, and what else is known, by dense id."""
    with_ids(prepared.user_ids, prepared.user_table).to_parquet(folder / "users.parquet", index=False)
    items = with_ids(prepared.item_ids, prepared.item_table)
    if prepared.titles is not None:
        items = items.assign(title=prepared.titles)
    items.to_parquet(folder / "items.parquet", index=False)
    if prepared.graph is not None:
        pd.DataFrame({"id": prepared.graph.entity_ids}).to_parquet(folder / "entities.parquet", index=False)


def with_ids(ids: Array, table: pd.DataFrame | None) -> pd.DataFrame:
    """Return the ids and the columns of the table, whole numbers without a decimal point."""
    first = pd.DataFrame({"id": ids})
    if table is None:
        return first
    whole = [column for column in table.select_dtypes("float") if (table[column].dropna() % 1 == 0).all()]
    return pd.concat([first, table.astype(dict.fromkeys(whole, "Int64"))], axis=1)


def swap(scratch: Path, directory: Path) -> None:
    """Put the new folder in place of the old one; at no moment is there half a split."""
    if not directory.exists():
        scratch.rename(directory)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{directory.name}.old.", dir=directory.parent))
    directory.rename(old)
    scratch.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def load_manifest(directory: Path) -> SplitManifest:
    """Return what :func:`save_split` wrote about a split.

    Raises:
        DataError: there is no manifest, it is damaged, or it is of an earlier version.
    """
    path = directory / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no readable manifest of a split ({error}); make the split again") from error
    try:
        return from_json(SplitManifest, content)
    except ValueError as error:
        raise DataError(
            f"{path}: was written by an earlier version of bench; make the split again"
        ) from error
