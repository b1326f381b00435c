"""Train and validation of a run's split, in the publisher's ids, for whoever wants to compete: never test."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.datasets.log import Part
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.store.candidates import candidates_for
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.raw_ids import raw_ids
from benchmark.errors import RunError
from benchmark.files import write_errors_as_run_error
from benchmark.metrics.register import list_length, not_from_lists, parse_metric
from benchmark.protocol import Array, Interactions
from benchmark.suite import Suite

if TYPE_CHECKING:
    import pyarrow as pa

HANDED_OUT: tuple[Part, ...] = ("train", "valid")
ROWS_OF_A_GROUP = 1 << 20
"""Rows that are in memory at a time."""
HIDDEN = {
    "hide": "items that the user has had: in train for validation, in train or validation for test",
    "allow": "nothing: items that the user has had may be recommended again",
    "hide-negative": "the user's known dislikes",
}
UNKNOWN_CANDIDATES = {
    "test-items": "only items that occur in test, which nobody may know: `bench score` refuses lists",
}
README = """\
# {dataset}: train and validation

From the run {run}, split {split}. {licence}

| file | what it holds |
|---|---|
| `train.parquet`, `valid.parquet` | a row for each interaction: {columns} |
| `users.parquet` | every user, and what is known of users |
| `items.parquet` | every item, what is known of items, and in `candidate` whether it may be recommended |
| `manifest.json` | the same as below, for programs |

The rows of test are not here{graph}.

## What to hand in

A table (Parquet, CSV or TSV) with the columns user, item and rank (1 is best) or score (highest is best),
{k} items or more for every user of `users.parquet`, or all candidates where there are fewer. A user
without a list counts as one who was shown nothing.

- Hidden: {hidden}. A list with such an item is refused.
- Candidates: {candidates}.
- Metrics: {metrics}; {primary} ranks.
- For test train on {train_on} if you like; for validation on train alone.

    bench score {run} LISTS.parquet --name NAME

Each such scoring opens test: the board shows how many there were, and the correction for many tests
on this split counts them all.
"""


def write_handout(folder: Path, suite: Suite, manifest: SplitManifest, target: Path, run: Path) -> None:
    """Write train and validation of a stored split to a folder, whole or not at all.

    Args:
        folder: of the stored split.
        suite: of the run.
        manifest: of the split.
        target: a folder that is not there, or empty.
        run: as it is named in the README.

    Raises:
        RunError: the folder is not empty, or cannot be written.
        DataError: the split is damaged.
    """
    if os.path.lexists(target) and (target.is_symlink() or not target.is_dir() or any(target.iterdir())):
        raise RunError(f"{target}: is there and not an empty folder; choose another")
    with write_errors_as_run_error(target.absolute().parent):
        parent = target.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
        try:
            content = describe(suite, manifest, run)
            columns = write_rows(folder, manifest, scratch)
            write_catalogue(folder, manifest, scratch)
            text = README.format(**content, columns=", ".join(f"`{name}`" for name in columns))
            (scratch / "README.md").write_text(text, encoding="utf-8")
            about = {**content, "columns": columns}
            (scratch / "manifest.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
            scratch.chmod(0o755)
            scratch.replace(target.absolute())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def describe(suite: Suite, manifest: SplitManifest, run: Path) -> dict[str, object]:
    """Return what may be recommended to whom, and what is measured."""
    metrics = [parse_metric(name) for name in suite.metrics.all]
    own = [metric for metric in metrics if not_from_lists(metric) is None]
    rule = manifest.candidates.rule
    return {
        "dataset": manifest.dataset,
        "run": str(run),
        "split": manifest.hash[:8],
        "licence": f"Licence of the data: {manifest.provenance.licence}.",
        "k": list_length(own),
        "primary": suite.metrics.primary,
        "metrics": ", ".join(metric.name for metric in own),
        "hidden": HIDDEN[manifest.seen],
        "candidates": UNKNOWN_CANDIDATES.get(rule, f"`{rule}`; see `candidate` in `items.parquet`"),
        "train_on": "train and validation" if suite.finals.train_on == "train+valid" else "train",
        "graph": ", nor the knowledge graph that models of the run may learn from" if manifest.graph else "",
        "users": manifest.n_users,
        "items": manifest.n_items,
        "time_unit": manifest.time_unit,
        "positive": manifest.positive or "every row",
    }


def write_rows(folder: Path, manifest: SplitManifest, target: Path) -> list[str]:
    """Write train and validation, a block of rows at a time; return the names of their columns."""
    import pyarrow.parquet as pq

    ids = {side: raw_ids(folder, side) for side in ("user", "item")}
    names: list[str] = []
    for part in HANDED_OUT:
        rows = load_parts(folder, part)
        schema = block_of(rows, slice(0), manifest, ids).schema
        names = schema.names
        with pq.ParquetWriter(target / f"{part}.parquet", schema) as writer:
            for first in range(0, len(rows), ROWS_OF_A_GROUP):
                block = slice(first, first + ROWS_OF_A_GROUP)
                writer.write_table(block_of(rows, block, manifest, ids))
    return names


def block_of(rows: Interactions, block: slice, manifest: SplitManifest, ids: Mapping[str, Array]) -> pa.Table:
    """Return some rows as a table in the publisher's ids; what the log lacks has no column."""
    import pyarrow as pa

    columns: dict[str, Array] = {
        "user": ids["user"][rows.users[block]],
        "item": ids["item"][rows.items[block]],
    }
    if manifest.has_values:
        columns["value"] = rows.values[block]
    if len(rows.times):
        columns["time"] = rows.times[block]
    columns["like"] = rows.positive[block]
    if len(rows.negative):
        columns["dislike"] = rows.negative[block]
    if len(rows.weights):
        columns["weight"] = rows.weights[block]
    kinds = {name: pa.string() for name in ids if ids[name].dtype.kind != "i"}
    return pa.table({name: pa.array(column, type=kinds.get(name)) for name, column in columns.items()})


def write_catalogue(folder: Path, manifest: SplitManifest, target: Path) -> None:
    """Write every user and item with what is known of them, and which items are candidates."""
    import pandas as pd

    train, known = load_parts(folder, "train"), load_parts(folder, "train", "valid")
    rule = manifest.candidates.rule
    # The rule by items of test is not resolved here: test stays closed.
    mask = (
        None if rule == "test-items" else candidates_for(rule, folder, train=train, seen=known, target=known)
    )
    for side in ("user", "item"):
        table = pd.read_parquet(folder / f"{side}s.parquet").rename(columns={"id": side})
        if side == "item":
            table["candidate"] = np.ones(len(table), dtype=np.bool_) if mask is None else mask
        table.to_parquet(target / f"{side}s.parquet", index=False)
