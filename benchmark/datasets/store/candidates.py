"""Which items may be recommended, and the sampled negatives of sampled metrics, stored with a split.

A rule is resolved separately for validation and for test, from the rows that each may see. Hiding what a
user has seen comes on top and is up to the ranker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.log import KNOWN_PARTS, Part, as_compared, hidden_rows
from benchmark.datasets.store.columns import mapped
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import DataError
from benchmark.files import atomic_path
from benchmark.long_columns import count_rows
from benchmark.protocol import Array, Ids, Interactions

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from benchmark.datasets.manifest import Candidates
    from benchmark.datasets.specs import Seen

Draw: TypeAlias = Callable[[Ids, "csr_matrix", int, int], Ids]
"""Takes users (E,), known pairs (U, I), how many to draw, and a seed; returns negatives (E, n)."""


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
        DataError: the stored list is missing.
    """
    if rule == "all":
        return None
    if rule == "given":
        return np.asarray(mapped(folder / "candidates.npy"), dtype=np.bool_)
    rows = {"train": train, "test-items": target, "cold-items": seen}[rule]
    has_row = count_rows(rows.items, rows.n_items) > 0
    return ~has_row if rule == "cold-items" else has_row


def store_candidates(items: Path, folder: Path, missing_values: Collection[str] = ()) -> Candidates:
    """Store the user's own list, one id a line, with a split; return what the manifest says about it.

    Args:
        items: the list.
        folder: of the stored split.
        missing_values: what stands for no item.

    Raises:
        DataError: the list cannot be read, or names no item of the log.
    """
    import pandas as pd  # not at import: every process that fits reads this module

    from benchmark.datasets.manifest import Candidates

    if not items.is_file():  # neither a folder, nor a pipe that never ends
        raise DataError(f"{items}: metrics.candidates must be a text file, one id a line, and there is none")
    try:
        lines = {line.strip() for line in items.read_text("utf-8-sig").splitlines()} - {"", *missing_values}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{items}: metrics.candidates cannot be read ({error})") from error
    ids = pd.read_parquet(folder / "items.parquet", columns=["id"])["id"]
    known = ids.astype(str)
    # A line counts as written; one that the log does not have so, in the writing in which ids are compared.
    as_written = lines & set(known)
    wanted = as_written | {as_compared(line) for line in lines - as_written}
    mask = known.isin(wanted).to_numpy()
    if not mask.any():
        raise DataError(
            f"{items}: metrics.candidates names {len(wanted)} items, and none is in the log; "
            "one id a line is expected, as the log writes them"
        )
    save_array(folder / "candidates.npy", mask)
    found = int(mask.sum())
    digest = hashlib.sha256(np.flatnonzero(mask).tobytes()).hexdigest()
    return Candidates(rule="given", sha256=digest, items=found, unknown=len(wanted) - found)


def store_negatives(folder: Path, count: int, seed: int, draw: Draw, seen: Seen = "hide") -> None:
    """Draw ``count`` negatives of each user of validation and of test; those already stored stay.

    What is drawn for a part is never one of the user's rows there, nor one of earlier parts that ``seen``
    hides. Validation knows nothing about test: a row of test may be a negative there, or what is missing
    among the drawn would tell the test rows.
    """
    for part, known in KNOWN_PARTS.items():
        path = negatives_path(folder, part)
        if path.is_file() and load_negatives(folder, part).shape[1] == count:
            continue
        target, hidden = load_parts(folder, part), hidden_rows(load_parts(folder, *known), seen)
        users = np.flatnonzero(np.bincount(target.users)).astype(np.int32)
        taken = target.matrix() + hidden.matrix()
        taken.sort_indices()
        save_array(path, draw(users, taken, count, seed))


def load_negatives(folder: Path, part: Part) -> Ids:
    """Return the stored negatives (E, n) of a part's users, ascending.

    Raises:
        DataError: they are missing.
    """
    return np.asarray(mapped(negatives_path(folder, part)), dtype=np.int32)


def negatives_path(folder: Path, part: Part) -> Path:
    """Return the file with a part's negatives."""
    return folder / f"negatives-{part}.npy"


def save_array(path: Path, array: Array) -> None:
    """Write an array, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
