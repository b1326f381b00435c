"""Rows that a run appends: a final's per-user values, and all of them together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.budget import Ledger
from benchmark.errors import RunError
from benchmark.results.directory import RunDirectory
from benchmark.results.files import atomic_path, file_hash, removed_on_error, write_errors_as_run_error

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.metrics.evaluator import Evaluation
    from benchmark.protocol import Values

IDENTITY = ("dataset", "model", "seed", "train_on")
"""Columns of per_user.parquet that say whose rows they are."""


def write_part(path: Path, evaluation: Evaluation, more: Mapping[str, Values] | None = None) -> str:
    """Store a final's per-user values and top-K lists; return the file's SHA-256.

    Columns: user (dense id), one column per ranking metric and per entry of ``more``, the sums that
    rating metrics are made of, and ``items``, the list of K recommended items.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    users = len(evaluation.users)
    columns = {"user": pa.array(evaluation.users)}
    columns |= {name: pa.array(values) for name, values in {**evaluation.per_user, **(more or {})}.items()}
    for name in ("squared_error", "absolute_error", "ratings"):
        values = getattr(evaluation, name)
        columns[name] = pa.array(values if values is not None and len(values) else np.full(users, np.nan))
    lists = np.ascontiguousarray(evaluation.lists, dtype=np.int32)
    offsets = np.arange(0, lists.size + 1, lists.shape[1] if lists.size else 1, dtype=np.int32)
    columns["items"] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(lists.ravel()))
    temporary = path.with_suffix(".tmp")
    with write_errors_as_run_error(path.parent), removed_on_error(temporary):
        pq.write_table(pa.table(columns), temporary)
        digest = file_hash(temporary)
        temporary.replace(path)
    return digest


def read_part(path: Path, sha256: str) -> pd.DataFrame:
    """Return a stored part.

    Raises:
        RunError: it is gone, or is not the file that was written.
    """
    import pandas as pd

    return pd.read_parquet(_whole_part(path, sha256))


def _whole_part(path: Path, sha256: str) -> Path:
    if not path.exists() or file_hash(path) != sha256:
        raise RunError(
            f"{path}: is missing or was changed after the run wrote it; run the same command again."
        )
    return path


def gather(run: RunDirectory, ledger: Ledger) -> None:
    """Write trials.parquet and per_user.parquet from the ledger and the parts, in the memory of one part."""
    import pandas as pd

    with write_errors_as_run_error(run.path):
        trials = pd.DataFrame([_trial_row(line) for line in ledger.lines("close", role="trial")])
        with atomic_path(run / "trials.parquet") as temporary:
            trials.to_parquet(temporary, index=False)
        if finals := latest(ledger.lines("close", role="final", outcome="complete")):
            with atomic_path(run / "per_user.parquet") as temporary:
                _stream_parts(run, finals, temporary)


def _stream_parts(run: RunDirectory, finals: list[dict[str, Any]], path: Path) -> None:
    """Write the parts one after another, a row group each; what a part lacks is null there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [_whole_part(run / line["part"], line["sha256"]) for line in finals]
    own = pa.unify_schemas(
        [pq.read_schema(part).remove_metadata() for part in paths], promote_options="permissive"
    )
    schema = pa.schema([*own, *(pa.field(name, pa.string()) for name in ("dataset", "model", "train_on"))])
    schema = schema.append(pa.field("seed", pa.int64()))
    with pq.ParquetWriter(path, schema) as writer:
        for part, line in zip(paths, finals, strict=True):
            table = pq.read_table(part)
            columns = {name: table[name] for name in table.column_names}
            columns |= {name: pa.repeat(line[name], len(table)) for name in schema.names if name in IDENTITY}
            empty = {name: pa.nulls(len(table)) for name in schema.names if name not in columns}
            ordered = {name: (columns | empty)[name] for name in schema.names}
            writer.write_table(pa.table(ordered).cast(schema), row_group_size=max(1, len(table)))


def read_per_user(run: RunDirectory, finals: list[dict[str, Any]]) -> pd.DataFrame:
    """Return every final's per-user rows; of a run that was stopped, those of the finals it completed.

    Args:
        run: the directory.
        finals: close lines of its complete finals.

    Raises:
        RunError: a file is gone or damaged.
    """
    import pandas as pd

    path = run / "per_user.parquet"
    if not path.exists():
        return _from_parts(run, finals)
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error


def _from_parts(run: RunDirectory, finals: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frames = [
        read_part(run / line["part"], line["sha256"]).assign(**{name: line[name] for name in IDENTITY})
        for line in latest(finals)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def latest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last close line of each final, of each study's last key: what changed is fitted again."""
    keys = {line["study"]: line.get("study_key") for line in lines}
    fresh = [line for line in lines if line.get("study_key") == keys[line["study"]]]
    return list({(line["study"], line["seed"], line["train_on"]): line for line in fresh}.values())


def _trial_row(line: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in line.items() if not isinstance(value, dict | list)}
    return row | {key: json.dumps(value) for key, value in line.items() if isinstance(value, dict | list)}
