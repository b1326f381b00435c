"""Which items compete for a place in a list, and the drawn negatives of sampled metrics, beside a split.

A rule is resolved anew for validation and for test, from the rows that each may see. Hiding what a
user has seen comes on top and is the ranker's.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.protocol import Ids, Interactions

COLD_ITEMS = "cold-items"
GIVEN = "given"


def candidates_for(
    rule: str, folder: Path, *, train: Interactions, seen: Interactions, target: Interactions
) -> NDArray[np.bool_] | None:
    """Return which items (I,) may be recommended; None means all.

    Args:
        rule: "all"; "train": items with a row in train; "test-items": items with a row in the evaluated
            part; "cold-items": items without a row in anything known; "given": the suite's own list.
        folder: of the stored split.
        train: rows of the train part.
        seen: rows known when the target is evaluated: train, and for test validation too.
        target: the evaluated part.

    Raises:
        DataError: the stored list has gone.
    """
    if rule == "all":
        return None
    if rule == GIVEN:
        return np.asarray(_load(folder / "candidates.npy"), dtype=np.bool_)
    rows = {"train": train, "test-items": target, COLD_ITEMS: seen}[rule]
    has_row = np.bincount(rows.items, minlength=rows.n_items) > 0
    return ~has_row if rule == COLD_ITEMS else has_row


def store_candidates(items: Path, folder: Path) -> dict[str, Any]:
    """Store a list of the user's own, one id a line, beside a split; return what the manifest says of it.

    Raises:
        DataError: the list cannot be read, or names no item of the log.
    """
    import pandas as pd  # not at import: every process that fits reads this module

    try:
        wanted = {line.strip() for line in items.read_text("utf-8").splitlines()} - {""}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{items}: metrics.candidates cannot be read ({error})") from error
    known = pd.read_parquet(folder / "items.parquet", columns=["id"])["id"].astype(str)
    mask = known.isin(wanted).to_numpy()
    if not mask.any():
        raise DataError(
            f"{items}: metrics.candidates names {len(wanted)} items, and none is in the log; "
            "one id a line is expected, as the log writes them"
        )
    _store(folder / "candidates.npy", mask)
    digest = hashlib.sha256(np.flatnonzero(mask).tobytes()).hexdigest()
    unknown = len(wanted) - int(mask.sum())
    return {
        "candidates": GIVEN,
        "candidates_sha256": digest,
        "candidates_items": int(mask.sum()),
        "candidates_unknown": unknown,
    }


def has_negatives(folder: Path, part: str, count: int) -> bool:
    """Return whether ``count`` negatives of each user of a part are stored."""
    path = folder / f"negatives-{part}.npy"
    return path.is_file() and load_negatives(folder, part).shape[1] == count


def store_negatives(folder: Path, part: str, negatives: Ids) -> None:
    """Store the drawn negatives (E, n) of a part; what those of test leave out tells of test."""
    _store(folder / f"negatives-{part}.npy", negatives)


def load_negatives(folder: Path, part: str) -> Ids:
    """Return the stored negatives (E, n) of a part's users, ascending.

    Raises:
        DataError: they have gone.
    """
    return np.asarray(_load(folder / f"negatives-{part}.npy"), dtype=np.int32)


def _store(path: Path, stored: NDArray[Any]) -> None:
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    with temporary.open("wb") as file:
        np.save(file, stored)
    temporary.replace(path)


def _load(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged or gone ({error}); run the suite anew with --fresh") from error
