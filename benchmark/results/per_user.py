"""Per-user values of finals: one file per final as it ends, and all of them together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmark.errors import RunError
from benchmark.files import atomic_path, file_sha256, write_errors_as_run_error
from benchmark.ledger import Ledger
from benchmark.records import FinalRecord, StudyEvent, TrialRecord, to_json
from benchmark.results.directory import RunDirectory, RunManifest

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.metrics.evaluation import Evaluation
    from benchmark.protocol import Values

Event = TypeVar("Event", bound=StudyEvent)

IDENTITY = ("dataset", "model", "seed", "train_on", "config_source")
"""Columns of per_user.parquet that say whose rows they are."""


def write_per_user(path: Path, evaluation: Evaluation, more: Mapping[str, Values] | None = None) -> str:
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
    with write_errors_as_run_error(path.parent), atomic_path(path) as temporary:
        pq.write_table(pa.table(columns), temporary)
        return file_sha256(temporary)


def read_final(run: RunDirectory, final: FinalRecord) -> pd.DataFrame:
    """Return the per-user rows of one complete final.

    Raises:
        RunError: the file is gone, or is not the one that was written.
    """
    import pandas as pd

    return pd.read_parquet(checked_path(run, final))


def checked_path(run: RunDirectory, final: FinalRecord) -> Path:
    """Return the file of a complete final, found to be the one that was written.

    Raises:
        RunError: it is gone, or was changed.
    """
    path = run / final.scores.path
    if not path.exists() or file_sha256(path) != final.scores.sha256:
        raise RunError(
            f"{path}: is missing or was changed after the run wrote it; run the same command again."
        )
    return path


def gather(run: RunDirectory, ledger: Ledger) -> None:
    """Write trials.parquet and per_user.parquet from the ledger and the finals' files.

    Takes the memory of one final at a time.
    """
    import pandas as pd

    with write_errors_as_run_error(run.path):
        manifest = run.manifest()
        kept = current_records(ledger.records(TrialRecord), manifest)
        trials = pd.DataFrame([flat_row(record) for record in kept])
        with atomic_path(run / "trials.parquet") as temporary:
            trials.to_parquet(temporary, index=False)
        if finals := latest(current_records(ledger.records(FinalRecord), manifest)):
            with atomic_path(run / "per_user.parquet") as temporary:
                stream_finals(run, finals, temporary)


def current_records(records: Sequence[Event], manifest: RunManifest) -> list[Event]:
    """Return the records of the studies as planned: what rested on other data or code is left out."""
    keys = {study.key for study in manifest.studies if study.key}
    return [record for record in records if not keys or record.study_key in keys]


def flat_row(record: TrialRecord) -> dict[str, object]:
    """Return a trial as one row: what is nested becomes JSON."""
    return {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in to_json(record).items()
    }


def stream_finals(run: RunDirectory, finals: Sequence[FinalRecord], path: Path) -> None:
    """Write the finals' files one after another, a row group each; what one lacks is null there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [checked_path(run, final) for final in finals]
    own = pa.unify_schemas(
        [pq.read_schema(one).remove_metadata() for one in paths], promote_options="permissive"
    )
    texts = [pa.field(name, pa.string()) for name in IDENTITY if name != "seed"]
    schema = pa.schema([*own, *texts, pa.field("seed", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for one, final in zip(paths, finals, strict=True):
            table = pq.read_table(one)
            columns = {name: table[name] for name in table.column_names}
            columns |= {name: pa.repeat(getattr(final, name), len(table)) for name in IDENTITY}
            empty = {name: pa.nulls(len(table)) for name in schema.names if name not in columns}
            ordered = {name: (columns | empty)[name] for name in schema.names}
            writer.write_table(pa.table(ordered).cast(schema), row_group_size=max(1, len(table)))


def read_per_user(run: RunDirectory, finals: Sequence[FinalRecord]) -> pd.DataFrame:
    """Return every final's per-user rows; of a run that was stopped, those of the finals it completed.

    Args:
        run: the directory.
        finals: its finals.

    Raises:
        RunError: a file is gone or damaged.
    """
    import pandas as pd

    path = run / "per_user.parquet"
    if not path.exists():
        frames = [
            read_final(run, final).assign(**{name: getattr(final, name) for name in IDENTITY})
            for final in latest(finals)
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); the run directory is damaged.") from error


def latest(finals: Sequence[FinalRecord]) -> list[FinalRecord]:
    """Return the last complete record of each final, of each study's last key: what changed is refitted."""
    complete = [final for final in finals if final.outcome == "complete"]
    keys = {final.study: final.study_key for final in complete}
    fresh = [final for final in complete if final.study_key == keys[final.study]]
    identified = {(one.study, one.seed, one.train_on, one.config_source): one for one in fresh}
    return list(identified.values())
